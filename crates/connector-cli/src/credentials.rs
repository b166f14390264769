//! Credentials: from the store, a variable or a prompt. Never from an argument, which other users
//! of the machine can see and shells remember.

use std::path::PathBuf;
use std::sync::Arc;

use connector_core::{Credential, Error, ErrorKind, Result};
use credential_store::{CredentialSource, Fault, Host, StoreAccess, StoreNames};

use crate::failure::Failure;
use crate::settings::{Origin, Side};

/// The credentials of a program's user.
#[derive(Debug, Clone)]
pub struct Credentials {
    access: StoreAccess,
    prefix: String,
    may_ask: bool,
}

impl Credentials {
    /// The credentials of `program`, whose environment variables begin with `prefix`. The folder of
    /// the store is the value of `PREFIX_STORE`, or `default_folder`.
    pub fn new(
        program: &str,
        prefix: &str,
        default_folder: Option<PathBuf>,
        host: Arc<dyn Host>,
    ) -> Self {
        let variable = |name: &str| format!("{prefix}_{name}");
        let names = StoreNames {
            folder_variable: variable("STORE"),
            passphrase_variable: variable("PASSPHRASE"),
            identity_variable: variable("IDENTITY"),
            keyring_service: program.to_owned(),
        };
        Self {
            access: StoreAccess::new(names, default_folder, host),
            prefix: prefix.to_owned(),
            may_ask: false,
        }
    }

    /// Sets whether to ask for an API key that is found nowhere else.
    #[must_use]
    pub fn with_prompt(mut self, may_ask: bool) -> Self {
        self.may_ask = may_ask;
        self
    }

    /// Access to the store.
    #[must_use]
    pub fn store(&self) -> &StoreAccess {
        &self.access
    }

    /// The credential that `side` needs; `None` if it needs none, or its settings hold one.
    ///
    /// The first of these: the chosen credential of the store; the variable that the connector
    /// declares, unless a variable of this program sets the secret; the settings; a prompt.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] if there is none, or the store cannot be opened;
    /// [`ErrorKind::Config`] if it is for another connector.
    pub fn resolve(&self, side: &Side) -> Result<Option<Credential>, Failure> {
        let connector = side.name();
        if let Some(stored) = side.stored_credential() {
            let credential = self.access.credential(&stored.name, &connector);
            let credential = credential.map_err(store_error)?;
            if let Some(file) = &stored.named_in {
                self.record_use(&stored.name, file);
            }
            return Ok(Some(credential));
        }
        if !side.schema().takes_credential() {
            return Ok(None);
        }
        let sources = self.places(side);
        let found = self
            .access
            .resolve(&sources, &connector)
            .map_err(store_error)?;
        if found.is_none() && !side.holds_secret() && requires_secret(side) {
            return Err(self.missing(side));
        }
        Ok(found)
    }

    fn places(&self, side: &Side) -> Vec<CredentialSource> {
        let mut places = Vec::new();
        let is_variable = |key| matches!(side.origin(key), Some(Origin::Variable(_)));
        let has_own_variable = side.schema().secret_keys().any(is_variable);
        if let Some(variable) = &side.schema().credential_variable
            && !has_own_variable
        {
            places.push(CredentialSource::Variable(variable.clone()));
        }
        if self.may_ask && !side.holds_secret() && requires_secret(side) {
            let title = side.connector().identity().title;
            let prompt = format!("API key for {title} (not shown): ");
            places.push(CredentialSource::Prompt(prompt));
        }
        places
    }

    /// A read-only store records nothing. That is not a failure.
    fn record_use(&self, name: &str, file: &std::path::Path) {
        if let Err(error) = self.access.mark_used(name, file) {
            tracing::debug!(%error, "the use of a credential was not recorded");
        }
    }

    fn missing(&self, side: &Side) -> Failure {
        let schema = side.schema();
        let own = schema.secret_keys().next().unwrap_or("credential");
        let own = format!("{}_{}", self.prefix, own.to_ascii_uppercase());
        let variable = schema.credential_variable.as_ref().unwrap_or(&own);
        let message = format!(
            "there is no credential for `{}`: {variable} is not set",
            side.name()
        );
        let error = Error::new(ErrorKind::Auth, message);
        Failure::from(error).with_advice(&schema.credential_help)
    }
}

/// Whether the connector cannot do without a secret.
fn requires_secret(side: &Side) -> bool {
    let required = side.schema().json_schema["required"].as_array();
    let is_required = |key: &str| required.is_some_and(|keys| keys.iter().any(|one| one == key));
    side.schema().secret_keys().any(is_required)
}

/// An error of the store. Its text says what to do.
pub fn store_error(error: impl Into<credential_store::Error>) -> Error {
    let error = error.into();
    let kind = match error.fault() {
        Fault::Input => ErrorKind::Config,
        Fault::Access => ErrorKind::Auth,
        Fault::Storage => ErrorKind::Io,
    };
    Error::new(kind, error.to_string()).with_source(error)
}

//! What every command works with.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connector_core::{Credential, Error, ErrorKind, Result, Setup};
use credential_store::Host;
use host_kit::HostSettings;
use secrecy::SecretString;
use serde::Serialize;
use sync_runner::Progress;

use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::observing;
use crate::profile::Profile;
use crate::settings::{SettingsResolver, Side, explain};
use crate::terminal::{self, Terminal};

/// Where environment variables come from.
pub(crate) type Variables = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// What every command works with.
pub(crate) struct Context {
    pub(crate) profile: Profile,
    pub(crate) terminal: Arc<Terminal>,
    pub(crate) host: Arc<dyn Host>,
    /// When the command began: relative dates are relative to it.
    pub(crate) now: DateTime<Utc>,
}

/// The environment of this process, and the person at its terminal.
struct User {
    variables: Variables,
    terminal: Arc<Terminal>,
}

impl Context {
    pub(crate) fn new(profile: Profile, terminal: Terminal, variables: Variables) -> Self {
        let terminal = Arc::new(terminal);
        let host = User {
            variables,
            terminal: Arc::clone(&terminal),
        };
        Self {
            profile,
            terminal,
            host: Arc::new(host),
            now: std::time::SystemTime::now().into(),
        }
    }

    pub(crate) fn resolver(&self) -> SettingsResolver {
        let registry = self.profile.registry.clone();
        let host = Arc::clone(&self.host);
        SettingsResolver::new(registry, self.profile.prefix(), host, self.now).with_defaults(
            self.profile.default_source(),
            self.profile.default_destination(),
        )
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let folder = self.profile.data_folder();
        let folder = folder.map(|folder| folder.join("credentials"));
        let host = Arc::clone(&self.host);
        Credentials::new(&self.profile.name, &self.profile.prefix(), folder, host)
            .with_prompt(self.terminal.has_user())
    }

    /// The credential that a side needs.
    pub(crate) fn credential(&self, side: &Side) -> Result<Option<Credential>, Failure> {
        if side.exposes_secret() {
            self.terminal.warn(
                "the configuration file holds a secret, and other users of this machine may read \
                 it: run `chmod 600` on it, or store the secret with `credential add`",
            );
        }
        self.credentials().resolve(side)
    }

    /// The setup for a side, after its settings were checked.
    pub(crate) fn setup(
        &self,
        side: &Side,
        credential: Option<Credential>,
        progress: &Arc<Progress>,
    ) -> Result<(HostSettings, Setup), Failure> {
        let checked = side.setup(credential).and_then(|(host, setup)| {
            let setup = setup.with_observer(observing::logged(progress));
            let setup = setup
                .with_dry_run(host.dry_run)
                .with_data_folder(self.profile.data_folder());
            side.validate(&setup)?;
            Ok((host, setup))
        });
        checked.map_err(|error| self.explain(error, &[side]))
    }

    /// An error in terms of what the user set, with what to do about it.
    pub(crate) fn explain(&self, error: Error, sides: &[&Side]) -> Failure {
        let prefixes = &self.profile.secret_prefixes;
        let explained = sides
            .iter()
            .fold(error, |error, side| explain(error, side, prefixes));
        if explained.kind() != ErrorKind::Auth {
            return explained.into();
        }
        let mut helps = sides.iter().map(|side| &side.schema().credential_help);
        let help = helps.find(|help| !help.is_empty());
        Failure::from(explained).with_advice(help.cloned().unwrap_or_default())
    }

    /// Runs work that changes nothing and can be dropped at any time; `None` if it was dropped.
    pub(crate) async fn watch_question<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
        progress: &Progress,
    ) -> Result<Option<T>> {
        terminal::watch_question(work, progress, &self.terminal).await
    }

    /// Prints `report`, as JSON if the user asked for that.
    pub(crate) fn answer<T: fmt::Display + Serialize>(
        &self,
        report: &T,
        as_json: bool,
    ) -> Result<(), Failure> {
        if !as_json {
            self.terminal.answer(report)?;
            return Ok(());
        }
        let json = serde_json::to_string_pretty(report).map_err(|error| {
            let message = "the report has no JSON form";
            Error::new(ErrorKind::Internal, message).with_source(error)
        })?;
        self.terminal.answer(json)?;
        Ok(())
    }
}

impl Host for User {
    fn variable(&self, name: &str) -> Option<OsString> {
        (self.variables)(name)
    }

    fn ask(&self, prompt: &str) -> io::Result<Option<SecretString>> {
        self.terminal.ask(prompt)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("User")
    }
}

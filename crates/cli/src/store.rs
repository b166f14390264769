//! The credential store of this user: the names that this program uses for it.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use connector_core::{Credential, Error, ErrorKind, Result};
use credential_store::{
    CredentialInfo, CredentialSource, Fault, Host, KeyChoice, Reference, Store, StoreAccess,
    StoreNames,
};
use directories::ProjectDirs;
use secrecy::SecretString;

use crate::args::KeepKeyIn;
use crate::prompt;

const NAMES: StoreNames = StoreNames {
    folder_variable: "BUILDKITE_CONNECTOR_STORE",
    passphrase_variable: "BUILDKITE_CONNECTOR_PASSPHRASE",
    identity_variable: "BUILDKITE_CONNECTOR_IDENTITY",
    keyring_service: "connector-credential-store",
};

/// The environment of this process, and whoever sits at its terminal.
#[derive(Debug)]
struct Terminal;

impl Host for Terminal {
    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn ask(&self, question: &str) -> io::Result<Option<SecretString>> {
        prompt::ask_at_terminal(question)
    }
}

fn access() -> StoreAccess {
    let dirs = ProjectDirs::from("", "", "buildkite-connector");
    let folder = dirs.map(|dirs| dirs.data_dir().join("credentials"));
    StoreAccess::new(NAMES, folder, Arc::new(Terminal))
}

/// The stored credential with this name, for a connector.
///
/// # Errors
/// [`ErrorKind::Auth`] if there is none with this name, or the store cannot be opened;
/// [`ErrorKind::Config`] if it is for another connector.
pub(crate) fn credential(name: &str, connector: &str) -> Result<Credential> {
    access().credential(name, connector).map_err(explain)
}

/// The credential in the first of these places that has one.
///
/// # Errors
/// [`ErrorKind::Auth`] if a place has something unusable.
pub(crate) fn resolve(sources: &[CredentialSource], connector: &str) -> Result<Option<Credential>> {
    access().resolve(sources, connector).map_err(explain)
}

/// Records that a configuration file uses a credential. A store that is read-only records
/// nothing, which is no reason to fail.
pub(crate) fn mark_used(name: &str, file: &Path) {
    if let Err(error) = access().mark_used(name, file) {
        tracing::debug!(%error, "the use of a credential was not recorded");
    }
}

/// The configuration files that name a credential, with those that can no longer be read.
pub(crate) fn files_that_name(credential: &CredentialInfo) -> Vec<String> {
    let describe = |reference: Reference| {
        let path = reference.path.display().to_string();
        if reference.is_certain {
            return path;
        }
        format!("{path} (which cannot be read)")
    };
    let references = credential_store::references(credential);
    references.into_iter().map(describe).collect()
}

/// Opens the store.
///
/// # Errors
/// [`ErrorKind::Auth`] if there is none, or what opens it is missing or wrong.
pub(crate) fn open() -> Result<Store> {
    access().open().map_err(explain)
}

/// Creates the store; `None` if there already is one.
///
/// # Errors
/// [`ErrorKind::Auth`] if what shall open it is missing; [`ErrorKind::Io`] if it cannot be
/// created.
pub(crate) fn create(keep: KeepKeyIn) -> Result<Option<Store>> {
    let choice = match keep {
        KeepKeyIn::Automatic => KeyChoice::Automatic,
        KeepKeyIn::Keyring => KeyChoice::Keyring,
        KeepKeyIn::File => KeyChoice::File,
        KeepKeyIn::Passphrase => KeyChoice::Passphrase,
        KeepKeyIn::Identity => KeyChoice::Identity,
    };
    access().create(choice).map_err(explain)
}

/// The store's own words say what to do.
pub(crate) fn explain(error: impl Into<credential_store::Error>) -> Error {
    let error = error.into();
    let kind = match error.fault() {
        Fault::Input => ErrorKind::Config,
        Fault::Access => ErrorKind::Auth,
        Fault::Storage => ErrorKind::Io,
    };
    Error::new(kind, error.to_string()).with_source(error)
}

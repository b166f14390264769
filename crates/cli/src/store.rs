//! The credential store of this user: where it is, and what opens it.

use std::path::{Path, PathBuf};

use connector_core::{Credential, Error, ErrorKind, Result};
use credential_store::{
    Error as StoreError, KeySource, Location, NewKey, Secret, Store, SystemKeyring, Unlock,
};
use directories::ProjectDirs;
use secrecy::{ExposeSecret, SecretString};

use crate::args::KeepKeyIn;
use crate::{output, token};

const FOLDER: &str = "BUILDKITE_CONNECTOR_STORE";
const PASSPHRASE: &str = "BUILDKITE_CONNECTOR_PASSPHRASE";
const IDENTITY: &str = "BUILDKITE_CONNECTOR_IDENTITY";

/// The API key of a credential, for a connector.
///
/// # Errors
/// [`ErrorKind::Auth`] if there is none of this name, or the store cannot be opened;
/// [`ErrorKind::Config`] if it is for another connector.
pub(crate) fn credential(name: &str, connector: &str) -> Result<Credential> {
    let store = open()?;
    let found = store.get(name).map_err(explain)?;
    if found.connector.as_str() != connector {
        let message = format!(
            "the credential is for the connector `{}`, not for `{connector}`",
            found.connector
        );
        return Err(Error::new(ErrorKind::Config, message).with_context("credential", found.name));
    }
    match store.open_secret(name).map_err(explain)? {
        Secret::ApiKey { key } => Ok(Credential::ApiKey(key)),
        Secret::PrivateKey { issuer, pem } => Ok(Credential::PrivateKey {
            issuer: issuer.to_string(),
            pem,
        }),
        _ => Err(Error::new(
            ErrorKind::Config,
            "the credential is of a kind that this program does not know",
        )),
    }
}

/// Notes that a configuration file names a credential. A store that can only be read takes no
/// notes, which is no reason to fail.
pub(crate) fn note_use(name: &str, file: &Path) {
    let noted = open().and_then(|store| {
        let by = file.display().to_string();
        store.mark_used(name, &by).map_err(explain)
    });
    if let Err(error) = noted {
        tracing::debug!(%error, "the use of a credential was not noted");
    }
}

/// The configuration files that name a credential, as far as they are known and still do.
pub(crate) fn users(credential: &credential_store::Credential) -> Vec<&str> {
    let named = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (key.trim() == "credential" && value == credential.name.as_str()).then_some(())
    };
    let still = |file: &&str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.lines().any(|line| named(line).is_some())
    };
    let known = credential.used_by.iter().map(String::as_str);
    known.filter(still).collect()
}

/// Opens the store.
///
/// # Errors
/// [`ErrorKind::Auth`] if there is none, or what opens it is missing or wrong.
pub(crate) fn open() -> Result<Store> {
    let location = location()?;
    let unlock = match location.key_source().map_err(explain)? {
        Some(KeySource::Passphrase) => Unlock::Passphrase(passphrase()?),
        Some(KeySource::Identity) => Unlock::Identity(identity()?),
        _ => Unlock::Kept,
    };
    location.open(unlock).map_err(explain)
}

/// Opens the store, or makes it and says what opens it.
///
/// # Errors
/// As [`open`], and [`ErrorKind::Io`] if it cannot be made.
pub(crate) fn open_or_create(keep: KeepKeyIn) -> Result<Store> {
    let location = location()?;
    if location.key_source().map_err(explain)?.is_some() {
        return open();
    }
    let key = match keep {
        KeepKeyIn::Automatic => NewKey::Automatic,
        KeepKeyIn::Keyring => NewKey::Keyring,
        KeepKeyIn::File => NewKey::File,
        KeepKeyIn::Passphrase => NewKey::Passphrase(passphrase()?),
        KeepKeyIn::Identity => NewKey::Identity(identity()?),
    };
    let store = location.create(key).map_err(explain)?;
    output::say(format_args!(
        "Made a credential store in {}; what opens it is {}.",
        store.folder().display(),
        store.key_source()
    ));
    Ok(store)
}

fn location() -> Result<Location> {
    let folder = match token::variable(FOLDER)? {
        Some(folder) => PathBuf::from(folder.expose_secret()),
        None => default_folder()?,
    };
    Ok(Location::new(folder).with_keyring(std::sync::Arc::new(SystemKeyring::default())))
}

fn default_folder() -> Result<PathBuf> {
    let dirs = ProjectDirs::from("", "", "buildkite-connector").ok_or_else(|| {
        let message = format!("this user has no home folder: set {FOLDER} to a folder");
        Error::new(ErrorKind::Config, message)
    })?;
    Ok(dirs.data_dir().join("credentials"))
}

fn passphrase() -> Result<SecretString> {
    if let Some(passphrase) = token::variable(PASSPHRASE)? {
        return Ok(passphrase);
    }
    token::ask_at_terminal(
        "Passphrase of the credential store (not shown): ",
        PASSPHRASE,
    )
}

fn identity() -> Result<SecretString> {
    token::variable(IDENTITY)?.ok_or_else(|| {
        let message = format!("the credential store needs an age identity: set {IDENTITY}");
        Error::new(ErrorKind::Auth, message)
    })
}

/// The store's own words say what to do.
pub(crate) fn explain(error: StoreError) -> Error {
    let kind = match &error {
        StoreError::Name(_)
        | StoreError::Description(_)
        | StoreError::Secret(_)
        | StoreError::Duplicate { .. }
        | StoreError::SameSecret { .. } => ErrorKind::Config,
        StoreError::Unknown { .. } | StoreError::NoStore { .. } => ErrorKind::Auth,
        StoreError::Io { .. } | StoreError::Damaged { .. } | StoreError::Missing { .. } => {
            ErrorKind::Io
        }
        _ => ErrorKind::Auth,
    };
    Error::new(kind, error.to_string()).with_source(error)
}

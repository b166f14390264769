//! A store in a folder that is removed at the end, and keyrings that do as they are told.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use credential_store::{
    Keyring, KeyringError, Location, NewCredential, NewKey, Secret, Store, Unlock,
};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

/// An identity that is nobody's.
pub(crate) const IDENTITY: &str =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

/// A folder for one store.
pub(crate) struct Bench {
    // Removed with the bench.
    parent: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            parent: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder of the store. It is not there until the store is made.
    pub(crate) fn folder(&self) -> PathBuf {
        self.parent.path().join("store")
    }

    /// Without a keyring, and with passphrases that are quick to try.
    pub(crate) fn location(&self) -> Location {
        location(self.folder())
    }

    /// A new store with its key in a file.
    pub(crate) fn store(&self) -> Store {
        self.location().create(NewKey::File).unwrap()
    }

    /// The same store, opened once more.
    pub(crate) fn reopened(&self) -> Store {
        self.location().open(Unlock::Kept).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Every file of the folder with its bytes, but for the lock, by name.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.folder())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
            .filter(|(name, _)| name != "lock")
            .map(|(name, path)| (name, fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

pub(crate) fn location(folder: PathBuf) -> Location {
    Location::new(folder)
        .with_keyring(Arc::new(Shelf::broken()))
        .with_work_factor(1)
}

/// A key for the API that is sent as it is.
pub(crate) fn api_key(key: &str) -> Secret {
    Secret::ApiKey { key: key.into() }
}

/// A credential for Buildkite with this key.
pub(crate) fn new(name: &str, key: &str) -> NewCredential {
    NewCredential {
        name: name.parse().unwrap(),
        connector: "buildkite".parse().unwrap(),
        description: format!("what {name} is for"),
        secret: api_key(key),
    }
}

/// Minutes after 1970 began.
pub(crate) fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

/// The API key of a credential.
pub(crate) fn key_of(store: &Store, name: &str) -> String {
    match store.open_secret(name).unwrap() {
        Secret::ApiKey { key } => key.expose_secret().to_owned(),
        other => panic!("an API key was kept, not {other:?}"),
    }
}

pub(crate) fn names(store: &Store) -> Vec<String> {
    let credentials = store.list().unwrap();
    credentials.into_iter().map(|c| c.name.into()).collect()
}

/// A keyring in memory.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    secrets: Mutex<HashMap<String, SecretString>>,
    is_broken: bool,
    is_forgetful: bool,
}

impl Shelf {
    /// One that refuses every call, as where no service runs.
    pub(crate) fn broken() -> Self {
        Self {
            is_broken: true,
            ..Self::default()
        }
    }

    /// One that takes everything and keeps nothing.
    pub(crate) fn forgetful() -> Self {
        Self {
            is_forgetful: true,
            ..Self::default()
        }
    }

    /// How many secrets are in it.
    pub(crate) fn count(&self) -> usize {
        self.secrets.lock().unwrap().len()
    }

    /// Takes every secret away, as another user's login does.
    pub(crate) fn clear(&self) {
        self.secrets.lock().unwrap().clear();
    }

    fn works(&self) -> Result<(), KeyringError> {
        match self.is_broken {
            true => Err(KeyringError("no service answers".to_owned())),
            false => Ok(()),
        }
    }
}

impl Keyring for Shelf {
    fn read(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        self.works()?;
        Ok(self.secrets.lock().unwrap().get(account).cloned())
    }

    fn write(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
        self.works()?;
        if !self.is_forgetful {
            let mut secrets = self.secrets.lock().unwrap();
            secrets.insert(account.to_owned(), secret.clone());
        }
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        self.works()?;
        self.secrets.lock().unwrap().remove(account);
        Ok(())
    }
}

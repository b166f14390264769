//! A store in a temporary folder, and keyrings that work, fail or forget.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use credential_store::{
    Credential, Keyring, KeyringError, Location, NewCredential, NewKey, Store, Unlock,
};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

/// An identity made up for these tests.
pub(crate) const IDENTITY: &str =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

/// A folder for one store.
pub(crate) struct Fixture {
    // Removed when the fixture is dropped.
    parent: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self {
            parent: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder of the store. It does not exist until the store is created.
    pub(crate) fn folder(&self) -> PathBuf {
        self.parent.path().join("store")
    }

    /// A location without a keyring, where a guess at a passphrase costs next to nothing.
    pub(crate) fn location(&self) -> Location {
        location(self.folder())
    }

    /// A new store with its key in a file.
    pub(crate) fn store(&self) -> Store {
        self.location().create(NewKey::File).unwrap()
    }

    /// The same store, opened again.
    pub(crate) fn reopened(&self) -> Store {
        self.location().open(Unlock::StoredKey).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Every file in the folder except the lock, sorted by name.
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
    location_with(folder, Arc::new(FakeKeyring::broken()))
}

pub(crate) fn location_with(folder: PathBuf, keyring: Arc<FakeKeyring>) -> Location {
    Location::new(folder, keyring).with_work_factor(1)
}

pub(crate) fn api_key(key: &str) -> Credential {
    Credential::ApiKey(key.into())
}

/// A new credential with this key.
pub(crate) fn new(name: &str, key: &str) -> NewCredential {
    NewCredential {
        name: name.parse().unwrap(),
        connector: "example".parse().unwrap(),
        description: format!("what {name} is for"),
        credential: api_key(key),
    }
}

/// Minutes after 1970 began.
pub(crate) fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

/// The API key of a credential.
pub(crate) fn key_of(store: &Store, name: &str) -> String {
    match store.credential(name).unwrap() {
        Credential::ApiKey(key) => key.expose_secret().to_owned(),
        other => panic!("expected an API key, got {other:?}"),
    }
}

pub(crate) fn names(store: &Store) -> Vec<String> {
    let credentials = store.list().unwrap();
    credentials.into_iter().map(|c| c.name.into()).collect()
}

/// A keyring in memory.
#[derive(Debug, Default)]
pub(crate) struct FakeKeyring {
    secrets: Mutex<HashMap<String, SecretString>>,
    is_broken: bool,
    is_forgetful: bool,
}

impl FakeKeyring {
    /// A keyring that refuses every call, as where no service runs.
    pub(crate) fn broken() -> Self {
        Self {
            is_broken: true,
            ..Self::default()
        }
    }

    /// A keyring that accepts everything and keeps nothing.
    pub(crate) fn forgetful() -> Self {
        Self {
            is_forgetful: true,
            ..Self::default()
        }
    }

    /// A keyring that holds one secret.
    pub(crate) fn with(account: &str, secret: &str) -> Self {
        let keyring = Self::default();
        keyring.write(account, &secret.into()).unwrap();
        keyring
    }

    /// How many secrets it holds.
    pub(crate) fn count(&self) -> usize {
        self.secrets.lock().unwrap().len()
    }

    /// Removes every secret, as for another user who logs in.
    pub(crate) fn clear(&self) {
        self.secrets.lock().unwrap().clear();
    }

    fn works(&self) -> Result<(), KeyringError> {
        if self.is_broken {
            return Err(KeyringError::Failed("no service answers".to_owned()));
        }
        Ok(())
    }
}

impl Keyring for FakeKeyring {
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

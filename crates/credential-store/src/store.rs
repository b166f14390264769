//! An open store.

use std::fmt;
use std::path::Path;

use age::x25519;
use chrono::{DateTime, Utc};

use crate::content::{self, Content};
use crate::files::Folder;
use crate::{Credential, Error, KeySource, NewCredential, Result, Secret};

/// A store and its key. `Debug` prints the folder and where the key is kept.
///
/// Every call reads the file anew, so it sees what other processes wrote; one that changes
/// something holds a lock from reading to writing, so nothing another process wrote is lost. It
/// may be shared between threads. Besides what its own docs say, each call fails with
/// [`Error::Damaged`], [`Error::Missing`], [`Error::Newer`], [`Error::Exposed`] or [`Error::Io`]
/// for the state of the files; what is there is then left as it is.
pub struct Store {
    folder: Folder,
    key: x25519::Identity,
    key_source: KeySource,
}

impl Store {
    pub(crate) fn new(folder: Folder, key: x25519::Identity, key_source: KeySource) -> Self {
        Self {
            folder,
            key,
            key_source,
        }
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What opens it.
    pub fn key_source(&self) -> KeySource {
        self.key_source
    }

    /// All credentials, by name, without their secrets.
    ///
    /// # Errors
    /// Those of every call.
    pub fn list(&self) -> Result<Vec<Credential>> {
        Ok(self.read()?.list())
    }

    /// One credential, without its secret.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn get(&self, name: &str) -> Result<Credential> {
        self.read()?.get(name)
    }

    /// The secret of one credential, for the one place that sends it or signs with it.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn open_secret(&self, name: &str) -> Result<Secret> {
        self.read()?.secret(name)
    }

    /// Keeps a new credential, created at `now`.
    ///
    /// # Errors
    /// [`Error::Duplicate`]; [`Error::Secret`] for a secret that cannot be one;
    /// [`Error::Description`] if it is not one short line.
    pub fn create(&self, new: NewCredential, now: DateTime<Utc>) -> Result<Credential> {
        self.change(|content| content.create(new, now))
    }

    /// Changes the description.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Description`] if it is not one short line.
    pub fn describe(&self, name: &str, description: &str) -> Result<Credential> {
        self.change(|content| content.describe(name, description))
    }

    /// Replaces the secret, which may be of another kind. Name, connector, description and time
    /// of creation stay; `last_checked_at` is forgotten, as it was about the old secret.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Secret`] for a secret that cannot be one;
    /// [`Error::SameSecret`] if it is the one that is there.
    pub fn rotate(&self, name: &str, secret: Secret, now: DateTime<Utc>) -> Result<Credential> {
        self.change(|content| content.rotate(name, secret, now))
    }

    /// Notes that the remote took the secret at `now`.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn mark_checked(&self, name: &str, now: DateTime<Utc>) -> Result<Credential> {
        self.change(|content| content.mark_checked(name, now))
    }

    /// Notes who names the credential, so that it can be told before it is removed. Nothing is
    /// written if that is known.
    ///
    /// # Errors
    /// [`Error::Unknown`], and those of writing.
    pub fn mark_used(&self, name: &str, by: &str) -> Result<()> {
        match self.get(name)?.used_by.iter().any(|known| known == by) {
            true => Ok(()),
            false => self.change(|content| content.mark_used(name, by)),
        }
    }

    /// Forgets the credential. The remote still takes its secret until it is revoked there.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn remove(&self, name: &str) -> Result<()> {
        self.change(|content| content.remove(name))
    }

    fn read(&self) -> Result<Content> {
        Content::read(&self.folder, &self.key)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Content) -> Result<T>) -> Result<T> {
        let locked = self.folder.lock()?;
        let mut content = self.read()?;
        let answer = change(&mut content)?;
        let sealed = content.sealed(&self.key).map_err(|source| Error::Io {
            what: "encrypted",
            path: self.folder.file(content::FILE),
            source,
        })?;
        locked.replace(content::FILE, &sealed)?;
        Ok(answer)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.folder.path())
            .field("key_source", &self.key_source)
            .finish_non_exhaustive()
    }
}

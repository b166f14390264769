//! An open store.

use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};
use credential::Credential;

use crate::age::Identity;
use crate::content::{self, Content};
use crate::files::Folder;
use crate::{CredentialInfo, KeySource, NewCredential, Result};

/// A store and its key. `Debug` prints the folder and where the key is kept.
///
/// Every call reads the file again, so it sees what other processes wrote. A call that changes
/// something holds a lock from reading to writing, so nothing that another process wrote is lost.
/// Threads may share a store.
///
/// Besides the errors in its own docs, each call fails with
/// [`Error::Damaged`](crate::Error::Damaged), [`Error::Missing`](crate::Error::Missing), [`Error::Newer`](crate::Error::Newer), [`Error::Exposed`](crate::Error::Exposed) or [`Error::Io`](crate::Error::Io)
/// if a file is not usable; the files are then left as they are.
pub struct Store {
    folder: Folder,
    key: Identity,
    key_source: KeySource,
}

impl Store {
    pub(crate) fn new(folder: Folder, key: Identity, key_source: KeySource) -> Self {
        Self {
            folder,
            key,
            key_source,
        }
    }

    /// The folder that holds it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What opens it.
    pub fn key_source(&self) -> KeySource {
        self.key_source
    }

    /// All credentials without their secrets, sorted by name.
    ///
    /// # Errors
    /// Those of every call.
    pub fn list(&self) -> Result<Vec<CredentialInfo>> {
        Ok(self.read()?.list())
    }

    /// One credential without its secret.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown).
    pub fn info(&self, name: &str) -> Result<CredentialInfo> {
        self.read()?.info(name)
    }

    /// One credential with its secret, for the one place that sends it or signs with it.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown).
    pub fn credential(&self, name: &str) -> Result<Credential> {
        self.read()?.credential(name)
    }

    /// Stores a new credential, created at `now`.
    ///
    /// # Errors
    /// [`Error::Duplicate`](crate::Error::Duplicate); [`Error::Secret`](crate::Error::Secret) or [`Error::Issuer`](crate::Error::Issuer) if it is not valid;
    /// [`Error::Description`](crate::Error::Description) if the description is not one short line.
    pub fn create(&self, new: NewCredential, now: DateTime<Utc>) -> Result<CredentialInfo> {
        self.change(|content| content.create(new, now))
    }

    /// Changes the description.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown); [`Error::Description`](crate::Error::Description) if it is not one short line.
    pub fn describe(&self, name: &str, description: &str) -> Result<CredentialInfo> {
        self.change(|content| content.describe(name, description))
    }

    /// Replaces the secret. The new one may be of another kind. Name, connector, description and
    /// time of creation stay; `last_checked_at` is cleared, as it was about the old secret.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown); [`Error::Secret`](crate::Error::Secret) or [`Error::Issuer`](crate::Error::Issuer) if the new one is not valid;
    /// [`Error::SameSecret`](crate::Error::SameSecret) if it is the stored one.
    pub fn rotate(
        &self,
        name: &str,
        credential: &Credential,
        now: DateTime<Utc>,
    ) -> Result<CredentialInfo> {
        self.change(|content| content.rotate(name, credential, now))
    }

    /// Records that the remote system accepted the secret at `now`.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown).
    pub fn mark_checked(&self, name: &str, now: DateTime<Utc>) -> Result<CredentialInfo> {
        self.change(|content| content.mark_checked(name, now))
    }

    /// Records that a configuration file uses the credential, so that its user can be warned
    /// before it is removed. Writes nothing if that is already recorded.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown), and those of writing.
    pub fn mark_used(&self, name: &str, file: &Path) -> Result<()> {
        let by = file.display().to_string();
        if self.info(name)?.used_by.contains(&by) {
            return Ok(());
        }
        self.change(|content| content.mark_used(name, &by))
    }

    /// Removes the credential. The remote system accepts its secret until it is revoked there.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown).
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
        locked.replace(content::FILE, &content.encrypted(&self.key))?;
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

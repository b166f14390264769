//! `credentials.age`: the credentials with their secrets, as JSON, encrypted.

use std::collections::{BTreeMap, BTreeSet};

use age::x25519;
use chrono::{DateTime, SubsecRound, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::credential::checked_description;
use crate::files::Folder;
use crate::secret::Stored;
use crate::{Credential, Error, Name, NewCredential, Result, Secret, header, seal};

/// The name of the file.
pub(crate) const FILE: &str = "credentials.age";
const VERSION: u64 = 1;

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    version: u64,
    /// Makes fingerprints say nothing to those who cannot read it.
    salt: Uuid,
    credentials: BTreeMap<Name, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    connector: Name,
    description: String,
    #[serde(with = "Stored")]
    secret: Secret,
    created_at: DateTime<Utc>,
    rotated_at: Option<DateTime<Utc>>,
    last_checked_at: Option<DateTime<Utc>>,
    /// Absent in files of before.
    #[serde(default)]
    used_by: BTreeSet<String>,
}

impl Content {
    /// No credentials.
    pub(crate) fn new() -> Self {
        Self {
            version: VERSION,
            salt: Uuid::new_v4(),
            credentials: BTreeMap::new(),
        }
    }

    /// Reads the file of `folder`.
    pub(crate) fn read(folder: &Folder, key: &x25519::Identity) -> Result<Self> {
        let sealed = folder.read_present(FILE)?;
        let plain = seal::open(key, &sealed).map_err(|_| Error::Damaged {
            path: folder.file(FILE),
        })?;
        header::parse(&plain, VERSION, folder, FILE)
    }

    /// The bytes of the file.
    pub(crate) fn sealed(&self, key: &x25519::Identity) -> std::io::Result<Vec<u8>> {
        // Straight into the encryption: there is no buffer with all secrets to wipe.
        seal::seal(&key.to_public(), |file| {
            serde_json::to_writer(file, self).map_err(Into::into)
        })
    }

    /// All credentials, by name.
    pub(crate) fn list(&self) -> Vec<Credential> {
        let shown = |(name, entry): (&Name, &Entry)| self.shown(name, entry);
        self.credentials.iter().map(shown).collect()
    }

    /// One credential.
    pub(crate) fn get(&self, name: &str) -> Result<Credential> {
        let (name, entry) = self
            .credentials
            .get_key_value(name)
            .ok_or_else(|| self.unknown())?;
        Ok(self.shown(name, entry))
    }

    /// The secret of one credential.
    pub(crate) fn secret(&self, name: &str) -> Result<Secret> {
        let entry = self.credentials.get(name).ok_or_else(|| self.unknown())?;
        Ok(entry.secret.clone())
    }

    /// Adds a credential.
    pub(crate) fn create(&mut self, new: NewCredential, now: DateTime<Utc>) -> Result<Credential> {
        if self.credentials.contains_key(&new.name) {
            return Err(Error::Duplicate { name: new.name });
        }
        let entry = Entry {
            connector: new.connector,
            description: checked_description(&new.description)?,
            secret: new.secret.checked()?,
            created_at: now.trunc_subsecs(3),
            rotated_at: None,
            last_checked_at: None,
            used_by: BTreeSet::new(),
        };
        let shown = self.shown(&new.name, &entry);
        self.credentials.insert(new.name, entry);
        Ok(shown)
    }

    /// Changes a description.
    pub(crate) fn describe(&mut self, name: &str, description: &str) -> Result<Credential> {
        self.entry(name)?.description = checked_description(description)?;
        self.get(name)
    }

    /// Replaces a secret. That the old one was taken says nothing of the new one.
    pub(crate) fn rotate(
        &mut self,
        name: &str,
        secret: Secret,
        now: DateTime<Utc>,
    ) -> Result<Credential> {
        let secret = secret.checked()?;
        let before = self.get(name)?;
        if before.fingerprint == self.fingerprint(&secret) && before.kind == secret.kind() {
            return Err(Error::SameSecret { name: before.name });
        }
        let entry = self.entry(name)?;
        entry.secret = secret;
        entry.rotated_at = Some(now.trunc_subsecs(3));
        entry.last_checked_at = None;
        self.get(name)
    }

    /// Notes that the remote took the secret.
    pub(crate) fn mark_checked(&mut self, name: &str, now: DateTime<Utc>) -> Result<Credential> {
        self.entry(name)?.last_checked_at = Some(now.trunc_subsecs(3));
        self.get(name)
    }

    /// Notes who names a credential.
    pub(crate) fn mark_used(&mut self, name: &str, by: &str) -> Result<()> {
        self.entry(name)?.used_by.insert(by.to_owned());
        Ok(())
    }

    /// Forgets a credential.
    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        match self.credentials.remove(name) {
            Some(_) => Ok(()),
            None => Err(self.unknown()),
        }
    }

    fn entry(&mut self, name: &str) -> Result<&mut Entry> {
        let unknown = self.unknown();
        self.credentials.get_mut(name).ok_or(unknown)
    }

    fn unknown(&self) -> Error {
        Error::Unknown {
            names: self.credentials.keys().cloned().collect(),
        }
    }

    fn shown(&self, name: &Name, entry: &Entry) -> Credential {
        Credential {
            name: name.clone(),
            description: entry.description.clone(),
            connector: entry.connector.clone(),
            kind: entry.secret.kind(),
            created_at: entry.created_at,
            rotated_at: entry.rotated_at,
            last_checked_at: entry.last_checked_at,
            used_by: entry.used_by.iter().cloned().collect(),
            fingerprint: self.fingerprint(&entry.secret),
        }
    }

    fn fingerprint(&self, secret: &Secret) -> String {
        header::short_hash(self.salt, secret.text().expose_secret().as_bytes())
    }
}

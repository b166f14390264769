//! `credentials.age`: the credentials with their secrets, as encrypted JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use chrono::{DateTime, SubsecRound, Utc};
use credential::Credential;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::age::{self, Identity};
use crate::files::Folder;
use crate::stored::StoredCredential;
use crate::validation::valid_description;
use crate::{CredentialInfo, Error, Name, NewCredential, Result, header};

/// The name of the file.
pub(crate) const FILE: &str = "credentials.age";
const VERSION: u64 = 1;

/// The content of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    version: u64,
    /// Makes fingerprints useless to those who cannot read it.
    salt: Uuid,
    credentials: BTreeMap<Name, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    connector: Name,
    description: String,
    secret: StoredCredential,
    created_at: DateTime<Utc>,
    rotated_at: Option<DateTime<Utc>>,
    last_checked_at: Option<DateTime<Utc>>,
    /// Absent in the files of older versions.
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

    /// Reads the file in `folder`.
    pub(crate) fn read(folder: &Folder, key: &Identity) -> Result<Self> {
        let encrypted = folder.read_required(FILE)?;
        let json = age::decrypt(&encrypted, key).map_err(|_| Error::Damaged {
            path: folder.file(FILE),
        })?;
        header::parse(&json, VERSION, folder, FILE)
    }

    /// The bytes of the file.
    pub(crate) fn encrypted(&self, key: &Identity) -> Vec<u8> {
        age::encrypt(&self.json(), key)
    }

    /// The content as JSON. The buffer is wiped when it is dropped; it has its final size from
    /// the start, because growing would leave copies behind.
    fn json(&self) -> Zeroizing<Vec<u8>> {
        const WRITABLE: &str = "text, times and identifiers have a JSON form";
        let mut size = ByteCount(0);
        serde_json::to_writer(&mut size, self).expect(WRITABLE);
        let mut json = Zeroizing::new(Vec::with_capacity(size.0));
        serde_json::to_writer(&mut *json, self).expect(WRITABLE);
        json
    }

    /// All credentials, sorted by name.
    pub(crate) fn list(&self) -> Vec<CredentialInfo> {
        let info = |(name, entry): (&Name, &Entry)| self.info_of(name, entry);
        self.credentials.iter().map(info).collect()
    }

    /// One credential, without its secret.
    pub(crate) fn info(&self, name: &str) -> Result<CredentialInfo> {
        let (name, entry) = self
            .credentials
            .get_key_value(name)
            .ok_or_else(|| self.unknown())?;
        Ok(self.info_of(name, entry))
    }

    /// One credential with its secret.
    pub(crate) fn credential(&self, name: &str) -> Result<Credential> {
        let entry = self.credentials.get(name).ok_or_else(|| self.unknown())?;
        Ok(entry.secret.credential())
    }

    /// Adds a credential.
    pub(crate) fn create(
        &mut self,
        new: NewCredential,
        now: DateTime<Utc>,
    ) -> Result<CredentialInfo> {
        if self.credentials.contains_key(&new.name) {
            return Err(Error::Duplicate { name: new.name });
        }
        let entry = Entry {
            connector: new.connector,
            description: valid_description(&new.description)?,
            secret: StoredCredential::new(&new.credential)?,
            created_at: now.trunc_subsecs(3),
            rotated_at: None,
            last_checked_at: None,
            used_by: BTreeSet::new(),
        };
        let info = self.info_of(&new.name, &entry);
        self.credentials.insert(new.name, entry);
        Ok(info)
    }

    /// Changes a description.
    pub(crate) fn describe(&mut self, name: &str, description: &str) -> Result<CredentialInfo> {
        self.entry(name)?.description = valid_description(description)?;
        self.info(name)
    }

    /// Replaces a secret. Whether the old one was accepted says nothing about the new one.
    pub(crate) fn rotate(
        &mut self,
        name: &str,
        credential: &Credential,
        now: DateTime<Utc>,
    ) -> Result<CredentialInfo> {
        let secret = StoredCredential::new(credential)?;
        let current = self.info(name)?;
        if current.fingerprint == self.fingerprint(&secret) && current.kind == secret.kind() {
            return Err(Error::SameSecret { name: current.name });
        }
        let entry = self.entry(name)?;
        entry.secret = secret;
        entry.rotated_at = Some(now.trunc_subsecs(3));
        entry.last_checked_at = None;
        self.info(name)
    }

    /// Records that the remote system accepted the secret.
    pub(crate) fn mark_checked(
        &mut self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<CredentialInfo> {
        self.entry(name)?.last_checked_at = Some(now.trunc_subsecs(3));
        self.info(name)
    }

    /// Records who uses a credential.
    pub(crate) fn mark_used(&mut self, name: &str, by: &str) -> Result<()> {
        self.entry(name)?.used_by.insert(by.to_owned());
        Ok(())
    }

    /// Removes a credential.
    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        let removed = self.credentials.remove(name);
        removed.map(|_| ()).ok_or_else(|| self.unknown())
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

    fn info_of(&self, name: &Name, entry: &Entry) -> CredentialInfo {
        CredentialInfo {
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

    fn fingerprint(&self, secret: &StoredCredential) -> String {
        header::short_hash(self.salt, secret.secret().expose_secret().as_bytes())
    }
}

/// Counts the bytes that are written to it.
struct ByteCount(usize);

impl Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_an_old_store_is_written_back_unchanged() {
        let json = concat!(
            r#"{"version":1,"salt":"0190aaaa-0000-4000-8000-000000000002","credentials":{"#,
            r#""reads":{"connector":"example","description":"for the warehouse","#,
            r#""secret":{"api_key":{"key":"second-key"}},"created_at":"1970-01-01T00:01:00Z","#,
            r#""rotated_at":"1970-01-01T00:02:00.250Z","last_checked_at":null,"#,
            r#""used_by":["/etc/warehouse.toml"]},"#,
            r#""signs":{"connector":"example","description":"","secret":{"private_key":{"#,
            r#""issuer":"0190aaaa-0000-4000-8000-000000000001","pem":"-----BEGIN\n"}},"#,
            r#""created_at":"1970-01-01T00:04:00Z","rotated_at":null,"#,
            r#""last_checked_at":"1970-01-01T00:05:00Z","used_by":[]}}}"#,
        );

        let content: Content = serde_json::from_str(json).unwrap();

        assert_eq!(str::from_utf8(&content.json()).unwrap(), json);
    }
}

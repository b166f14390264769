//! `store.json`: what must be known to open the store. It is not encrypted and never changes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::age::Identity;
use crate::files::{Folder, LockedFolder};
use crate::{Error, KeySource, Result};

/// The name of the file.
pub(crate) const FILE: &str = "store.json";
const VERSION: u64 = 1;

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    version: u64,
    /// Distinguishes this store's key in the keyring from those of other stores.
    pub(crate) id: Uuid,
    /// What opens the store.
    pub(crate) key_source: KeySource,
    /// Distinguishes a wrong key from a damaged file: a short hash of the public key, salted with
    /// `id`. The public key itself stays secret, or others could write a store that opens.
    key_check: String,
}

impl Header {
    /// The header of a new store.
    pub(crate) fn new(id: Uuid, key_source: KeySource, key: &Identity) -> Self {
        Self {
            version: VERSION,
            id,
            key_source,
            key_check: key_check(id, key),
        }
    }

    /// Whether the store was created with this key.
    pub(crate) fn matches(&self, key: &Identity) -> bool {
        self.key_check == key_check(self.id, key)
    }

    /// The header of the store in `folder`, if there is a store.
    pub(crate) fn read(folder: &Folder) -> Result<Option<Self>> {
        let Some(bytes) = folder.read(FILE)? else {
            return Ok(None);
        };
        parse(&bytes, VERSION, folder, FILE).map(Some)
    }

    /// Writes the file. From then on there is a store.
    pub(crate) fn add(&self, folder: &LockedFolder<'_>) -> Result<()> {
        let mut json = serde_json::to_string(self).expect("strings and a number have a JSON form");
        json.push('\n');
        folder.add(FILE, json.as_bytes())
    }
}

fn key_check(id: Uuid, key: &Identity) -> String {
    short_hash(id, key.public_text().as_bytes())
}

/// The first 12 hexadecimal digits of the SHA-256 of `salt` and `bytes`.
pub(crate) fn short_hash(salt: Uuid, bytes: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(salt)
        .chain_update(bytes)
        .finalize();
    hex::encode(&hash[..6])
}

/// Reads JSON with a `version` that is at most `known`.
///
/// The errors of serde are dropped, because they quote values.
pub(crate) fn parse<T: DeserializeOwned>(
    json: &[u8],
    known: u64,
    folder: &Folder,
    name: &str,
) -> Result<T> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let damaged = |_| Error::Damaged {
        path: folder.file(name),
    };
    let Versioned { version } = serde_json::from_slice(json).map_err(damaged)?;
    if version > known {
        return Err(Error::Newer {
            path: folder.file(name),
            version,
            known,
        });
    }
    serde_json::from_slice(json).map_err(damaged)
}

//! `store.json`: what must be known before the store is open. In the clear, and never changed.

use age::x25519;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::files::{Folder, Locked};
use crate::{Error, KeySource, Result};

/// The name of the file.
pub(crate) const FILE: &str = "store.json";
const VERSION: u64 = 1;

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    version: u64,
    /// Tells this store's key in the keyring from those of others.
    pub(crate) id: Uuid,
    /// What opens the store.
    pub(crate) key_source: KeySource,
    /// Tells a wrong key from a damaged file: a short hash of the public half, salted with `id`.
    /// The public half itself is kept secret, or others could write a store that opens.
    key_check: String,
}

impl Header {
    /// The header of a new store.
    pub(crate) fn new(id: Uuid, key_source: KeySource, key: &x25519::Identity) -> Self {
        Self {
            version: VERSION,
            id,
            key_source,
            key_check: key_check(id, key),
        }
    }

    /// Whether the store was made with this key.
    pub(crate) fn fits(&self, key: &x25519::Identity) -> bool {
        self.key_check == key_check(self.id, key)
    }

    /// The header of the store in `folder`, if there is a store.
    pub(crate) fn read(folder: &Folder) -> Result<Option<Self>> {
        let Some(bytes) = folder.read(FILE)? else {
            return Ok(None);
        };
        parse(&bytes, VERSION, folder, FILE).map(Some)
    }

    /// Writes it. From then on there is a store.
    pub(crate) fn add(&self, folder: &Locked<'_>) -> Result<()> {
        let mut json = serde_json::to_string(self).expect("strings and a number have a JSON form");
        json.push('\n');
        folder.add(FILE, json.as_bytes())
    }
}

fn key_check(id: Uuid, key: &x25519::Identity) -> String {
    short_hash(id, key.to_public().to_string().as_bytes())
}

/// The first 12 hexadecimal digits of the SHA-256 of `salt` and `bytes`.
pub(crate) fn short_hash(salt: Uuid, bytes: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(salt)
        .chain_update(bytes)
        .finalize();
    hash[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads JSON that says its `version`, if that is no newer than `known`.
///
/// What serde finds wrong is not passed on: it quotes values.
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

//! Keeps named credentials, encrypted, in a folder.
//!
//! | file | what it holds | who can read it |
//! |---|---|---|
//! | `credentials.age` | everything: names, descriptions, secrets | who has the key |
//! | `store.json` | version, where the key is kept, an id; nothing of a credential | the user |
//! | `key`, `key.age` | the key, if it is kept in a file; if a passphrase protects it | the user |
//! | `lock` | nothing; one writer at a time holds it | the user |
//!
//! The encryption is [age](https://age-encryption.org/v1): with the key in a file,
//! `age -d -i key credentials.age` opens a store without this crate.
//!
//! A [`Location`] is where a store is or will be; it makes or opens a [`Store`], which lists
//! [`Credential`]s, changes them, and gives a [`Secret`] to those who ask for it by name. Every
//! call blocks, for milliseconds; creating and opening may wait for the operating system's
//! keyring or stretch a passphrase, which takes seconds. Clock and environment are the caller's.
//!
//! What it does not protect from: a program that runs as the same user can do what the user can,
//! and who can write to the folder can put an older `credentials.age` back.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("store");
//! use chrono::DateTime;
//! use credential_store::{Location, NewCredential, NewKey, Secret};
//!
//! let now = DateTime::UNIX_EPOCH;
//! let store = Location::new(folder).create(NewKey::File)?;
//! store.create(
//!     NewCredential {
//!         name: "acme-read".parse()?,
//!         connector: "buildkite".parse()?,
//!         description: "reads builds, for the warehouse".to_owned(),
//!         secret: Secret::ApiKey { key: "bkua_0123".into() },
//!     },
//!     now,
//! )?;
//!
//! for credential in store.list()? {
//!     assert_eq!(credential.name.as_str(), "acme-read");
//! }
//! let secret = store.open_secret("acme-read")?;
//! # assert!(matches!(secret, Secret::ApiKey { .. }));
//! # Ok(())
//! # }
//! ```

mod content;
mod credential;
mod error;
mod files;
mod guard;
mod header;
mod key;
mod keyring;
mod location;
mod name;
mod seal;
mod secret;
mod store;

pub use credential::{Credential, NewCredential};
pub use error::{Error, Result};
pub use key::{KeySource, NewKey, Unlock};
pub use keyring::{Keyring, KeyringError, SystemKeyring};
pub use location::Location;
pub use name::Name;
pub use secret::{Kind, Secret};
pub use store::Store;
pub use uuid::Uuid;

//! Keeps named credentials, encrypted, in a folder.
//!
//! | file | content | who can read it |
//! |---|---|---|
//! | `credentials.age` | everything: names, descriptions, secrets | whoever has the key |
//! | `store.json` | version, where the key is kept, an id; nothing about a credential | the user |
//! | `key`, `key.age` | the key, if it is kept in a file; encrypted if a passphrase protects it | the user |
//! | `lock` | nothing; one writer at a time holds it | the user |
//!
//! The encryption is [age](https://age-encryption.org/v1). With the key in a file,
//! `age -d -i key credentials.age` opens a store without this crate.
//!
//! A [`Location`] is where a store is or will be. It creates or opens a [`Store`], which lists
//! what it holds as [`CredentialInfo`], changes it, and returns a [`Credential`] to those who ask
//! for it by name. Every call blocks, for milliseconds; creating and opening may wait for the
//! operating system's keyring or stretch a passphrase, which takes seconds.
//!
//! A program whose user has one store uses [`StoreAccess`]: the program passes the names of its
//! folder and variables once, and gets a store opened, or a credential
//! [resolved](StoreAccess::resolve) from the store, a variable, a file or a prompt. The clock, the
//! environment and the prompt belong to the caller ([`Host`]).
//!
//! Limits of the protection: a program that runs as the same user can do what the user can, and
//! whoever can write to the folder can put an older `credentials.age` back.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("store");
//! use std::sync::Arc;
//!
//! use chrono::DateTime;
//! use credential_store::{Credential, Location, NewCredential, NewKey, SystemKeyring};
//!
//! let now = DateTime::UNIX_EPOCH;
//! let keyring = Arc::new(SystemKeyring::new("my-program"));
//! let store = Location::new(folder, keyring).create(NewKey::File)?;
//! store.create(
//!     NewCredential {
//!         name: "acme-read".parse()?,
//!         connector: "tickets".parse()?,
//!         description: "reads tickets, for the warehouse".to_owned(),
//!         credential: Credential::ApiKey("0123".into()),
//!     },
//!     now,
//! )?;
//!
//! for info in store.list()? {
//!     assert_eq!(info.name.as_str(), "acme-read");
//! }
//! let credential = store.credential("acme-read")?;
//! # assert!(matches!(credential, Credential::ApiKey(_)));
//! # Ok(())
//! # }
//! ```

mod access;
mod age;
mod content;
mod error;
mod files;
mod header;
mod host;
mod info;
mod key;
mod key_source;
mod key_storage;
mod keyring;
mod kind;
mod location;
mod name;
mod permissions;
mod references;
mod resolve;
mod store;
mod stored;
mod system_keyring;
mod validation;

pub use access::{KeyChoice, StoreAccess, StoreNames};
pub use credential::Credential;
pub use error::{Error, Fault, Result};
pub use host::Host;
pub use info::{CredentialInfo, NewCredential};
pub use key::{NewKey, Unlock};
pub use key_source::KeySource;
pub use keyring::{Keyring, KeyringError};
pub use kind::Kind;
pub use location::Location;
pub use name::{InvalidName, Name};
pub use references::{Reference, names_credential, references};
pub use resolve::CredentialSource;
pub use store::Store;
pub use system_keyring::SystemKeyring;

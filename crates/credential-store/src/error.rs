//! Every way a call can end badly.
//!
//! An error names the file or folder and says what to do. None repeats a secret, a passphrase or
//! the decrypted text.

use std::io;
use std::path::PathBuf;

use crate::{KeySource, KeyringError, Name};

/// `Result` with the store's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that failed. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name breaks the rules of [`Name`].
    #[error("the name {0}")]
    Name(&'static str),
    /// A description is not one short line.
    #[error("the description {0}")]
    Description(&'static str),
    /// A secret cannot be one of its kind.
    #[error("{0}")]
    Secret(&'static str),
    /// A key or passphrase for the store itself cannot be one.
    #[error("{0}")]
    Key(&'static str),

    /// There is a credential of that name.
    #[error("there is a credential `{name}` already; rotate it, or choose another name")]
    Duplicate {
        /// The name.
        name: Name,
    },
    /// There is no credential of that name, which may be a misplaced key and is not repeated.
    #[error("there is no credential of that name; {}", listed(.names))]
    Unknown {
        /// The names there are.
        names: Vec<Name>,
    },
    /// The secret to rotate to is the one that is stored.
    #[error("the new secret of `{name}` is the one it has; make a new one first")]
    SameSecret {
        /// The credential.
        name: Name,
    },

    /// There is no store in the folder.
    #[error("there is no credential store in {}; create one", .folder.display())]
    NoStore {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// There is a store in the folder where one was to be created.
    #[error("there is a credential store in {} already; open it", .folder.display())]
    StoreExists {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of a store is there without its `store.json`.
    #[error(
        "{} is there without a store.json: a creation was cut off, or the file was lost; \
         restore it, or move the folder away",
        .path.display()
    )]
    Unfinished {
        /// The file that is there.
        path: PathBuf,
    },
    /// A file of the store is not there.
    #[error("{} is missing; restore it from a backup", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file of the store is not as it was written.
    #[error("{} is damaged; restore it from a backup", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A later version of this program wrote the file.
    #[error(
        "{} is of version {version} and this program knows {known}; use a newer program",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it says.
        version: u64,
        /// The newest version that can be read.
        known: u64,
    },

    /// Other users may read or write it.
    #[error(
        "{path} is open to other users (mode {mode:03o}); run `chmod {wanted:o} {path}`",
        path = .path.display()
    )]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits it should have.
        wanted: u32,
    },
    /// It belongs to somebody else, who could read what is written to it.
    #[error("{} belongs to another user; make it yours, or choose another folder", .path.display())]
    Foreign {
        /// The file or folder.
        path: PathBuf,
    },
    /// It is not what stands there in a store.
    #[error("{} is not {wanted}; move it away, or choose another folder", .path.display())]
    Strange {
        /// The path.
        path: PathBuf,
        /// What it should be: `a folder`, `a plain file`.
        wanted: &'static str,
    },
    /// The file system refused.
    #[error("{} cannot be {what}: {source}", .path.display())]
    Io {
        /// What was tried: `read`, `written`, `locked`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },

    /// The store is opened by something else than what was given.
    #[error("the credential store in {} is opened by {key_source}; give that", .folder.display())]
    OtherKeySource {
        /// The folder of the store.
        folder: PathBuf,
        /// What opens it.
        key_source: KeySource,
    },
    /// The passphrase does not open the store.
    #[error("the passphrase does not open {}; type it once more", .path.display())]
    WrongPassphrase {
        /// The file it should open.
        path: PathBuf,
    },
    /// The key is one of another store.
    #[error(
        "the key ({key_source}) is not the one of the credential store in {}; give the right one",
        .folder.display()
    )]
    WrongKey {
        /// The folder of the store.
        folder: PathBuf,
        /// Where the key came from.
        key_source: KeySource,
    },
    /// The keyring works and has no key for this store.
    #[error(
        "the keyring has no key for the credential store in {}; log in as the user who made it",
        .folder.display()
    )]
    NotInKeyring {
        /// The folder of the store.
        folder: PathBuf,
    },
    /// The operating system's keyring does not work.
    #[error("the keyring does not work: {0}; unlock it, or keep the key elsewhere")]
    Keyring(#[source] KeyringError),
}

fn listed(names: &[Name]) -> String {
    if names.is_empty() {
        return "there is none yet".to_owned();
    }
    let names: Vec<_> = names.iter().map(Name::as_str).collect();
    format!("there are: {}", names.join(", "))
}

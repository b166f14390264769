//! The errors of the store.
//!
//! An error names the file or folder and says what to do. None repeats a secret, a passphrase or
//! decrypted text.

use std::io;
use std::path::PathBuf;

use crate::key_source::KeySource;
use crate::keyring::KeyringError;
use crate::name::{InvalidName, Name};

/// `Result` with the store's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that failed. The store is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is not a [`Name`].
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A description is not one short line.
    #[error("the description {0}")]
    Description(&'static str),
    /// The issuer of a private key is not one short line.
    #[error("the issuer {0}")]
    Issuer(&'static str),
    /// A secret is not valid for its kind.
    #[error("{0}")]
    Secret(&'static str),
    /// A key or passphrase for the store itself is not valid.
    #[error("{0}")]
    Key(&'static str),

    /// The store already has a credential with that name.
    #[error("the credential `{name}` already exists; rotate it, or choose another name")]
    Duplicate {
        /// The name.
        name: Name,
    },
    /// The store has no credential with that name. The name may be a misplaced key, so it is not
    /// repeated.
    #[error("there is no credential with that name; {}", listed(.names))]
    Unknown {
        /// The names in the store.
        names: Vec<Name>,
    },
    /// The new secret is the stored one.
    #[error("the new secret of `{name}` is the one it already has; create a new one first")]
    SameSecret {
        /// The credential.
        name: Name,
    },
    /// The credential belongs to another connector.
    #[error("the credential `{name}` is for the connector `{connector}`, not for `{wanted}`")]
    OtherConnector {
        /// The credential.
        name: Name,
        /// The connector that it is for.
        connector: Name,
        /// The connector that asked for it.
        wanted: String,
    },

    /// The folder holds no store.
    #[error("there is no credential store in {}; create one", .folder.display())]
    NoStore {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder already holds a store.
    #[error("there is already a credential store in {}; open it", .folder.display())]
    StoreExists {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds a file of a store, but no `store.json`.
    #[error(
        "{} exists without a store.json: creating the store was interrupted, or the file was \
         lost; restore it, or move the folder away",
        .path.display()
    )]
    Unfinished {
        /// The file that exists.
        path: PathBuf,
    },
    /// A file of the store does not exist.
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
        "{} has version {version}, and this program reads up to version {known}; \
         update the program",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
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
        /// The permission bits it should have.
        wanted: u32,
    },
    /// It belongs to another user, who could read what is written to it.
    #[error(
        "{} belongs to another user; change its owner, or choose another folder",
        .path.display()
    )]
    OtherOwner {
        /// The file or folder.
        path: PathBuf,
    },
    /// Something other than a folder or a plain file has its name.
    #[error("{} is not {wanted}; move it away, or choose another folder", .path.display())]
    WrongFileType {
        /// The path.
        path: PathBuf,
        /// What it should be: `a folder`, `a plain file`.
        wanted: &'static str,
    },
    /// The file system failed.
    #[error("{} cannot be {what}: {source}", .path.display())]
    Io {
        /// What was tried: `read`, `written`, `locked`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the file system reported.
        source: io::Error,
    },

    /// The store opens with something other than what was given.
    #[error("the credential store in {} opens with {key_source}; give that", .folder.display())]
    OtherKeySource {
        /// The folder of the store.
        folder: PathBuf,
        /// What opens it.
        key_source: KeySource,
    },
    /// The passphrase does not open the store.
    #[error("the passphrase does not open {}; type it again", .path.display())]
    WrongPassphrase {
        /// The file that it should open.
        path: PathBuf,
    },
    /// The key belongs to another store.
    #[error(
        "the key ({key_source}) does not open the credential store in {}; give the right one",
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
        "the keyring has no key for the credential store in {}; log in as the user who created it",
        .folder.display()
    )]
    NotInKeyring {
        /// The folder of the store.
        folder: PathBuf,
    },
    /// The operating system's keyring does not work.
    #[error("the keyring does not work: {0}")]
    Keyring(#[source] KeyringError),

    /// No folder for the store is known.
    #[error("this user has no home folder; set {variable} to a folder")]
    NoFolder {
        /// The environment variable that names one.
        variable: String,
    },
    /// The store opens with a passphrase. None is set, and there is nobody to ask.
    #[error("the credential store needs its passphrase; set {variable}")]
    NoPassphrase {
        /// The environment variable that is read.
        variable: String,
    },
    /// The store opens with an age identity, and none is set.
    #[error("the credential store needs its age identity; set {variable}")]
    NoIdentity {
        /// The environment variable that is read.
        variable: String,
    },
    /// An environment variable holds bytes that are not text.
    #[error("{variable} is not text; set it to UTF-8 text")]
    NotText {
        /// The environment variable.
        variable: String,
    },
    /// The place that should hold an API key holds none that can be used.
    #[error("{origin} holds no API key: {reason}")]
    NoApiKey {
        /// The place: an environment variable, a file, the prompt.
        origin: String,
        /// What is wrong with what it holds.
        reason: &'static str,
    },
    /// The user could not be asked.
    #[error("the prompt failed: {0}")]
    Prompt(#[source] io::Error),
}

/// Who has to act on an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The person who gave a name, a description or a secret, because it is not valid.
    Input,
    /// The person who has the credential or the key of the store, because it is missing or wrong.
    Access,
    /// The person who maintains the machine, because a file is damaged or cannot be read or
    /// written.
    Storage,
}

impl Error {
    /// Who has to act on it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Name(_)
            | Self::Description(_)
            | Self::Issuer(_)
            | Self::Secret(_)
            | Self::Duplicate { .. }
            | Self::SameSecret { .. }
            | Self::OtherConnector { .. }
            | Self::NoFolder { .. } => Fault::Input,
            Self::Io { .. } | Self::Damaged { .. } | Self::Missing { .. } | Self::Prompt(_) => {
                Fault::Storage
            }
            _ => Fault::Access,
        }
    }
}

fn listed(names: &[Name]) -> String {
    if names.is_empty() {
        return "the store is empty".to_owned();
    }
    let names: Vec<_> = names.iter().map(Name::as_str).collect();
    format!("there are: {}", names.join(", "))
}

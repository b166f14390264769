//! The places where the key of a store can be.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the key of a store is kept. It is chosen when the store is created.
///
/// `Display` fits the end of a sentence: `a passphrase`. JSON: `"passphrase"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeySource {
    /// In the operating system's keyring.
    Keyring,
    /// In the file `key` next to the credentials. Whoever can read the folder can read them; a
    /// copy of `credentials.age` alone, such as one in a backup, stays closed.
    File,
    /// In the file `key.age`, encrypted with a passphrase that is needed each time.
    Passphrase,
    /// With the caller, who passes it each time, for example from an environment variable.
    Identity,
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyring => "the operating system's keyring",
            Self::File => "the key file in its folder",
            Self::Passphrase => "a passphrase",
            Self::Identity => "an age identity that is given each time",
        })
    }
}

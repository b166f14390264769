//! The key of a store: an age identity, and the four places where it can be.

use std::fmt;

use age::{scrypt, x25519};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, seal};

/// The file with the key.
pub(crate) const PLAIN_FILE: &str = "key";
/// The file with the key, encrypted with a passphrase.
pub(crate) const SEALED_FILE: &str = "key.age";

/// The cost of one guess at a passphrase: 2^18 rounds, 256 MiB and about a second.
pub(crate) const WORK_FACTOR: u8 = 18;
/// A file that asks for more than 1 GiB is not ours.
const MAX_WORK_FACTOR: u8 = 20;

/// Where the key of a store is kept. It is chosen when the store is made.
///
/// `Display` is for the end of a sentence: `a passphrase`. JSON: `"passphrase"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeySource {
    /// In the operating system's keyring.
    Keyring,
    /// In the file `key` beside the credentials: whoever can read the folder can read them. It
    /// protects a copy of `credentials.age` alone, such as one in a backup.
    File,
    /// In the file `key.age`, encrypted with a passphrase that is asked for each time.
    Passphrase,
    /// With the caller, who brings it each time, such as from a variable of the environment.
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

/// Which key a new store gets. `Debug` prints no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NewKey {
    /// In the keyring if it gives back what is put into it, else in a file.
    Automatic,
    /// In the keyring.
    Keyring,
    /// In a file of mode 0600.
    File,
    /// In a file that this passphrase encrypts. It must not be empty.
    Passphrase(SecretString),
    /// This age identity, `AGE-SECRET-KEY-1…`, which is stored nowhere. Lines that begin with
    /// `#` are skipped, so that it can be the text of a file made by `age-keygen`.
    Identity(SecretString),
}

/// What the caller brings to open a store. `Debug` prints no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Unlock {
    /// Nothing: the key is in the keyring or in a file.
    Kept,
    /// The passphrase.
    Passphrase(SecretString),
    /// The age identity, in the form that [`NewKey::Identity`] takes.
    Identity(SecretString),
}

/// Reads an age identity out of text that may have comments.
pub(crate) fn parse(text: &str) -> Option<x25519::Identity> {
    let mut lines = text.lines().map(str::trim);
    let is_content = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let line = lines.by_ref().find(is_content)?;
    if lines.any(|line| is_content(&line)) {
        return None;
    }
    line.parse().ok()
}

/// The identity that a caller gave.
pub(crate) fn given(text: &SecretString) -> Result<x25519::Identity> {
    parse(text.expose_secret()).ok_or(Error::Key(
        "the key is not an age identity (one line `AGE-SECRET-KEY-1…`); make one with age-keygen",
    ))
}

/// The content of the file `key`.
pub(crate) fn plain_file(key: &x25519::Identity) -> Zeroizing<Vec<u8>> {
    let text = key.to_string();
    let parts = [
        "# Opens credentials.age, here and with `age -d -i key`. Keep it to yourself.\n",
        text.expose_secret(),
        "\n",
    ];
    Zeroizing::new(parts.concat().into_bytes())
}

/// The content of the file `key.age`.
pub(crate) fn sealed_file(
    key: &x25519::Identity,
    passphrase: &SecretString,
    work_factor: u8,
) -> Result<std::io::Result<Vec<u8>>> {
    if passphrase.expose_secret().is_empty() {
        return Err(Error::Key("the passphrase is empty; choose a long one"));
    }
    let mut recipient = scrypt::Recipient::new(passphrase.clone());
    recipient.set_work_factor(work_factor.clamp(1, MAX_WORK_FACTOR));
    let text = key.to_string();
    Ok(seal::seal(&recipient, |file| {
        file.write_all(text.expose_secret().as_bytes())
    }))
}

/// Why the file `key.age` gives no key.
pub(crate) enum Refused {
    Passphrase,
    Damaged,
}

/// The key in the file `key.age`.
pub(crate) fn open_sealed_file(
    sealed: &[u8],
    passphrase: &SecretString,
) -> Result<x25519::Identity, Refused> {
    let mut identity = scrypt::Identity::new(passphrase.clone());
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let text = seal::open(&identity, sealed).map_err(|error| match error {
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
            Refused::Passphrase
        }
        _ => Refused::Damaged,
    })?;
    let text = str::from_utf8(&text).map_err(|_| Refused::Damaged)?;
    parse(text).ok_or(Refused::Damaged)
}

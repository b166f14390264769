//! The key of a store: an age identity.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::age::{self, DecryptError, Identity};
use crate::{Error, Result};

/// The file with the key.
pub(crate) const PLAIN_FILE: &str = "key";
/// The file with the key, encrypted with a passphrase.
pub(crate) const ENCRYPTED_FILE: &str = "key.age";

/// The cost of one guess at a passphrase: 2^18 rounds, 256 MiB and about a second.
pub(crate) const WORK_FACTOR: u8 = 18;
/// A file that asks for more than 1 GiB was not written by this crate.
const MAX_WORK_FACTOR: u8 = 20;

/// The key that a new store gets. `Debug` prints no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NewKey {
    /// In the keyring if it returns what is put into it, otherwise in a file.
    Automatic,
    /// In the keyring.
    Keyring,
    /// In a file of mode 0600.
    File,
    /// In a file that this passphrase encrypts. It must not be empty.
    Passphrase(SecretString),
    /// This age identity, `AGE-SECRET-KEY-1…`, which is stored nowhere. Lines that begin with
    /// `#` are skipped, so a file made by `age-keygen` can be used as it is.
    Identity(SecretString),
}

/// What the caller passes to open a store. `Debug` prints no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Unlock {
    /// Nothing: the key is in the keyring or in a file.
    StoredKey,
    /// The passphrase.
    Passphrase(SecretString),
    /// The age identity, in the form of [`NewKey::Identity`].
    Identity(SecretString),
}

/// Reads an age identity from a text that may have comments.
pub(crate) fn parse(text: &str) -> Option<Identity> {
    let mut lines = text.lines().map(str::trim);
    let is_content = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let line = lines.by_ref().find(is_content)?;
    if lines.any(|line| is_content(&line)) {
        return None;
    }
    line.parse().ok()
}

/// The identity that a caller passed.
pub(crate) fn from_caller(text: &SecretString) -> Result<Identity> {
    parse(text.expose_secret()).ok_or(Error::Key(
        "the key is not an age identity (one line `AGE-SECRET-KEY-1…`); make one with age-keygen",
    ))
}

/// The content of the file `key`.
pub(crate) fn plain_file(key: &Identity) -> Zeroizing<Vec<u8>> {
    let text = key.secret_text();
    let parts = [
        "# Opens credentials.age, here and with `age -d -i key`. Keep it to yourself.\n",
        text.expose_secret(),
        "\n",
    ];
    Zeroizing::new(parts.concat().into_bytes())
}

/// The content of the file `key.age`.
pub(crate) fn encrypted_file(
    key: &Identity,
    passphrase: &SecretString,
    work_factor: u8,
) -> Result<Vec<u8>> {
    if passphrase.expose_secret().is_empty() {
        return Err(Error::Key("the passphrase is empty; choose a long one"));
    }
    let work_factor = work_factor.clamp(1, MAX_WORK_FACTOR);
    let text = key.secret_text();
    let text = text.expose_secret().as_bytes();
    Ok(age::encrypt_with_passphrase(text, passphrase, work_factor))
}

/// The key in the file `key.age`.
pub(crate) fn from_encrypted_file(
    encrypted: &[u8],
    passphrase: &SecretString,
) -> Result<Identity, DecryptError> {
    let text = age::decrypt_with_passphrase(encrypted, passphrase, MAX_WORK_FACTOR)?;
    let text = str::from_utf8(&text).map_err(|_| DecryptError::Damaged)?;
    parse(text).ok_or(DecryptError::Damaged)
}

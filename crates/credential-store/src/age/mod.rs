//! Encryption in the file format [age v1](https://age-encryption.org/v1): X25519 keys and
//! passphrases, whole texts in memory.
//!
//! The crate `age` would do the same. It brings translations of its messages, post-quantum and
//! NIST keys, and takes 45 of the 300 CPU seconds that the whole program may take to build. What
//! a store needs of the format is in this folder; the cryptography is that of the same libraries.
//! Files of the crate `age` are in the tests, and what this module writes opens with it.
//!
//! A file is a header and a payload. The payload is encrypted with a random *file key*. The
//! header holds the file key in *stanzas*, encrypted for whoever may open the file.

mod file_key;
mod header;
mod identity;
mod passphrase;
mod payload;
mod random;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

pub(crate) use identity::Identity;

use file_key::FileKey;
use header::{Header, Stanza};
use random::{Random, system_random};

/// Why a text cannot be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecryptError {
    /// The key or passphrase belongs to another text.
    WrongKey,
    /// The text is not in the format, or was changed after it was written.
    Damaged,
}

/// Encrypts a text for whoever has the identity.
pub(crate) fn encrypt(plain: &[u8], identity: &Identity) -> Vec<u8> {
    encrypt_with(plain, system_random, |file_key, random| {
        identity.wrap(file_key, random)
    })
}

/// Encrypts a text for whoever knows the passphrase. Each guess takes 2^`work_factor` rounds.
pub(crate) fn encrypt_with_passphrase(
    plain: &[u8],
    passphrase: &SecretString,
    work_factor: u8,
) -> Vec<u8> {
    encrypt_with(plain, system_random, |file_key, random| {
        passphrase::wrap(file_key, passphrase, work_factor, random)
    })
}

/// Decrypts the whole text. A truncated text, or one with a changed bit, is an error.
pub(crate) fn decrypt(
    encrypted: &[u8],
    identity: &Identity,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    decrypt_with(encrypted, |stanzas| {
        let mut file_keys = stanzas.iter().map(|stanza| identity.unwrap(stanza));
        file_keys.find_map(Result::transpose).transpose()
    })
}

/// Decrypts the whole text. A text that asks for more than 2^`max_work_factor` rounds is refused:
/// it would keep the machine busy for long.
pub(crate) fn decrypt_with_passphrase(
    encrypted: &[u8],
    passphrase: &SecretString,
    max_work_factor: u8,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    decrypt_with(encrypted, |stanzas| {
        passphrase::unwrap(stanzas, passphrase, max_work_factor)
    })
}

fn encrypt_with(
    plain: &[u8],
    mut random: impl FnMut(&mut [u8]),
    wrap: impl FnOnce(&FileKey, Random<'_>) -> Stanza,
) -> Vec<u8> {
    let file_key = FileKey::random(&mut random);
    let stanza = wrap(&file_key, &mut random);
    let mut encrypted = header::written(&[stanza], &file_key);
    payload::encrypt(plain, &file_key, &mut random, &mut encrypted);
    encrypted
}

fn decrypt_with(
    encrypted: &[u8],
    unwrap: impl FnOnce(&[Stanza]) -> Result<Option<FileKey>, DecryptError>,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let (header, payload) = Header::parse(encrypted).ok_or(DecryptError::Damaged)?;
    let file_key = unwrap(&header.stanzas)?.ok_or(DecryptError::WrongKey)?;
    if !header.is_authentic(&file_key) {
        return Err(DecryptError::Damaged);
    }
    payload::decrypt(payload, &file_key).ok_or(DecryptError::Damaged)
}

#[cfg(test)]
mod tests;

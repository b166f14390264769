//! Passphrases, stretched with scrypt.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::DecryptError;
use super::file_key::{DerivedKey, FileKey};
use super::header::Stanza;
use super::random::{self, Random};

const KIND: &str = "scrypt";
const PURPOSE: &[u8] = b"age-encryption.org/v1/scrypt";
const SALT_SIZE: usize = 16;

/// The stanza that the passphrase opens.
pub(super) fn wrap(
    file_key: &FileKey,
    passphrase: &SecretString,
    work_factor: u8,
    random: Random<'_>,
) -> Stanza {
    let salt = random::array(random);
    let key = stretched(passphrase, &salt, work_factor);
    Stanza {
        arguments: vec![
            KIND.to_owned(),
            BASE64.encode(salt),
            work_factor.to_string(),
        ],
        body: file_key.encrypt(&key),
    }
}

/// The file key in the only stanza of a file; `None` if the passphrase is wrong.
pub(super) fn unwrap(
    stanzas: &[Stanza],
    passphrase: &SecretString,
    max_work_factor: u8,
) -> Result<Option<FileKey>, DecryptError> {
    let damaged = DecryptError::Damaged;
    let [stanza] = stanzas else {
        return Err(damaged);
    };
    let [kind, salt, work_factor] = &stanza.arguments[..] else {
        return Err(damaged);
    };
    if kind != KIND || work_factor.starts_with(['0', '+']) {
        return Err(damaged);
    }
    let salt: [u8; SALT_SIZE] = BASE64
        .decode(salt)
        .ok()
        .and_then(|salt| salt.try_into().ok())
        .ok_or(damaged)?;
    let body = stanza.body.as_slice().try_into().map_err(|_| damaged)?;
    let work_factor = work_factor.parse().map_err(|_| damaged)?;
    if work_factor > max_work_factor {
        return Err(damaged);
    }
    let key = stretched(passphrase, &salt, work_factor);
    Ok(FileKey::decrypt(body, &key))
}

/// # Panics
/// If the work factor is 0 or above 63.
fn stretched(passphrase: &SecretString, salt: &[u8; SALT_SIZE], work_factor: u8) -> DerivedKey {
    let mut key = Zeroizing::new([0; 32]);
    let params = scrypt::Params::new(work_factor, 8, 1, key.len());
    let params = params.expect("the work factor is within its limits");
    let salt = [PURPOSE, salt].concat();
    let passphrase = passphrase.expose_secret().as_bytes();
    scrypt::scrypt(passphrase, &salt, &params, &mut *key).expect("scrypt makes keys of 32 bytes");
    key
}

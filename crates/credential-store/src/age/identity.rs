//! X25519 keys.

use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};

use super::DecryptError;
use super::file_key::{DerivedKey, FileKey, derive};
use super::header::Stanza;
use super::random::{self, Random, system_random};

const KIND: &str = "X25519";
const PURPOSE: &[u8] = b"age-encryption.org/v1/X25519";
const SECRET_PREFIX: Hrp = Hrp::parse_unchecked("age-secret-key-");
const PUBLIC_PREFIX: Hrp = Hrp::parse_unchecked("age");

/// A private key and its public key. The private key is wiped when it is dropped.
pub(crate) struct Identity {
    secret: StaticSecret,
    public: PublicKey,
}

/// A text is not an identity.
#[derive(Debug)]
pub(crate) struct NotAnIdentity;

impl Identity {
    pub(crate) fn generate() -> Self {
        Self::new(random::array(&mut system_random).into())
    }

    fn new(secret: StaticSecret) -> Self {
        let public = PublicKey::from(&secret);
        Self { secret, public }
    }

    /// The private key as text: `AGE-SECRET-KEY-1…`.
    pub(crate) fn secret_text(&self) -> SecretString {
        let bytes = Zeroizing::new(self.secret.to_bytes());
        let text = bech32::encode_upper::<Bech32>(SECRET_PREFIX, &*bytes);
        text.expect("32 bytes are not too many").into()
    }

    /// The public key as text: `age1…`.
    pub(crate) fn public_text(&self) -> String {
        let text = bech32::encode::<Bech32>(PUBLIC_PREFIX, self.public.as_bytes());
        text.expect("32 bytes are not too many")
    }

    /// The stanza that this identity opens.
    pub(super) fn wrap(&self, file_key: &FileKey, random: Random<'_>) -> Stanza {
        let once = StaticSecret::from(random::array(random));
        let share = PublicKey::from(&once);
        let key = wrap_key(&once.diffie_hellman(&self.public), &share, &self.public);
        Stanza {
            arguments: vec![KIND.to_owned(), BASE64.encode(share)],
            body: file_key.encrypt(&key),
        }
    }

    /// The file key in a stanza; `None` if the stanza is for another identity.
    pub(super) fn unwrap(&self, stanza: &Stanza) -> Result<Option<FileKey>, DecryptError> {
        let [kind, share] = &stanza.arguments[..] else {
            return Ok(None);
        };
        if kind != KIND {
            return Ok(None);
        }
        let damaged = DecryptError::Damaged;
        let share: [u8; 32] = BASE64
            .decode(share)
            .ok()
            .and_then(|share| share.try_into().ok())
            .ok_or(damaged)?;
        let body = stanza.body.as_slice().try_into().map_err(|_| damaged)?;
        let share = PublicKey::from(share);
        let secret = self.secret.diffie_hellman(&share);
        // Such a share would give everybody the same secret.
        if !secret.was_contributory() {
            return Err(damaged);
        }
        let key = wrap_key(&secret, &share, &self.public);
        Ok(FileKey::decrypt(body, &key))
    }
}

fn wrap_key(secret: &SharedSecret, share: &PublicKey, public_key: &PublicKey) -> DerivedKey {
    let salt = [share.to_bytes(), public_key.to_bytes()].concat();
    derive(secret.as_bytes(), &salt, PURPOSE)
}

impl FromStr for Identity {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let decoded = CheckedHrpstring::new::<Bech32>(text).map_err(|_| NotAnIdentity)?;
        if decoded.hrp() != SECRET_PREFIX {
            return Err(NotAnIdentity);
        }
        let mut bytes = Zeroizing::new([0; 32]);
        let mut source = decoded.byte_iter();
        for byte in bytes.iter_mut() {
            *byte = source.next().ok_or(NotAnIdentity)?;
        }
        if source.next().is_some() {
            return Err(NotAnIdentity);
        }
        Ok(Self::new(StaticSecret::from(*bytes)))
    }
}

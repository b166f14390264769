//! The key of one file, and how it is encrypted in a stanza.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, Tag};
use hkdf::Hkdf;
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

use super::random::{self, Random};

const SIZE: usize = 16;
const TAG_SIZE: usize = 16;

/// The key of one file. It is wiped when it is dropped.
pub(super) struct FileKey(Zeroizing<[u8; SIZE]>);

/// A key that is derived from another one. It is wiped when it is dropped.
pub(super) type DerivedKey = Zeroizing<[u8; 32]>;

/// HKDF with SHA-256.
pub(super) fn derive(secret: &[u8], salt: &[u8], purpose: &[u8]) -> DerivedKey {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(purpose, &mut *key)
        .expect("HKDF makes keys of 32 bytes");
    key
}

impl FileKey {
    pub(super) fn random(random: Random<'_>) -> Self {
        Self(Zeroizing::new(random::array(random)))
    }

    /// The key for one part of the file.
    pub(super) fn derive(&self, salt: &[u8], purpose: &[u8]) -> DerivedKey {
        derive(&*self.0, salt, purpose)
    }

    /// The body of a stanza: the file key, encrypted with a key that is used once.
    pub(super) fn encrypt(&self, key: &DerivedKey) -> Vec<u8> {
        let mut body = self.0.to_vec();
        let tag = cipher(key)
            .encrypt_in_place_detached(&Nonce::default(), b"", &mut body)
            .expect("16 bytes are not too many");
        body.extend_from_slice(&tag);
        body
    }

    /// The file key in the body of a stanza; `None` if it is for another key.
    pub(super) fn decrypt(body: &[u8; SIZE + TAG_SIZE], key: &DerivedKey) -> Option<Self> {
        let (encrypted, tag) = body.split_at(SIZE);
        let mut file_key = Self(Zeroizing::new([0; SIZE]));
        file_key.0.copy_from_slice(encrypted);
        cipher(key)
            .decrypt_in_place_detached(
                &Nonce::default(),
                b"",
                &mut *file_key.0,
                Tag::from_slice(tag),
            )
            .ok()?;
        Some(file_key)
    }
}

fn cipher(key: &DerivedKey) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&**key).into())
}

//! The payload: chunks that cannot be changed, reordered or cut off unnoticed.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, Tag};
use secrecy::zeroize::Zeroizing;

use super::file_key::FileKey;
use super::random::{self, Random};

/// Bytes of text in a chunk; only the last chunk has fewer.
const CHUNK: usize = 64 * 1024;
const TAG_SIZE: usize = 16;
/// Bytes before the first chunk that make the key of the payload unique.
const SALT_SIZE: usize = 16;

/// Appends the encrypted text.
pub(super) fn encrypt(plain: &[u8], file_key: &FileKey, random: Random<'_>, out: &mut Vec<u8>) {
    let salt: [u8; SALT_SIZE] = random::array(random);
    out.extend_from_slice(&salt);
    let cipher = cipher(file_key, &salt);
    let last = plain.len().saturating_sub(1) / CHUNK;
    for index in 0..=last {
        let end = plain.len().min((index + 1) * CHUNK);
        let start = out.len();
        // The plain text is overwritten before anybody else sees the buffer.
        out.extend_from_slice(&plain[index * CHUNK..end]);
        let tag = cipher
            .encrypt_in_place_detached(&nonce(index, index == last), b"", &mut out[start..])
            .expect("a chunk is not too long");
        out.extend_from_slice(&tag);
    }
}

/// The text; `None` if anything about it was changed.
pub(super) fn decrypt(payload: &[u8], file_key: &FileKey) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, encrypted) = payload.split_first_chunk::<SALT_SIZE>()?;
    let cipher = cipher(file_key, salt);
    // It never grows; growing would leave copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(encrypted.len()));
    let last = encrypted.len().saturating_sub(1) / (CHUNK + TAG_SIZE);
    for index in 0..=last {
        let chunk = &encrypted[index * (CHUNK + TAG_SIZE)..];
        let chunk = &chunk[..chunk.len().min(CHUNK + TAG_SIZE)];
        let (text, tag) = chunk.split_at_checked(chunk.len().checked_sub(TAG_SIZE)?)?;
        // A text has one form only: an empty chunk is the whole text.
        if text.is_empty() && index > 0 {
            return None;
        }
        let start = plain.len();
        plain.extend_from_slice(text);
        let nonce = nonce(index, index == last);
        cipher
            .decrypt_in_place_detached(&nonce, b"", &mut plain[start..], Tag::from_slice(tag))
            .ok()?;
    }
    Some(plain)
}

fn cipher(file_key: &FileKey, salt: &[u8; SALT_SIZE]) -> ChaCha20Poly1305 {
    let key = file_key.derive(salt, b"payload");
    ChaCha20Poly1305::new((&*key).into())
}

/// The number of the chunk in 11 bytes, and whether it is the last one.
fn nonce(index: usize, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&(index as u64).to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce.into()
}

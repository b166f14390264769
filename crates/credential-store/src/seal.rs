//! Encryption, by age.

use std::io::{self, Read, Write};
use std::iter;

use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient};
use secrecy::zeroize::Zeroizing;

/// Encrypts what `write` writes, for one recipient.
pub(crate) fn seal(
    recipient: &dyn Recipient,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let encryptor = Encryptor::with_recipients(iter::once(recipient)).map_err(io::Error::other)?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    write(&mut writer)?;
    writer.finish()?;
    Ok(sealed)
}

/// Decrypts all of it; a part, or one bit that is another, gives an error.
pub(crate) fn open(
    identity: &dyn Identity,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let mut reader = Decryptor::new_buffered(sealed)?.decrypt(iter::once(identity))?;
    // The plain text is shorter: the buffer never grows, which would leave copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

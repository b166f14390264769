//! What is refused before anything is stored: keys that no server takes, descriptions of two lines.

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::SecretString;
use secrecy::zeroize::Zeroize;

use crate::{Error, Result};

/// Characters in the longest description and in the longest issuer.
const MAX_LINE: usize = 256;

/// The API key without the line breaks that a paste leaves after it.
pub(crate) fn valid_api_key(text: &str) -> Result<SecretString> {
    let key = text.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err(Error::Secret("the API key is empty; paste it again"));
    }
    if key.contains(char::is_whitespace) {
        return Err(Error::Secret(
            "the API key has a space or line break in it or before it; paste the key alone",
        ));
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::Secret(
            "the API key has a character that cannot be sent in a header; paste it again",
        ));
    }
    Ok(key.into())
}

/// The private key without the white space around it.
pub(crate) fn valid_private_key(text: &str) -> Result<SecretString> {
    let pem = text.trim();
    if pem.is_empty() {
        return Err(Error::Secret(
            "the private key is empty; give the PEM file that holds it",
        ));
    }
    // The parser's errors quote the lines they fail on, so they are dropped here.
    let Ok(mut key) = PrivateKeyDer::from_pem_slice(pem.as_bytes()) else {
        return Err(Error::Secret(
            "the private key is not unencrypted PEM (`BEGIN PRIVATE KEY`); \
             export it without a passphrase",
        ));
    };
    let is_elliptic = matches!(key, PrivateKeyDer::Sec1(_));
    key.zeroize();
    if is_elliptic {
        return Err(Error::Secret(
            "the private key is an elliptic curve key; tokens are signed with RSA (RS256)",
        ));
    }
    Ok(pem.into())
}

/// The issuer without the space around it.
pub(crate) fn valid_issuer(text: &str) -> Result<String> {
    let issuer = text.trim();
    if issuer.is_empty() {
        return Err(Error::Issuer("is empty; give the name of the signer"));
    }
    short_line(issuer).map_err(Error::Issuer)
}

/// The description without the space around it.
pub(crate) fn valid_description(text: &str) -> Result<String> {
    short_line(text.trim()).map_err(Error::Description)
}

fn short_line(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("holds a line break or control character; write one line");
    }
    if text.chars().count() > MAX_LINE {
        return Err("is longer than 256 characters; shorten it");
    }
    Ok(text.to_owned())
}

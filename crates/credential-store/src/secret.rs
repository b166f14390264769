//! What a credential proves itself with, and what is refused as one.

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, Result};

/// The secret part of a credential. `Debug` prints nothing of it, and it does not serialize.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Secret {
    /// A key that is sent as it is, such as an API access token: visible ASCII characters.
    ApiKey {
        /// The key. Line breaks after it, as a paste brings them, are dropped.
        key: SecretString,
    },
    /// A private key that signs short-lived tokens (JWT, RS256).
    PrivateKey {
        /// The `iss` of the tokens: the UUID under which the public key is registered.
        issuer: Uuid,
        /// An RSA key, PKCS #8 or PKCS #1, in PEM. White space around it is dropped.
        pem: SecretString,
    },
}

/// The kind of a [`Secret`], with what is not secret of it.
///
/// JSON: `{"type":"api_key"}` or `{"type":"private_key","issuer":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// [`Secret::ApiKey`].
    ApiKey,
    /// [`Secret::PrivateKey`].
    PrivateKey {
        /// Whose tokens it signs.
        issuer: Uuid,
    },
}

impl Secret {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::PrivateKey { issuer, .. } => Kind::PrivateKey { issuer: *issuer },
        }
    }

    /// The key itself, of either kind.
    pub(crate) fn text(&self) -> &SecretString {
        match self {
            Self::ApiKey { key } => key,
            Self::PrivateKey { pem, .. } => pem,
        }
    }

    /// The same without what a paste brings along, if it can be a secret of its kind.
    pub(crate) fn checked(self) -> Result<Self> {
        Ok(match self {
            Self::ApiKey { key } => Self::ApiKey {
                key: checked_key(key.expose_secret())?,
            },
            Self::PrivateKey { issuer, pem } => Self::PrivateKey {
                issuer,
                pem: checked_pem(pem.expose_secret())?,
            },
        })
    }
}

fn checked_key(text: &str) -> Result<SecretString> {
    let key = text.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err(Error::Secret("the API key is empty; paste it once more"));
    }
    if key.contains(char::is_whitespace) {
        return Err(Error::Secret(
            "the API key has a space or line break in or before it; paste the key alone",
        ));
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::Secret(
            "the API key has a character that cannot be sent in a header; paste it once more",
        ));
    }
    Ok(key.into())
}

fn checked_pem(text: &str) -> Result<SecretString> {
    let pem = text.trim();
    if pem.is_empty() {
        return Err(Error::Secret(
            "the private key is empty; give the PEM file that holds it",
        ));
    }
    // Its errors quote the lines they choke on: they stay here.
    let Ok(mut key) = PrivateKeyDer::from_pem_slice(pem.as_bytes()) else {
        return Err(Error::Secret(
            "the private key is not PEM without a passphrase (`BEGIN PRIVATE KEY`); export it so",
        ));
    };
    let is_elliptic = matches!(key, PrivateKeyDer::Sec1(_));
    key.zeroize();
    if is_elliptic {
        return Err(Error::Secret(
            "the private key is of an elliptic curve; tokens are signed with RSA (RS256)",
        ));
    }
    Ok(pem.into())
}

/// How a [`Secret`] is written inside the encrypted file, and only there.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Secret", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Stored {
    ApiKey {
        #[serde(serialize_with = "exposed")]
        key: SecretString,
    },
    PrivateKey {
        issuer: Uuid,
        #[serde(serialize_with = "exposed")]
        pem: SecretString,
    },
}

fn exposed<S: serde::Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

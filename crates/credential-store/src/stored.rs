//! How a [`Credential`] is written inside the encrypted file, and only there.

use credential::Credential;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::kind::Kind;
use crate::validation::{valid_api_key, valid_issuer, valid_private_key};
use crate::{Error, Result};

/// A valid credential in the form of the file. Old stores are read with the names in it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum StoredCredential {
    ApiKey {
        #[serde(serialize_with = "exposed")]
        key: SecretString,
    },
    PrivateKey {
        issuer: String,
        #[serde(serialize_with = "exposed")]
        pem: SecretString,
    },
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl StoredCredential {
    /// Checks the credential, and drops the white space that a paste leaves around it.
    pub(crate) fn new(credential: &Credential) -> Result<Self> {
        match credential {
            Credential::ApiKey(key) => Ok(Self::ApiKey {
                key: valid_api_key(key.expose_secret())?,
            }),
            Credential::PrivateKey { issuer, pem } => Ok(Self::PrivateKey {
                issuer: valid_issuer(issuer)?,
                pem: valid_private_key(pem.expose_secret())?,
            }),
            _ => Err(Error::Secret(
                "this version cannot store a credential of this kind; update the program",
            )),
        }
    }

    /// The credential, for the one place that sends it or signs with it.
    pub(crate) fn credential(&self) -> Credential {
        match self.clone() {
            Self::ApiKey { key } => Credential::ApiKey(key),
            Self::PrivateKey { issuer, pem } => Credential::PrivateKey { issuer, pem },
        }
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::PrivateKey { issuer, .. } => Kind::PrivateKey {
                issuer: issuer.clone(),
            },
        }
    }

    /// The key itself, of either kind.
    pub(crate) fn secret(&self) -> &SecretString {
        match self {
            Self::ApiKey { key } => key,
            Self::PrivateKey { pem, .. } => pem,
        }
    }
}

//! The part of a credential that is not secret.

use serde::{Deserialize, Serialize};

/// The kind of a [`Credential`](credential::Credential).
///
/// JSON: `{"type":"api_key"}` or `{"type":"private_key","issuer":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// [`Credential::ApiKey`](credential::Credential::ApiKey).
    ApiKey,
    /// [`Credential::PrivateKey`](credential::Credential::PrivateKey).
    PrivateKey {
        /// The name under which the remote system knows the signer.
        issuer: String,
    },
}

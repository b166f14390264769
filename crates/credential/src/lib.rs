//! What proves to a remote system who is asking: one type from the store to the request header.

use secrecy::SecretString;

/// What opens a remote system.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub enum Credential {
    /// An API key. `Debug` prints `[REDACTED]`.
    ApiKey(SecretString),
    /// A private key that signs each request. `Debug` prints `[REDACTED]` for the key.
    PrivateKey {
        /// The signer's id, as the remote system knows it.
        issuer: String,
        /// The key, as PEM.
        pem: SecretString,
    },
}

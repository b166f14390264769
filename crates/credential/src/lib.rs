//! The one form of a credential, from the store that keeps it to the header that carries it.

use secrecy::SecretString;

/// What opens a remote system. Plugins are given it; they never look for it themselves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An API key. `Debug` prints `[REDACTED]`.
    ApiKey(SecretString),
    /// A private key, which proves itself by signing. `Debug` prints `[REDACTED]` for the key.
    PrivateKey {
        /// Who signs, as the remote knows it.
        issuer: String,
        /// The key in PEM.
        pem: SecretString,
    },
}

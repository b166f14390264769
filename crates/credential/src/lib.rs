//! The one type for a credential: what opens a remote system.
//!
//! A credential store returns it, a plugin takes it, and a client sends it or signs with it. No
//! other type carries a key in between, so no conversion can leave a copy of it behind.

use secrecy::SecretString;

/// What opens a remote system. A host passes it to a plugin, which never looks for one itself.
///
/// `Debug` prints `[REDACTED]` for a key. The type does not serialize: only a credential store
/// writes it, encrypted.
///
/// ```
/// use credential::Credential;
///
/// let credential = Credential::ApiKey("0123".into());
/// assert!(!format!("{credential:?}").contains("0123"));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An API key, which is sent unchanged.
    ApiKey(SecretString),
    /// A private key, which signs short-lived tokens and is never sent.
    PrivateKey {
        /// The name under which the remote system knows the signer.
        issuer: String,
        /// The key in PEM.
        pem: SecretString,
    },
}

impl Credential {
    /// The key itself, of either kind. No output may contain it.
    pub fn secret(&self) -> &SecretString {
        match self {
            Self::ApiKey(key) => key,
            Self::PrivateKey { pem, .. } => pem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_issuer_and_no_key() {
        let keys = [
            Credential::ApiKey("hush".into()),
            Credential::PrivateKey {
                issuer: "warehouse".to_owned(),
                pem: "hush".into(),
            },
        ];

        let printed = format!("{keys:?}");

        assert!(!printed.contains("hush"), "{printed}");
        assert_eq!(printed.matches("[REDACTED]").count(), 2, "{printed}");
        assert!(printed.contains("warehouse"), "{printed}");
    }
}

//! A keyring, as a place for one secret per store.

use std::fmt::Debug;

use secrecy::SecretString;

/// Keeps one secret per account, for the user who is logged in.
///
/// Calls may block, for a limited time.
pub trait Keyring: Debug + Send + Sync {
    /// The secret of the account; `None` if it has none.
    ///
    /// # Errors
    /// If the keyring does not work.
    fn read(&self, account: &str) -> Result<Option<SecretString>, KeyringError>;

    /// Sets the secret of the account.
    ///
    /// # Errors
    /// If the keyring does not work.
    fn write(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError>;

    /// Removes the secret of the account. An account without a secret is not an error.
    ///
    /// # Errors
    /// If the keyring does not work.
    fn remove(&self, account: &str) -> Result<(), KeyringError>;
}

/// Why a keyring does not work, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// It failed or refused; the text says why: `it is locked`.
    #[error("{0}; unlock it, or keep the key elsewhere")]
    Failed(String),
    /// The program cannot use one.
    #[error(
        "this program was built without keyring support; \
         install a release, or build it with `--features keyring`"
    )]
    NotBuilt,
}

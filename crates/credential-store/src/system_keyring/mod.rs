//! The keyring of the operating system.

use std::sync::Arc;
use std::time::Duration;

#[cfg(not(feature = "keyring"))]
mod absent;
#[cfg(feature = "keyring")]
mod present;

/// The keyring of the operating system: Keychain on macOS, Credential Manager on Windows, the
/// Secret Service (GNOME Keyring, KWallet, `KeePassXC`) elsewhere.
///
/// Where no such service runs, as in a container, a call fails at once. A locked keyring asks the
/// user to unlock it; without a screen to ask on, that would never end, so the call is given up.
///
/// Without the feature `keyring` every call fails with [`KeyringError::NotBuilt`](crate::KeyringError::NotBuilt): the library
/// behind it takes a third of the build of a whole program.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(feature = "keyring"),
    expect(dead_code, reason = "only the library uses them")
)]
pub struct SystemKeyring {
    service: Arc<str>,
    patience: Duration,
}

impl SystemKeyring {
    /// Keys are filed under the name `service`, which the keyring's own program shows. A call is
    /// given up after 15 seconds.
    pub fn new(service: &str) -> Self {
        Self {
            service: service.into(),
            patience: Duration::from_secs(15),
        }
    }

    /// Gives up a call after `patience`.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

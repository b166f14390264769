//! The operating system's keyring, as a place for one secret per store.

use std::fmt::Debug;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use keyring::{Entry, Error as Refusal};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

/// The name under which keys are shown in the keyring's own program.
const SERVICE: &str = "connector-credential-store";

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

    /// Removes the secret of the account. It is no error if it has none.
    ///
    /// # Errors
    /// If the keyring does not work.
    fn remove(&self, account: &str) -> Result<(), KeyringError>;
}

/// Why a keyring does not work: part of a sentence, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyringError(
    /// The reason: `it is locked`.
    pub String,
);

/// The keyring of the operating system: Keychain on macOS, Credential Manager on Windows, the
/// Secret Service (GNOME Keyring, KWallet, `KeePassXC`) elsewhere.
///
/// Where no such service runs, as in a container, it says so at once. A locked one asks the user
/// to unlock it; without a screen to ask on it would wait for ever, so it is given up.
#[derive(Debug, Clone, Copy)]
pub struct SystemKeyring {
    patience: Duration,
}

impl Default for SystemKeyring {
    /// Gives up after 15 seconds.
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(15),
        }
    }
}

impl SystemKeyring {
    /// Gives up a call after `patience`.
    #[must_use]
    pub fn with_patience(patience: Duration) -> Self {
        Self { patience }
    }

    /// Asks on a thread of its own: neither a wait without end nor a panic in the keyring's
    /// library takes the caller along.
    fn ask<T: Send + 'static>(
        self,
        account: &str,
        ask: impl FnOnce(Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<Option<T>, KeyringError> {
        let (tell, hear) = mpsc::channel();
        let account = account.to_owned();
        let asking = move || {
            let answer = Entry::new(SERVICE, &account).and_then(ask);
            // Nobody hears it if they have given up.
            drop(tell.send(answer.map_err(|refusal| reason(&refusal))));
        };
        thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(asking)
            .map_err(|error| KeyringError(format!("it cannot be asked: {error}")))?;
        match hear.recv_timeout(self.patience) {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(None)) => Ok(None),
            Ok(Err(Some(reason))) => Err(KeyringError(reason)),
            Err(RecvTimeoutError::Timeout) => Err(KeyringError(format!(
                "no answer within {:?}, it may be locked",
                self.patience
            ))),
            Err(RecvTimeoutError::Disconnected) => {
                Err(KeyringError("its library failed".to_owned()))
            }
        }
    }
}

impl Keyring for SystemKeyring {
    fn read(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        let Some(bytes) = self.ask(account, |entry| entry.get_secret().map(Zeroizing::new))? else {
            return Ok(None);
        };
        let text = str::from_utf8(&bytes)
            .map_err(|_| KeyringError("it holds something else than the key".to_owned()))?;
        Ok(Some(text.into()))
    }

    fn write(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
        let secret = secret.clone();
        let write = move |entry: Entry| entry.set_secret(secret.expose_secret().as_bytes());
        self.ask(account, write)?
            .ok_or_else(|| KeyringError("it takes no entry".to_owned()))
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        self.ask(account, |entry| entry.delete_credential())?;
        Ok(())
    }
}

/// In a few words; `None` if there just is no such entry. Errors that carry data of the entry
/// are not asked for theirs.
fn reason(refusal: &Refusal) -> Option<String> {
    let reason = match refusal {
        Refusal::NoEntry => return None,
        Refusal::NoDefaultStore => match Entry::store_status() {
            Err(Refusal::PlatformFailure(error)) => format!("no service answers ({error})"),
            _ => "this system has none".to_owned(),
        },
        Refusal::NoStorageAccess(error) => format!("it is locked or closed ({error})"),
        Refusal::PlatformFailure(error) => format!("it failed ({error})"),
        Refusal::Ambiguous(_) => "it has several keys for one store".to_owned(),
        _ => "it refuses".to_owned(),
    };
    Some(reason.replace(['\r', '\n'], " "))
}

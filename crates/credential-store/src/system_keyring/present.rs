//! The library that knows each system's keyring.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use keyring::{Entry, Error};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::SystemKeyring;
use crate::keyring::{Keyring, KeyringError};

impl SystemKeyring {
    /// Makes a call on a thread of its own, so that neither an endless wait nor a panic in
    /// the keyring's library reaches the caller. `None` if there is no such entry.
    fn call<T: Send + 'static>(
        &self,
        account: &str,
        call: impl FnOnce(Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<Option<T>, KeyringError> {
        let (sender, receiver) = mpsc::channel();
        let (service, account) = (self.service.clone(), account.to_owned());
        let run = move || {
            let answer = Entry::new(&service, &account).and_then(call);
            // The receiver is gone if the call was given up.
            sender.send(answer.map_err(|error| reason(&error))).ok();
        };
        thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(run)
            .map_err(|error| failed(format!("it cannot be asked: {error}")))?;
        match receiver.recv_timeout(self.patience) {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(None)) => Ok(None),
            Ok(Err(Some(reason))) => Err(failed(reason)),
            Err(RecvTimeoutError::Timeout) => Err(failed(format!(
                "it does not answer within {:?} and may be locked",
                self.patience
            ))),
            Err(RecvTimeoutError::Disconnected) => Err(failed("its library failed")),
        }
    }
}

impl Keyring for SystemKeyring {
    fn read(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        let read = |entry: Entry| entry.get_secret().map(Zeroizing::new);
        let Some(bytes) = self.call(account, read)? else {
            return Ok(None);
        };
        let text =
            str::from_utf8(&bytes).map_err(|_| failed("it holds something other than the key"))?;
        Ok(Some(text.into()))
    }

    fn write(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
        let secret = secret.clone();
        let write = move |entry: Entry| entry.set_secret(secret.expose_secret().as_bytes());
        self.call(account, write)?
            .ok_or_else(|| failed("it accepts no entry"))
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        self.call(account, |entry| entry.delete_credential())?;
        Ok(())
    }
}

fn failed(reason: impl Into<String>) -> KeyringError {
    KeyringError::Failed(reason.into())
}

/// The error in a few words; `None` if there is no such entry. Errors that carry data of the
/// entry are not printed.
fn reason(error: &Error) -> Option<String> {
    let reason = match error {
        Error::NoEntry => return None,
        Error::NoDefaultStore => match Entry::store_status() {
            Err(Error::PlatformFailure(error)) => format!("no service answers ({error})"),
            _ => "this system has none".to_owned(),
        },
        Error::NoStorageAccess(error) => format!("it is locked or closed ({error})"),
        Error::PlatformFailure(error) => format!("it failed ({error})"),
        Error::Ambiguous(_) => "it has several keys for one store".to_owned(),
        _ => "it refuses".to_owned(),
    };
    Some(reason.replace(['\r', '\n'], " "))
}

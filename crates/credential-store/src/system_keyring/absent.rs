//! What stands in for the library in a program that was built without it.

use secrecy::SecretString;

use super::SystemKeyring;
use crate::keyring::{Keyring, KeyringError};

impl Keyring for SystemKeyring {
    fn read(&self, _account: &str) -> Result<Option<SecretString>, KeyringError> {
        Err(KeyringError::NotBuilt)
    }

    fn write(&self, _account: &str, _secret: &SecretString) -> Result<(), KeyringError> {
        Err(KeyringError::NotBuilt)
    }

    fn remove(&self, _account: &str) -> Result<(), KeyringError> {
        Err(KeyringError::NotBuilt)
    }
}

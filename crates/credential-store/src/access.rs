//! Access to the store of a program's user: its folder and its key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use credential::Credential;
use secrecy::SecretString;

use crate::host::Host;
use crate::{Error, KeySource, Keyring, Location, NewKey, Result, Store, SystemKeyring, Unlock};

/// The names that a program uses for its store.
#[derive(Debug, Clone)]
pub struct StoreNames {
    /// The environment variable with the folder.
    pub folder_variable: String,
    /// The environment variable with the passphrase.
    pub passphrase_variable: String,
    /// The environment variable with the age identity.
    pub identity_variable: String,
    /// The name in the operating system's keyring under which keys are filed.
    pub keyring_service: String,
}

/// Where the key of a new store goes; see [`NewKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyChoice {
    /// In the keyring if it works, otherwise in a file.
    #[default]
    Automatic,
    /// In the keyring.
    Keyring,
    /// In a file of mode 0600.
    File,
    /// In a file that a passphrase encrypts, from its variable or from the user.
    Passphrase,
    /// With the caller, in its variable.
    Identity,
}

/// Opens the store of the program's user.
///
/// Every method reads variables and files again, so it sees changes.
#[derive(Debug, Clone)]
pub struct StoreAccess {
    names: StoreNames,
    default_folder: Option<PathBuf>,
    keyring: Arc<dyn Keyring>,
    host: Arc<dyn Host>,
}

impl StoreAccess {
    /// Access under these names. `default_folder` is used if the variable names none; it is
    /// `None` for a user without a home folder.
    pub fn new(names: StoreNames, default_folder: Option<PathBuf>, host: Arc<dyn Host>) -> Self {
        Self {
            keyring: Arc::new(SystemKeyring::new(&names.keyring_service)),
            names,
            default_folder,
            host,
        }
    }

    /// Uses another keyring instead of the [`SystemKeyring`].
    #[must_use]
    pub fn with_keyring(self, keyring: Arc<dyn Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// Opens the store.
    ///
    /// # Errors
    /// [`Error::NoFolder`]; [`Error::NoPassphrase`] or [`Error::NoIdentity`] if it opens with one
    /// and there is none; those of [`Location::open`].
    pub fn open(&self) -> Result<Store> {
        let location = self.location()?;
        let unlock = match location.key_source()? {
            Some(KeySource::Passphrase) => Unlock::Passphrase(self.passphrase()?),
            Some(KeySource::Identity) => Unlock::Identity(self.identity()?),
            _ => Unlock::StoredKey,
        };
        location.open(unlock)
    }

    /// Creates the store; `None` if there already is one.
    ///
    /// # Errors
    /// [`Error::NoFolder`]; [`Error::NoPassphrase`] or [`Error::NoIdentity`] if it was chosen and
    /// there is none; those of [`Location::create`].
    pub fn create(&self, choice: KeyChoice) -> Result<Option<Store>> {
        let location = self.location()?;
        if location.key_source()?.is_some() {
            return Ok(None);
        }
        let key = match choice {
            KeyChoice::Automatic => NewKey::Automatic,
            KeyChoice::Keyring => NewKey::Keyring,
            KeyChoice::File => NewKey::File,
            KeyChoice::Passphrase => NewKey::Passphrase(self.passphrase()?),
            KeyChoice::Identity => NewKey::Identity(self.identity()?),
        };
        location.create(key).map(Some)
    }

    /// The stored credential `name`, for the connector `connector`.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`Error::Unknown`]; [`Error::OtherConnector`].
    pub fn credential(&self, name: &str, connector: &str) -> Result<Credential> {
        let store = self.open()?;
        let info = store.info(name)?;
        if info.connector.as_str() != connector {
            return Err(Error::OtherConnector {
                name: info.name,
                connector: info.connector,
                wanted: connector.to_owned(),
            });
        }
        store.credential(name)
    }

    /// Records that a configuration file uses the credential, see [`Store::mark_used`].
    ///
    /// # Errors
    /// Those of [`open`](Self::open) and of writing: a store may be read-only.
    pub fn mark_used(&self, name: &str, file: &Path) -> Result<()> {
        self.open()?.mark_used(name, file)
    }

    /// The program's environment and user.
    pub(crate) fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// An environment variable as a secret.
    pub(crate) fn secret_variable(&self, name: &str) -> Result<Option<SecretString>> {
        let value = self
            .host
            .variable(name)
            .map(std::ffi::OsString::into_string);
        let text = value.transpose().map_err(|_| Error::NotText {
            variable: name.to_owned(),
        })?;
        Ok(text.map(SecretString::from))
    }

    fn location(&self) -> Result<Location> {
        let folder = self.host.variable(&self.names.folder_variable);
        let folder = folder.map(PathBuf::from).or(self.default_folder.clone());
        let folder = folder.ok_or(Error::NoFolder {
            variable: self.names.folder_variable.clone(),
        })?;
        Ok(Location::new(folder, self.keyring.clone()))
    }

    fn passphrase(&self) -> Result<SecretString> {
        let variable = &self.names.passphrase_variable;
        if let Some(passphrase) = self.secret_variable(variable)? {
            return Ok(passphrase);
        }
        let prompt = "Passphrase of the credential store (not shown): ";
        let answer = self.host.ask(prompt).map_err(Error::Prompt)?;
        answer.ok_or(Error::NoPassphrase {
            variable: variable.clone(),
        })
    }

    fn identity(&self) -> Result<SecretString> {
        let variable = &self.names.identity_variable;
        self.secret_variable(variable)?.ok_or(Error::NoIdentity {
            variable: variable.clone(),
        })
    }
}

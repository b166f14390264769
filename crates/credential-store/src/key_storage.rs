//! Creates the key of a store, and fetches it from where it is kept.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use uuid::Uuid;

use crate::age::{DecryptError, Identity};
use crate::files::Folder;
use crate::header::Header;
use crate::key::{self, ENCRYPTED_FILE, PLAIN_FILE};
use crate::{Error, KeySource, Keyring, KeyringError, NewKey, Result, Unlock};

/// The keyring that may hold keys, and how expensive passphrases are to guess.
#[derive(Debug, Clone)]
pub(crate) struct KeyStorage {
    pub(crate) keyring: Arc<dyn Keyring>,
    pub(crate) work_factor: u8,
}

/// A key that was just created or chosen.
pub(crate) struct CreatedKey {
    pub(crate) key: Identity,
    pub(crate) source: KeySource,
    /// The file to keep it in: name and content.
    pub(crate) file: Option<(&'static str, Zeroizing<Vec<u8>>)>,
}

impl KeyStorage {
    /// Creates the key of the store `id`. A key in the keyring is stored there already; a key in
    /// a file is not written yet.
    pub(crate) fn create(&self, key: NewKey, id: Uuid) -> Result<CreatedKey> {
        match key {
            NewKey::Automatic => self.create_in_keyring(id).or_else(|error| match error {
                Error::Keyring(_) => Ok(create_plain()),
                other => Err(other),
            }),
            NewKey::Keyring => self.create_in_keyring(id),
            NewKey::File => Ok(create_plain()),
            NewKey::Passphrase(passphrase) => {
                let key = Identity::generate();
                let encrypted = key::encrypted_file(&key, &passphrase, self.work_factor)?;
                Ok(CreatedKey {
                    file: Some((ENCRYPTED_FILE, Zeroizing::new(encrypted))),
                    source: KeySource::Passphrase,
                    key,
                })
            }
            NewKey::Identity(text) => Ok(CreatedKey {
                key: key::from_caller(&text)?,
                source: KeySource::Identity,
                file: None,
            }),
        }
    }

    /// Uses the keyring only if it returns the key.
    fn create_in_keyring(&self, id: Uuid) -> Result<CreatedKey> {
        let account = id.to_string();
        let key = Identity::generate();
        let text = key.secret_text();
        self.keyring
            .write(&account, &text)
            .map_err(Error::Keyring)?;
        let returned = self.keyring.read(&account).map_err(Error::Keyring)?;
        if returned.is_none_or(|returned| returned.expose_secret() != text.expose_secret()) {
            self.forget(id);
            let reason = "it does not return what is put into it".to_owned();
            return Err(Error::Keyring(KeyringError::Failed(reason)));
        }
        Ok(CreatedKey {
            key,
            source: KeySource::Keyring,
            file: None,
        })
    }

    /// Removes the key of a store that could not be created from the keyring. A failure is
    /// ignored: the first error is the one to report.
    pub(crate) fn forget(&self, id: Uuid) {
        self.keyring.remove(&id.to_string()).ok();
    }

    /// The key of the store in `folder`.
    pub(crate) fn fetch(
        &self,
        folder: &Folder,
        header: &Header,
        unlock: Unlock,
    ) -> Result<Identity> {
        match (header.key_source, unlock) {
            (KeySource::Keyring, Unlock::StoredKey) => self.fetch_from_keyring(folder, header),
            (KeySource::File, Unlock::StoredKey) => fetch_plain(folder),
            (KeySource::Passphrase, Unlock::Passphrase(passphrase)) => {
                let encrypted = folder.read_required(ENCRYPTED_FILE)?;
                let path = folder.file(ENCRYPTED_FILE);
                key::from_encrypted_file(&encrypted, &passphrase).map_err(|error| match error {
                    DecryptError::WrongKey => Error::WrongPassphrase { path },
                    DecryptError::Damaged => Error::Damaged { path },
                })
            }
            (KeySource::Identity, Unlock::Identity(text)) => key::from_caller(&text),
            (key_source, _) => Err(Error::OtherKeySource {
                folder: path_of(folder),
                key_source,
            }),
        }
    }

    fn fetch_from_keyring(&self, folder: &Folder, header: &Header) -> Result<Identity> {
        let account = header.id.to_string();
        let text = self.keyring.read(&account).map_err(Error::Keyring)?;
        let text = text.ok_or_else(|| Error::NotInKeyring {
            folder: path_of(folder),
        })?;
        key::from_caller(&text).map_err(|_| Error::WrongKey {
            folder: path_of(folder),
            key_source: KeySource::Keyring,
        })
    }
}

fn create_plain() -> CreatedKey {
    let key = Identity::generate();
    CreatedKey {
        file: Some((PLAIN_FILE, key::plain_file(&key))),
        source: KeySource::File,
        key,
    }
}

fn fetch_plain(folder: &Folder) -> Result<Identity> {
    let bytes = folder.read_required(PLAIN_FILE)?;
    let text = str::from_utf8(&bytes).ok();
    text.and_then(key::parse).ok_or_else(|| Error::Damaged {
        path: folder.file(PLAIN_FILE),
    })
}

fn path_of(folder: &Folder) -> PathBuf {
    folder.path().to_owned()
}

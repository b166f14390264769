//! Where a store is or will be: creating it and opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::content::{self, Content};
use crate::files::Folder;
use crate::header::{self, Header};
use crate::key::{ENCRYPTED_FILE, PLAIN_FILE, WORK_FACTOR};
use crate::key_storage::{CreatedKey, KeyStorage};
use crate::{Error, KeySource, Keyring, NewKey, Result, Store, Unlock};

/// A folder for one store, and the keyring that may hold its key.
#[derive(Debug, Clone)]
pub struct Location {
    folder: PathBuf,
    keys: KeyStorage,
}

impl Location {
    /// The store in this folder. Reads and creates nothing yet.
    pub fn new(folder: impl Into<PathBuf>, keyring: Arc<dyn Keyring>) -> Self {
        Self {
            folder: folder.into(),
            keys: KeyStorage {
                keyring,
                work_factor: WORK_FACTOR,
            },
        }
    }

    /// Sets the cost of a guess at the passphrase of a new store, as the power of two of scrypt:
    /// 1 to 20, 18 by default. Each step doubles time and memory. Tests use 1.
    #[must_use]
    pub fn with_work_factor(mut self, work_factor: u8) -> Self {
        self.keys.work_factor = work_factor;
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What opens the store, so that a caller knows what to ask for; `None` if there is no store.
    ///
    /// # Errors
    /// If the folder or its `store.json` is open to other users, damaged or too new.
    pub fn key_source(&self) -> Result<Option<KeySource>> {
        let Some(folder) = Folder::find(&self.folder)? else {
            return Ok(None);
        };
        Ok(Header::read(&folder)?.map(|header| header.key_source))
    }

    /// Creates an empty store, and the folder if it does not exist.
    ///
    /// # Errors
    /// [`Error::StoreExists`]; [`Error::Unfinished`] if the folder holds a part of a store;
    /// [`Error::Exposed`] if the folder is open to other users; [`Error::Key`] if the passphrase
    /// is empty or the identity is not one; [`Error::Keyring`] if [`NewKey::Keyring`] was asked
    /// for and does not work.
    pub fn create(&self, key: NewKey) -> Result<Store> {
        let folder = Folder::create(&self.folder)?;
        {
            let _lock = folder.lock()?;
            self.require_no_store(&folder)?;
        }
        let id = Uuid::new_v4();
        // This may take seconds, so the lock is not held during it.
        let created = self.keys.create(key, id)?;
        let header = Header::new(id, created.source, &created.key);
        if let Err(error) = self.write(&folder, &header, &created) {
            if created.source == KeySource::Keyring {
                self.keys.forget(id);
            }
            return Err(error);
        }
        Ok(Store::new(folder, created.key, created.source))
    }

    /// Opens the store, and checks that the key fits and that the credentials can be read.
    ///
    /// # Errors
    /// [`Error::NoStore`]; [`Error::OtherKeySource`] if something else opens it;
    /// [`Error::WrongPassphrase`], [`Error::WrongKey`], [`Error::NotInKeyring`] or
    /// [`Error::Keyring`] if the key does not open it; [`Error::Missing`], [`Error::Damaged`],
    /// [`Error::Newer`], [`Error::Exposed`] or [`Error::OtherOwner`] for its files.
    pub fn open(&self, unlock: Unlock) -> Result<Store> {
        let no_store = || Error::NoStore {
            folder: self.folder.clone(),
        };
        let folder = Folder::find(&self.folder)?.ok_or_else(no_store)?;
        let Some(header) = Header::read(&folder)? else {
            self.require_no_store(&folder)?;
            return Err(no_store());
        };
        let key = self.keys.fetch(&folder, &header, unlock)?;
        if !header.matches(&key) {
            return Err(Error::WrongKey {
                folder: self.folder.clone(),
                key_source: header.key_source,
            });
        }
        Content::read(&folder, &key)?;
        Ok(Store::new(folder, key, header.key_source))
    }

    /// Checks that the folder holds no file of a store. None is ever overwritten, least of all a
    /// key.
    fn require_no_store(&self, folder: &Folder) -> Result<()> {
        if folder.read(header::FILE)?.is_some() {
            return Err(Error::StoreExists {
                folder: self.folder.clone(),
            });
        }
        for name in [content::FILE, PLAIN_FILE, ENCRYPTED_FILE] {
            if folder.read(name)?.is_some() {
                return Err(Error::Unfinished {
                    path: folder.file(name),
                });
            }
        }
        Ok(())
    }

    /// Writes the files. The header comes last: a store that has one is complete.
    fn write(&self, folder: &Folder, header: &Header, created: &CreatedKey) -> Result<()> {
        let locked = folder.lock()?;
        self.require_no_store(folder)?;
        if let Some((name, bytes)) = &created.file {
            locked.add(name, bytes)?;
        }
        locked.add(content::FILE, &Content::new().encrypted(&created.key))?;
        header.add(&locked)
    }
}

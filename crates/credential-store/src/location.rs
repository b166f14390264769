//! Where a store is or will be: making it and opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::x25519;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use uuid::Uuid;

use crate::content::{self, Content};
use crate::files::Folder;
use crate::header::{self, Header};
use crate::key::{self, PLAIN_FILE, Refused, SEALED_FILE};
use crate::{
    Error, KeySource, Keyring, KeyringError, NewKey, Result, Store, SystemKeyring, Unlock,
};

/// A folder for one store, and the keyring that may hold its key.
#[derive(Debug, Clone)]
pub struct Location {
    folder: PathBuf,
    keyring: Arc<dyn Keyring>,
    work_factor: u8,
}

/// A key that was just made or chosen.
struct Made {
    key: x25519::Identity,
    source: KeySource,
    /// The file to keep it in.
    file: Option<(&'static str, Zeroizing<Vec<u8>>)>,
}

impl Location {
    /// The store in this folder. Nothing is read or made yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            keyring: Arc::new(SystemKeyring::default()),
            work_factor: key::WORK_FACTOR,
        }
    }

    /// Uses another keyring than the [`SystemKeyring`].
    #[must_use]
    pub fn with_keyring(self, keyring: Arc<dyn Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// Sets the cost of a guess at the passphrase of a store made from now on, as the power of
    /// two of scrypt: 1 to 20, 18 by default. Each step doubles time and memory; tests take 1.
    #[must_use]
    pub fn with_work_factor(self, work_factor: u8) -> Self {
        Self {
            work_factor,
            ..self
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What opens the store here; `None` if there is no store. So a caller knows what to ask for.
    ///
    /// # Errors
    /// If the folder or its `store.json` is open to others, damaged or too new.
    pub fn key_source(&self) -> Result<Option<KeySource>> {
        let Some(folder) = Folder::find(&self.folder)? else {
            return Ok(None);
        };
        Ok(Header::read(&folder)?.map(|header| header.key_source))
    }

    /// Makes an empty store, with the folder if it is not there.
    ///
    /// # Errors
    /// [`Error::StoreExists`]; [`Error::Unfinished`] if there is a part of one;
    /// [`Error::Exposed`] if the folder is there and open to others; [`Error::Key`] for an empty
    /// passphrase or a text that is no identity; [`Error::Keyring`] if that alone was asked for
    /// and does not work.
    pub fn create(&self, key: NewKey) -> Result<Store> {
        let folder = Folder::make(&self.folder)?;
        let locked = folder.lock()?;
        self.must_be_free(&folder)?;
        drop(locked);
        let id = Uuid::new_v4();
        // It may take seconds, so the lock is not held meanwhile.
        let made = self.make(key, id)?;
        let header = Header::new(id, made.source, &made.key);
        if let Err(error) = self.write(&folder, &header, &made) {
            if made.source == KeySource::Keyring {
                // What went wrong first is what is told.
                drop(self.keyring.remove(&id.to_string()));
            }
            return Err(error);
        }
        Ok(Store::new(folder, made.key, made.source))
    }

    /// Opens the store, and proves that the key fits and that the credentials can be read.
    ///
    /// # Errors
    /// [`Error::NoStore`]; [`Error::OtherKeySource`] if it is opened by something else;
    /// [`Error::WrongPassphrase`], [`Error::WrongKey`], [`Error::NotInKeyring`],
    /// [`Error::Keyring`] if the key does not open it; [`Error::Missing`], [`Error::Damaged`],
    /// [`Error::Newer`], [`Error::Exposed`], [`Error::Foreign`] for its files.
    pub fn open(&self, unlock: Unlock) -> Result<Store> {
        let no_store = || Error::NoStore {
            folder: self.folder.clone(),
        };
        let folder = Folder::find(&self.folder)?.ok_or_else(no_store)?;
        let Some(header) = Header::read(&folder)? else {
            self.must_be_free(&folder)?;
            return Err(no_store());
        };
        let key = self.fetch(&folder, &header, unlock)?;
        if !header.fits(&key) {
            return Err(Error::WrongKey {
                folder: self.folder.clone(),
                key_source: header.key_source,
            });
        }
        Content::read(&folder, &key)?;
        Ok(Store::new(folder, key, header.key_source))
    }

    /// No file of a store is in the folder: none is ever overwritten, a key least of all.
    fn must_be_free(&self, folder: &Folder) -> Result<()> {
        if folder.read(header::FILE)?.is_some() {
            return Err(Error::StoreExists {
                folder: self.folder.clone(),
            });
        }
        for name in [content::FILE, PLAIN_FILE, SEALED_FILE] {
            if folder.read(name)?.is_some() {
                return Err(Error::Unfinished {
                    path: folder.file(name),
                });
            }
        }
        Ok(())
    }

    /// The header comes last: a store that has one is whole.
    fn write(&self, folder: &Folder, header: &Header, made: &Made) -> Result<()> {
        let locked = folder.lock()?;
        self.must_be_free(folder)?;
        if let Some((name, bytes)) = &made.file {
            locked.add(name, bytes)?;
        }
        let sealed = Content::new()
            .sealed(&made.key)
            .map_err(|error| self.unsealed(content::FILE, error))?;
        locked.add(content::FILE, &sealed)?;
        header.add(&locked)
    }

    fn make(&self, key: NewKey, id: Uuid) -> Result<Made> {
        match key {
            NewKey::Automatic => self.make(NewKey::Keyring, id).or_else(|error| match error {
                Error::Keyring(_) => self.make(NewKey::File, id),
                other => Err(other),
            }),
            NewKey::Keyring => self.make_in_keyring(id),
            NewKey::File => {
                let key = x25519::Identity::generate();
                Ok(Made {
                    file: Some((PLAIN_FILE, key::plain_file(&key))),
                    source: KeySource::File,
                    key,
                })
            }
            NewKey::Passphrase(passphrase) => {
                let key = x25519::Identity::generate();
                let sealed = key::sealed_file(&key, &passphrase, self.work_factor)?
                    .map_err(|error| self.unsealed(SEALED_FILE, error))?;
                Ok(Made {
                    file: Some((SEALED_FILE, Zeroizing::new(sealed))),
                    source: KeySource::Passphrase,
                    key,
                })
            }
            NewKey::Identity(text) => Ok(Made {
                key: key::given(&text)?,
                source: KeySource::Identity,
                file: None,
            }),
        }
    }

    /// Trusts the keyring only once it has given the key back.
    fn make_in_keyring(&self, id: Uuid) -> Result<Made> {
        let account = id.to_string();
        let key = x25519::Identity::generate();
        let text = key.to_string();
        self.keyring
            .write(&account, &text)
            .map_err(Error::Keyring)?;
        let kept = self.keyring.read(&account).map_err(Error::Keyring)?;
        if kept.is_none_or(|kept| kept.expose_secret() != text.expose_secret()) {
            drop(self.keyring.remove(&account));
            let reason = "it does not give back what is put into it".to_owned();
            return Err(Error::Keyring(KeyringError(reason)));
        }
        Ok(Made {
            key,
            source: KeySource::Keyring,
            file: None,
        })
    }

    fn fetch(&self, folder: &Folder, header: &Header, unlock: Unlock) -> Result<x25519::Identity> {
        match (header.key_source, unlock) {
            (KeySource::Keyring, Unlock::Kept) => self.fetch_from_keyring(header),
            (KeySource::File, Unlock::Kept) => {
                let bytes = folder.read_present(PLAIN_FILE)?;
                let text = str::from_utf8(&bytes).ok();
                text.and_then(key::parse).ok_or_else(|| Error::Damaged {
                    path: folder.file(PLAIN_FILE),
                })
            }
            (KeySource::Passphrase, Unlock::Passphrase(passphrase)) => {
                let sealed = folder.read_present(SEALED_FILE)?;
                let path = folder.file(SEALED_FILE);
                key::open_sealed_file(&sealed, &passphrase).map_err(|refused| match refused {
                    Refused::Passphrase => Error::WrongPassphrase { path },
                    Refused::Damaged => Error::Damaged { path },
                })
            }
            (KeySource::Identity, Unlock::Identity(text)) => key::given(&text),
            (key_source, _) => Err(Error::OtherKeySource {
                folder: self.folder.clone(),
                key_source,
            }),
        }
    }

    fn fetch_from_keyring(&self, header: &Header) -> Result<x25519::Identity> {
        let account = header.id.to_string();
        let text = self.keyring.read(&account).map_err(Error::Keyring)?;
        let text = text.ok_or_else(|| Error::NotInKeyring {
            folder: self.folder.clone(),
        })?;
        key::given(&text).map_err(|_| Error::WrongKey {
            folder: self.folder.clone(),
            key_source: KeySource::Keyring,
        })
    }

    fn unsealed(&self, name: &str, source: std::io::Error) -> Error {
        Error::Io {
            what: "encrypted",
            path: self.folder.join(name),
            source,
        }
    }
}

//! Finds a credential in the places where a program looks for one.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use credential::Credential;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::access::StoreAccess;
use crate::{Error, Result};

/// The largest file that is read as a key: no key is longer, but a wrong path may lead anywhere.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// A place where a credential may be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialSource {
    /// The credential with this name in the store.
    Stored(String),
    /// An API key in this environment variable.
    Variable(String),
    /// An API key in this file, such as one that a container mounts: at most 64 KiB.
    File(PathBuf),
    /// An API key that the user types after this prompt.
    Prompt(String),
}

impl StoreAccess {
    /// The credential for `connector` in the first of the places that has one; `None` if none
    /// has.
    ///
    /// A variable that is not set and a prompt that nobody can answer have none. A place that has
    /// something unusable ends the search: another key than the one that was meant may open
    /// another account.
    ///
    /// # Errors
    /// Those of [`credential`](Self::credential); [`Error::NotText`], [`Error::NoApiKey`];
    /// [`Error::Io`] if the file cannot be read; [`Error::Prompt`].
    pub fn resolve(
        &self,
        sources: &[CredentialSource],
        connector: &str,
    ) -> Result<Option<Credential>> {
        let found = |source| self.look_in(source, connector).transpose();
        sources.iter().find_map(found).transpose()
    }

    fn look_in(&self, source: &CredentialSource, connector: &str) -> Result<Option<Credential>> {
        let (key, origin) = match source {
            CredentialSource::Stored(name) => return self.credential(name, connector).map(Some),
            CredentialSource::Variable(name) => (self.secret_variable(name)?, name.clone()),
            CredentialSource::File(path) => (Some(read_key(path)?), path.display().to_string()),
            CredentialSource::Prompt(prompt) => {
                let answer = self.host().ask(prompt).map_err(Error::Prompt)?;
                (answer, "the answer to the prompt".to_owned())
            }
        };
        key.map(|key| api_key(&key, origin)).transpose()
    }
}

fn read_key(path: &Path) -> Result<SecretString> {
    let failed = |source: io::Error| Error::Io {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    let mut limited = file.take(MAX_KEY_BYTES);
    limited.read_to_end(&mut bytes).map_err(failed)?;
    let text = str::from_utf8(&bytes).map_err(|_| Error::NoApiKey {
        origin: path.display().to_string(),
        reason: "its content is not text",
    })?;
    Ok(text.into())
}

/// Keys are pasted, and files end with a line break: the white space around a key is dropped.
fn api_key(text: &SecretString, origin: String) -> Result<Credential> {
    let key = text.expose_secret().trim();
    if key.is_empty() {
        let reason = "it is empty";
        return Err(Error::NoApiKey { origin, reason });
    }
    Ok(Credential::ApiKey(key.into()))
}

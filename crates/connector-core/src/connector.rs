//! A plugin: who it is, what it can do, how it is opened.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use credential::Credential;
use serde_json::Value;

use crate::{
    Configuration, Destination, Error, ErrorKind, Ignore, Observer, Replica, Result, Source,
};

/// A plugin. It holds no connection; what it opens does.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Name, title, version and documentation.
    fn identity(&self) -> Identity;

    /// What it can be opened as.
    fn roles(&self) -> Roles;

    /// JSON Schema (draft 7) of its configuration: an object with a description for each key. A
    /// key that holds a secret says `"writeOnly": true`.
    fn configuration_schema(&self) -> Value;

    /// The schema of its configuration as a destination, where that differs.
    fn destination_schema(&self) -> Value {
        self.configuration_schema()
    }

    /// Opens it for reading. Nothing is requested yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed, or if it is no source.
    async fn open_source(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        drop(setup);
        Err(self.has_no_role("source"))
    }

    /// Opens it for writing. Nothing is changed yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed, or if it is no destination.
    async fn open_destination(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        drop(setup);
        Err(self.has_no_role("destination"))
    }

    /// Opens what it holds as a destination for reading back. Nothing is changed.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed, or if it cannot be read back;
    /// [`ErrorKind::Io`] if it is not there.
    async fn open_replica(&self, setup: Setup) -> Result<Arc<dyn Replica>> {
        drop(setup);
        Err(self.has_no_role("destination that is read back"))
    }

    /// The error of a role that this connector does not have.
    #[doc(hidden)]
    fn has_no_role(&self, role: &str) -> Error {
        let name = self.identity().name;
        Error::new(
            ErrorKind::Config,
            format!("the connector `{name}` cannot be used as a {role}"),
        )
    }
}

/// Who a connector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Unique in a registry, lower kebab case: `sqlite`.
    pub name: &'static str,
    /// For people: `SQLite`.
    pub title: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Where its documentation is.
    pub documentation_url: &'static str,
}

/// What a connector can be opened as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// [`Connector::open_source`] works.
    pub source: bool,
    /// [`Connector::open_destination`] works.
    pub destination: bool,
}

/// What a host opens a connector with.
pub struct Setup {
    /// The user's settings.
    pub configuration: Configuration,
    /// The credential, whoever resolved it; it goes before a secret in the configuration.
    pub credential: Option<Credential>,
    /// Is told what happens.
    pub observer: Arc<dyn Observer>,
    /// Where a destination that acts writes what became of each record: one record of the stream
    /// `results` each. One that only stores has no use for it.
    pub results: Option<Box<dyn Destination>>,
}

impl Setup {
    /// With a configuration alone; nobody watches.
    pub fn new(configuration: Configuration) -> Self {
        Self {
            configuration,
            credential: None,
            observer: Arc::new(Ignore),
            results: None,
        }
    }

    /// Sets the credential.
    #[must_use]
    pub fn with_credential(mut self, credential: Option<Credential>) -> Self {
        self.credential = credential;
        self
    }

    /// Sets where the results of a destination that acts are written.
    #[must_use]
    pub fn with_results(mut self, results: Option<Box<dyn Destination>>) -> Self {
        self.results = results;
        self
    }

    /// Sets who is told what happens.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("configuration", &self.configuration)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

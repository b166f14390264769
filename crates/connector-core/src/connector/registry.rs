//! The plugins a program has loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Connector, Destination, Error, ErrorKind, Result, Setup, Source, did_you_mean};

/// Finds a connector by its name.
#[derive(Clone, Default)]
pub struct Registry {
    connectors: BTreeMap<String, Arc<dyn Connector>>,
}

impl Registry {
    /// A registry without connectors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector under its own name; it replaces one of the same name.
    #[must_use]
    pub fn with(mut self, connector: impl Connector + 'static) -> Self {
        let name = connector.identity().name;
        self.connectors.insert(name, Arc::new(connector));
        self
    }

    /// The connector of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], with the nearest name and a list of all names.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Connector>> {
        self.connectors.get(name).ok_or_else(|| {
            let names: Vec<_> = self.connectors.keys().map(String::as_str).collect();
            let message = format!(
                "no such connector: `{name}`{}; connectors: {}",
                did_you_mean(name, &names),
                names.join(", ")
            );
            Error::new(ErrorKind::Config, message)
        })
    }

    /// Opens the connector of that name for reading. No request is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a name or settings that are wrong, or if it is not a source.
    pub async fn open_source(&self, name: &str, setup: Setup) -> Result<Arc<dyn Source>> {
        self.get(name)?.expect_source()?.open(setup).await
    }

    /// Opens the connector of that name for writing. Nothing is changed.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a name or settings that are wrong, or if it is not a destination.
    pub async fn open_destination(&self, name: &str, setup: Setup) -> Result<Box<dyn Destination>> {
        self.get(name)?.expect_destination()?.open(setup).await
    }

    /// All connectors, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.connectors.values()
    }
}

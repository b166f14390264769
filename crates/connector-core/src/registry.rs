//! The plugins a program has loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Connector, Error, ErrorKind, Result};

/// Finds a connector by its name.
#[derive(Clone, Default)]
pub struct Registry {
    connectors: BTreeMap<&'static str, Arc<dyn Connector>>,
}

impl Registry {
    /// A registry without connectors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector under its own name; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, connector: impl Connector + 'static) -> Self {
        let name = connector.identity().name;
        self.connectors.insert(name, Arc::new(connector));
        self
    }

    /// The connector of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], listing the names there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Connector>> {
        self.connectors.get(name).ok_or_else(|| {
            let names: Vec<_> = self.connectors.keys().copied().collect();
            Error::new(
                ErrorKind::Config,
                format!(
                    "there is no connector `{name}`; there are: {}",
                    names.join(", ")
                ),
            )
        })
    }

    /// All connectors, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.connectors.values()
    }
}

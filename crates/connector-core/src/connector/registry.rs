//! The plugins a program has loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Connector, Error, ErrorKind, Result, did_you_mean};

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

    /// All connectors, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.connectors.values()
    }
}

//! Who a connector is.

use serde::{Deserialize, Serialize};

/// Who a connector is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// Unique in a registry, lower kebab case: `sqlite`.
    pub name: String,
    /// For people: `SQLite`.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Where its documentation is; empty if there is none.
    pub documentation_url: String,
}

impl Identity {
    /// A connector of this name, title and version.
    pub fn new(
        name: impl Into<String>,
        title: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            version: version.into(),
            documentation_url: String::new(),
        }
    }

    /// Sets where its documentation is.
    #[must_use]
    pub fn with_documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation_url = url.into();
        self
    }
}

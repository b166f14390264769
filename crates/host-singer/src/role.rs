//! What an executable is.

use connector_core::Connector;

/// What an executable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Tap,
    /// Writes.
    Target,
}

impl Role {
    /// The name of the executable: `tap-example`.
    pub(crate) fn executable(self, connector: &dyn Connector) -> String {
        let name = connector.identity().name;
        match self {
            Self::Tap => format!("tap-{name}"),
            Self::Target => format!("target-{name}"),
        }
    }
}

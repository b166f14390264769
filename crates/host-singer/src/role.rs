//! The role of an executable.

use connector_core::Connector;

/// The role of an executable.
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

//! What an executable is.

/// What an executable is: Airbyte has one for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Source,
    /// Writes.
    Destination,
}

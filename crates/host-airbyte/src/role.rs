//! The role of an executable.

/// The role of an executable. Airbyte has one executable for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Source,
    /// Writes.
    Destination,
}

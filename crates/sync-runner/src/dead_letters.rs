//! Where refused records go.

use connector_core::{Record, Result};

/// Is given each record that the destination has refused for good.
pub trait DeadLetters: Send {
    /// Keeps `record`, which may be one that is [gone](Record::gone), with the destination's `reason`.
    ///
    /// It must be durable when this returns: the state that covers the record is committed next,
    /// and no later sync brings the record again.
    ///
    /// # Errors
    /// Ends the sync; nothing after the last commit counts.
    fn take(&mut self, record: &Record, reason: &str) -> Result<()>;
}

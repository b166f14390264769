//! Links to records.

use crate::{JsonObject, StreamName};

/// Knows the page of a record in the remote's own console.
pub trait RecordLinks: Send + Sync {
    /// The address of the page; `None` if there is none, or `record` does not hold enough to say.
    fn link(&self, stream: &StreamName, record: &JsonObject) -> Option<String>;
}

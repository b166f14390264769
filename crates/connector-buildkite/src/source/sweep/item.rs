//! What a sweep yields on its way to the host.

use connector_core::{Record, Result};

use crate::source::lists::children::{ChildList, ChildReader};
use crate::source::state::Coverage;

/// A piece of a sweep, in the order in which it counts.
pub(crate) enum Item {
    Records(Vec<Record>),
    /// A list of a build or job: its records come here.
    List(ChildList),
    Page(Page),
}

/// A page ended: all records of the partition before this have been yielded.
pub(crate) struct Page {
    /// The partition: `acme`, `acme/web`.
    pub(crate) partition: String,
    /// What the copy has of the partition now; absent for nothing.
    pub(crate) coverage: Option<Box<Coverage>>,
    /// How many builds of the partition have been read.
    pub(crate) builds_read: u64,
    /// About how many are left.
    pub(crate) builds_left: u64,
}

impl Item {
    /// Reads the list, if it is one.
    ///
    /// # Errors
    /// Those of [`ChildReader::read`].
    pub(crate) async fn resolve(self, children: ChildReader) -> Result<Self> {
        match self {
            Self::List(list) => children.read(list).await.map(Self::Records),
            item => Ok(item),
        }
    }
}

//! A read that is divided into parts.

use serde::{Deserialize, Serialize};

use crate::{ReadRequest, State};

/// A read, divided into parts that can be read by different machines in any order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Partitions {
    /// Read requests that are small, hold no secret and carry no state.
    pub parts: Vec<ReadRequest>,
    /// The state after all parts. The next incremental read may repeat rows of these parts and
    /// misses none.
    pub end: State,
}

impl Partitions {
    /// These parts, after which `end` counts.
    pub fn new(parts: Vec<ReadRequest>, end: State) -> Self {
        Self { parts, end }
    }
}

//! The lines of a journal.

use chrono::{DateTime, Utc};
use connector_core::State;
use serde::{Deserialize, Serialize};

pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Event {
    /// The first line.
    Journal { version: u32 },
    /// A request is about to be sent.
    Intent {
        to: String,
        key: String,
        at: DateTime<Utc>,
    },
    /// It was carried out.
    Done { to: String, key: String, done: Done },
    /// It was refused: nothing was done, and it may be sent again.
    Refused { to: String, key: String },
    /// Everything that was ever sent there up to this time is in the journal.
    Covered { to: String, until: DateTime<Utc> },
    /// Where a sync got to.
    State { sync: String, state: State },
}

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// The number of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u64>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// When the build was created, as Buildkite writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<String>,
}

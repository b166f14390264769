//! The lines of a journal.

use chrono::{DateTime, Utc};
use connector_core::State;
use serde::{Deserialize, Serialize};

/// Version 1 knows no `awaited` and `reported`.
pub(super) const VERSION: u32 = 2;

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
    /// A sync owes the result of a record until its build has ended.
    Awaited { sync: String, build: AwaitedBuild },
    /// The host has stored that result.
    Reported { sync: String, result: ResultKey },
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

/// What identifies the result of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ResultKey {
    /// The destination's stream.
    pub(crate) stream: String,
    /// The idempotency key of the record.
    pub(crate) key: String,
}

/// A build whose end is awaited, with what the result of its record needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AwaitedBuild {
    /// Whose result it is.
    pub(crate) result: ResultKey,
    /// Slug of its organization.
    pub(crate) organization: String,
    /// Slug of its pipeline.
    pub(crate) pipeline: String,
    /// Which build it is.
    pub(crate) done: Done,
    /// What the record's request did, as the result says it.
    pub(crate) outcome: String,
    /// Whether it has the mark of builds that are triggered here, by which lists are filtered.
    pub(crate) is_marked: bool,
    /// Since when its end is awaited.
    pub(crate) since: DateTime<Utc>,
}

//! The lines of a journal.

use chrono::{DateTime, Utc};
use connector_core::State;
use serde::{Deserialize, Serialize};

/// Version 1 ends with `state`.
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
    /// A record is about to be applied to a target.
    Apply { target: String, key: String },
    /// It was applied: what the target has now.
    Applied {
        target: String,
        key: String,
        done: Done,
    },
    /// It was refused: the target has what it had.
    Unapplied { target: String, key: String },
    /// A record is to be applied to a target when the input has ended, unless a newer one is.
    Pending {
        target: String,
        record: PendingRecord,
    },
    /// No record is to be applied to a target any more.
    Settled { target: String },
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

/// A record that is to be applied to a target when the input has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingRecord {
    /// The destination's stream.
    pub(crate) stream: String,
    /// The idempotency key of the record.
    pub(crate) key: String,
    /// The record as the stream reads it: JSON in a text, so that numbers stay as written.
    pub(crate) record: String,
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

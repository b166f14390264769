//! What a connector reports while it works.
//!
//! Data travels as [`Message`](crate::Message)s; this is for the person who watches. A host hands
//! one observer to the connector and shows what it receives: a bar, a log line, a protocol message.

use std::fmt;
use std::time::Duration;

use crate::StreamName;

/// Receives events. Called from any task; it must return at once.
pub trait Observer: Send + Sync {
    /// One event.
    fn observe(&self, event: Event);
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request was sent. Repeats count again.
    Request {
        /// The stream it was sent for, if for one.
        stream: Option<StreamName>,
    },
    /// A wait begins, before a request.
    Wait {
        /// The stream that waits, if one does.
        stream: Option<StreamName>,
        /// How long.
        duration: Duration,
        /// What for.
        reason: WaitReason,
    },
    /// About how many records this read of a stream will yield in all.
    Estimate {
        /// The stream.
        stream: StreamName,
        /// Records, as far as is known now.
        records: u64,
    },
    /// Something the user must know: a stream skipped, a list cut, a field dropped.
    Notice {
        /// The stream, if it is about one.
        stream: Option<StreamName>,
        /// A sentence.
        message: String,
    },
}

impl Event {
    /// A notice that is not about one stream.
    pub fn notice(message: impl Into<String>) -> Self {
        Self::Notice {
            stream: None,
            message: message.into(),
        }
    }

    /// The stream it is about, if it is about one.
    #[must_use]
    pub fn stream(&self) -> Option<&StreamName> {
        match self {
            Self::Request { stream } | Self::Wait { stream, .. } | Self::Notice { stream, .. } => {
                stream.as_ref()
            }
            Self::Estimate { stream, .. } => Some(stream),
        }
    }
}

/// What a wait is for. `Display` is the sentence that people read, without the duration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// The remote's rate limit is used up until its window ends; the text names the limit.
    RateLimit(String),
    /// A request failed and is sent again after this; the text says how it failed.
    Retry(String),
    /// Something must become visible at the remote first; the text says what.
    Remote(String),
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimit(limit) => write!(f, "waiting for {limit}"),
            Self::Retry(failure) => write!(f, "retrying: {failure}"),
            Self::Remote(what) => write!(f, "waiting {what}"),
        }
    }
}

/// Ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ignore;

impl Observer for Ignore {
    fn observe(&self, _event: Event) {}
}

//! What a client reports while it works.

use std::sync::Arc;
use std::time::Duration;

/// Something that a client does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The client sends a request.
    Request,
    /// The client starts to wait for the end of a rate limit window.
    RateLimitWait {
        /// How long it waits.
        duration: Duration,
        /// The limit, `rest` or `rest_user`, and its size.
        limit: String,
    },
    /// A request failed. The client sends it again after a wait.
    RetryWait {
        /// How long it waits.
        duration: Duration,
        /// Why the request failed.
        reason: String,
    },
}

/// Receives the events of a client.
pub type Observer = Arc<dyn Fn(Event) + Send + Sync>;

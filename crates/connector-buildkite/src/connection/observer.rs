//! What the client does, reported to the host's observer.

use std::sync::Arc;

use buildkite_client::{Event as ClientEvent, Observer as ClientObserver};
use connector_core::{Event, Observer, StreamName, WaitReason};

/// Forwards the client's events as those of `stream`.
pub(crate) fn forward(observer: &Arc<dyn Observer>, stream: Option<&StreamName>) -> ClientObserver {
    let observer = Arc::clone(observer);
    let stream = stream.cloned();
    Arc::new(move |event| {
        let stream = stream.clone();
        let event = match event {
            ClientEvent::Request => Event::Request { stream },
            ClientEvent::RateLimitWait { duration, limit } => Event::Wait {
                stream,
                duration,
                reason: WaitReason::RateLimit(limit),
            },
            ClientEvent::RetryWait { duration, reason } => Event::Wait {
                stream,
                duration,
                reason: WaitReason::Retry(reason),
            },
            _ => return,
        };
        observer.observe(event);
    })
}

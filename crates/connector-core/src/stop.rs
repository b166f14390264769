//! The request to stop.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::Shared;

/// A request to stop soon: Ctrl-C, SIGTERM, a button. All clones share one request, which cannot
/// be withdrawn.
///
/// A host hands one to each side. A source needs none: dropping its read stops it. A destination
/// that acts finishes the request under way, sends nothing more, and answers
/// [`Outcome::NotAttempted`](crate::Outcome::NotAttempted) for the rest.
#[derive(Clone)]
pub struct Stop(Arc<Inner>);

struct Inner {
    sender: Mutex<Option<oneshot::Sender<()>>>,
    receiver: Shared<oneshot::Receiver<()>>,
}

impl Stop {
    /// A request that nobody has made yet.
    pub fn new() -> Self {
        let (sender, receiver) = oneshot::channel();
        Self(Arc::new(Inner {
            sender: Mutex::new(Some(sender)),
            receiver: receiver.shared(),
        }))
    }

    /// Asks to stop. Further calls change nothing.
    pub fn request(&self) {
        let sender = self.0.sender.lock();
        let sender = sender.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // The receiver lives as long as the sender.
            sender.send(()).ok();
        }
    }

    /// Whether somebody has asked to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        let sender = self.0.sender.lock();
        sender.unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Completes once somebody asks to stop.
    pub async fn requested(&self) {
        self.0.receiver.clone().await.ok();
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_requested()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};

    use futures::executor::block_on;
    use futures::task::noop_waker_ref;

    use super::*;

    #[test]
    fn all_clones_hear_a_request_and_nothing_else_ends_the_wait() {
        let stop = Stop::new();
        let other = stop.clone();
        let mut waiting = Box::pin(other.requested());
        let mut context = Context::from_waker(noop_waker_ref());
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
        assert!(!stop.is_requested());

        stop.request();
        stop.request();

        assert!(other.is_requested());
        block_on(waiting);
        block_on(Stop::requested(&stop));
    }
}

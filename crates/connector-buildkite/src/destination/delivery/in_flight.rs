//! Whether a request of one record has left: what a run that stops waits for, and what it may
//! withdraw.

use std::sync::Arc;

use buildkite_client::{Event, Observer};
use tokio::sync::watch;

/// What is known of the requests of one record. Clones share it.
#[derive(Clone)]
pub(crate) struct InFlight(watch::Sender<Flight>);

#[derive(Default)]
struct Flight {
    /// Calls of the client that have not ended.
    calls: usize,
    /// Something is under way that must not be cut off.
    is_under_way: bool,
    /// A request has left, and nothing tells yet whether it was carried out.
    is_unclear: bool,
}

/// One call of the client. It counts until its last clone is dropped, by whichever task.
struct Call(InFlight);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.send_modify(|flight| flight.calls -= 1);
    }
}

impl InFlight {
    /// Nothing has left.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Flight::default()))
    }

    /// What follows must not be cut off, until a call begins.
    pub(crate) fn hold(&self) {
        self.set_under_way(true);
    }

    /// Nothing is under way any more; what has been sent was not done.
    pub(crate) fn release(&self) {
        self.set_under_way(false);
    }

    /// Nothing is under way any more; something may have been done.
    pub(crate) fn lose(&self) {
        self.0.send_modify(|flight| {
            flight.is_under_way = false;
            flight.is_unclear = true;
        });
    }

    /// Whether something may have been done that nobody knows of.
    pub(crate) fn may_have_acted(&self) -> bool {
        let flight = self.0.borrow();
        flight.is_under_way || flight.is_unclear
    }

    /// An observer for one call, which passes on what it hears to `next`. A request is under way
    /// from the moment it is sent. When the client waits before it sends it again, nothing has
    /// happened.
    pub(crate) fn observer(&self, next: Observer) -> Observer {
        self.0.send_modify(|flight| flight.calls += 1);
        let call = Arc::new(Call(self.clone()));
        Arc::new(move |event| {
            call.0.set_under_way(event == Event::Request);
            next(event);
        })
    }

    /// Ends once nothing is under way.
    pub(crate) async fn landed(&self) {
        let mut flight = self.0.subscribe();
        // The sender lives as long as `self`.
        flight.wait_for(|flight| !flight.is_under_way).await.ok();
    }

    /// Ends once no call goes on, also none whose caller has dropped it.
    pub(crate) async fn ended(&self) {
        let mut flight = self.0.subscribe();
        flight.wait_for(|flight| flight.calls == 0).await.ok();
    }

    fn set_under_way(&self, is_under_way: bool) {
        self.0
            .send_modify(|flight| flight.is_under_way = is_under_way);
    }
}

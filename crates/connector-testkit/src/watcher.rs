//! What a connector reports to its observer.

use std::sync::{Mutex, PoisonError};

use connector_core::{Event, Observer};

/// Keeps every event.
#[derive(Debug, Default)]
pub(crate) struct Watcher(Mutex<Vec<Event>>);

impl Watcher {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many requests were reported.
    pub(crate) fn requests(&self) -> u64 {
        let events = self.events().into_iter();
        events
            .filter(|e| matches!(e, Event::Request { .. }))
            .count() as u64
    }
}

impl Observer for Watcher {
    fn observe(&self, event: Event) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }
}

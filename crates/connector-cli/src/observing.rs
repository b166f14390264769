//! Receives the events of connectors, for the display and for the log.

use std::sync::Arc;

use connector_core::{Event, Observer};
use sync_runner::Progress;

/// Counts events in `progress` and logs them.
pub(crate) fn logged(progress: &Arc<Progress>) -> Arc<dyn Observer> {
    Arc::new(Logged(Arc::clone(progress)))
}

struct Logged(Arc<Progress>);

impl Observer for Logged {
    fn observe(&self, event: Event) {
        let stream = event.stream().map(tracing::field::display);
        match &event {
            Event::Request { .. } => tracing::debug!(stream, "request"),
            Event::Wait { .. } => {
                let sentence = host_kit::sentence(&event).unwrap_or_default();
                tracing::info!(stream, "{sentence}");
            }
            Event::Estimate { records, .. } => {
                tracing::info!(stream, "about {records} records to read");
            }
            Event::Notice { message, .. } => tracing::warn!(stream, "{message}"),
            _ => {}
        }
        self.0.observe(event);
    }
}

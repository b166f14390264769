//! One state out of those of several sweeps.

use connector_core::State;
use serde_json::Value;

use super::state::{CHECKPOINT_VERSION, CONNECTOR};

/// What is known of all streams of a read. Each checkpoint covers all of them, because a host
/// replaces the last one by it.
pub(crate) struct ReadLedger {
    state: State,
}

impl Default for ReadLedger {
    fn default() -> Self {
        Self {
            state: State::new(CONNECTOR, CHECKPOINT_VERSION),
        }
    }
}

impl ReadLedger {
    /// Takes over the values of `state`; a stream whose value is null is forgotten. Returns the
    /// state of all streams.
    pub(crate) fn enter(&mut self, state: State) -> State {
        for (stream, value) in state.streams() {
            match value {
                Value::Null => self.state.remove_stream(stream.as_str()),
                value => self.state.set_stream(stream.clone(), value.clone()),
            }
        }
        self.state.clone()
    }
}

//! One state out of those of several streams.

use connector_core::State;
use serde_json::Value;

use crate::state::{CONNECTOR, VERSION};

/// What is known of all streams of a read: each checkpoint speaks for all of them, because a host
/// saves it in the place of the last one.
pub(crate) struct Ledger {
    state: State,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            state: State::new(CONNECTOR, VERSION),
        }
    }
}

impl Ledger {
    /// Takes over what `state` says; a stream that it says null of is forgotten. Returns the
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

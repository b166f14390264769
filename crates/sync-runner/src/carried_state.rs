//! The state of streams that a sync does not read.

use connector_core::{State, StreamName};
use serde_json::Value;

/// What the last state holds for streams that this sync does not read. A source need not repeat
/// it in its checkpoints. Without it, a sync of one stream would make the next sync of the
/// others start over.
#[derive(Debug, Default)]
pub(crate) struct CarriedState {
    /// Connector and version of that state.
    form: Option<(String, u32)>,
    streams: Vec<(StreamName, Value)>,
}

impl CarriedState {
    /// Keeps what `last` holds for all streams except `synced`.
    pub(crate) fn new(last: Option<&State>, synced: &[StreamName]) -> Self {
        let streams = last.into_iter().flat_map(State::streams);
        let others = streams.filter(|(name, _)| !synced.contains(name));
        Self {
            streams: others.map(|(name, v)| (name.clone(), v.clone())).collect(),
            form: last.map(form),
        }
    }

    /// Adds it to a checkpoint, except for streams that the checkpoint itself holds. A checkpoint
    /// of another connector or version stays as it is.
    pub(crate) fn add_to(&self, state: &mut State) {
        if self.form.as_ref() != Some(&form(state)) {
            return;
        }
        for (name, value) in &self.streams {
            if state.stream(name.as_str()).is_none() {
                state.set_stream(name.clone(), value.clone());
            }
        }
    }
}

fn form(state: &State) -> (String, u32) {
    (state.connector().to_owned(), state.version())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(version: u32, streams: &[(&str, u32)]) -> State {
        let mut state = State::new("acme", version);
        for (name, value) in streams {
            state.set_stream((*name).into(), json!(value));
        }
        state
    }

    #[test]
    fn other_streams_keep_their_state_and_synced_ones_do_not() {
        let last = state(1, &[("builds", 1), ("jobs", 1), ("agents", 1)]);
        let carried = CarriedState::new(Some(&last), &["builds".into()]);

        let mut checkpoint = state(1, &[("jobs", 2)]);
        carried.add_to(&mut checkpoint);

        assert_eq!(checkpoint, state(1, &[("jobs", 2), ("agents", 1)]));
    }

    #[test]
    fn a_state_of_another_version_is_not_mixed_in() {
        let last = state(1, &[("jobs", 1)]);
        let carried = CarriedState::new(Some(&last), &["builds".into()]);

        let mut checkpoint = state(2, &[("builds", 2)]);
        carried.add_to(&mut checkpoint);

        assert_eq!(checkpoint, state(2, &[("builds", 2)]));
    }
}

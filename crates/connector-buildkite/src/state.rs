//! Where the pass over the builds stands.
//!
//! Version 1: for each of the streams `builds` and `jobs`, while a pass is under way, what is left
//! of each partition. A pass that has come to its end leaves nothing behind: the next full
//! refresh starts anew.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, Result, State, StreamName};
use serde::{Deserialize, Serialize};

/// The form that this program writes.
pub(crate) const VERSION: u32 = 1;
/// Who writes it.
pub(crate) const CONNECTOR: &str = "buildkite";

/// One pass over the builds, not yet at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PassState {
    /// The lower end of every partition; absent for none.
    pub(crate) created_from: Option<DateTime<Utc>>,
    /// By organization, or organization and pipeline: `acme`, `acme/web`.
    pub(crate) partitions: BTreeMap<String, PartitionState>,
}

/// What is left of one partition: what was created since `top`, and what before `remaining_to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartitionState {
    /// The server's time when the newest page was read.
    pub(crate) top: DateTime<Utc>,
    /// Everything created from here up to `top` has been read; absent once all before has, too.
    pub(crate) remaining_to: Option<DateTime<Utc>>,
}

impl PassState {
    /// Goes on from what `state` says of all of `streams`, if it says the same of each and was
    /// made for the same lower end; otherwise starts anew.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if the state is another's, too new or damaged.
    pub(crate) fn resume(
        state: Option<&State>,
        streams: &[StreamName],
        created_from: Option<DateTime<Utc>>,
    ) -> Result<Self> {
        let fresh = Self {
            created_from,
            partitions: BTreeMap::new(),
        };
        let Some(state) = state else { return Ok(fresh) };
        state.expect(CONNECTOR, VERSION)?;
        let mut saved: Vec<Option<Self>> = Vec::new();
        for stream in streams {
            let value = state.stream(stream.as_str());
            saved.push(value.map(|value| parse(value, stream)).transpose()?);
        }
        let first = saved.first().cloned().flatten();
        let agree = saved.iter().all(|other| *other == first);
        Ok(first
            .filter(|pass| agree && pass.created_from == created_from)
            .unwrap_or(fresh))
    }

    /// The state that a checkpoint carries.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it has no JSON form.
    pub(crate) fn to_state(&self, streams: &[StreamName]) -> Result<State> {
        let value = serde_json::to_value(self).map_err(|error| {
            Error::new(ErrorKind::Internal, "the state has no JSON form").with_source(error)
        })?;
        let mut state = State::new(CONNECTOR, VERSION);
        for stream in streams {
            state.set_stream(stream.clone(), value.clone());
        }
        Ok(state)
    }
}

fn parse(value: &serde_json::Value, stream: &StreamName) -> Result<PassState> {
    PassState::deserialize(value).map_err(|_| damaged(stream))
}

fn damaged(stream: &StreamName) -> Error {
    Error::new(
        ErrorKind::State,
        "the saved state is damaged; restore it, or remove it to read everything again",
    )
    .with_context("stream", stream)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn streams() -> [StreamName; 2] {
        ["builds".into(), "jobs".into()]
    }

    fn pass() -> PassState {
        let at = |text: &str| text.parse().unwrap();
        let acme = PartitionState {
            top: at("2026-01-02T00:00:00Z"),
            remaining_to: Some(at("2026-01-01T00:00:00.001Z")),
        };
        PassState {
            created_from: None,
            partitions: [("acme".to_owned(), acme)].into(),
        }
    }

    #[test]
    fn a_pass_goes_on_where_its_state_says() {
        let state = pass().to_state(&streams()).unwrap();
        let state = State::parse(&state.to_json().unwrap()).unwrap();

        let resumed = PassState::resume(Some(&state), &streams(), None).unwrap();

        assert_eq!(resumed, pass());
    }

    #[test]
    fn another_start_or_another_stream_starts_anew() {
        let state = pass().to_state(&streams()).unwrap();
        let from = Some("2025-01-01T00:00:00Z".parse().unwrap());
        let anew = PassState::resume(Some(&state), &streams(), from).unwrap();
        assert_eq!(anew.partitions.len(), 0);

        let state = pass().to_state(&streams()[..1]).unwrap();
        let anew = PassState::resume(Some(&state), &streams(), None).unwrap();
        assert_eq!(anew.partitions.len(), 0);
    }

    #[test]
    fn a_state_of_others_a_newer_one_and_a_damaged_one_are_refused() {
        let mut damaged = State::new(CONNECTOR, VERSION);
        damaged.set_stream(
            "builds".into(),
            json!({"partitions": {"acme": {"top": "x"}}}),
        );
        for state in [
            State::new("other", VERSION),
            State::new(CONNECTOR, VERSION + 1),
            damaged,
        ] {
            let error = PassState::resume(Some(&state), &streams(), None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::State);
        }
    }
}

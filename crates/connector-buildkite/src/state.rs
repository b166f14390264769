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
    /// Which Buildkite it is a pass over.
    base_url: String,
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
    /// A pass at its beginning.
    pub(crate) fn new(base_url: &str, created_from: Option<DateTime<Utc>>) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            created_from,
            partitions: BTreeMap::new(),
        }
    }

    /// Goes on from what `state` says of all of `streams`, if it says the same of each and was
    /// made for the same Buildkite and lower end; otherwise starts anew.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if the state is another's, too new or damaged.
    pub(crate) fn resume(self, state: Option<&State>, streams: &[StreamName]) -> Result<Self> {
        let Some(state) = state else { return Ok(self) };
        state.expect(CONNECTOR, VERSION)?;
        let mut saved: Vec<Option<Self>> = Vec::new();
        for stream in streams {
            let value = state.stream(stream.as_str());
            saved.push(value.map(|value| parse(value, stream)).transpose()?);
        }
        let first = saved.first().cloned().flatten();
        let agree = saved.iter().all(|other| *other == first);
        let is_ours = |pass: &Self| {
            agree && pass.base_url == self.base_url && pass.created_from == self.created_from
        };
        Ok(first.filter(is_ours).unwrap_or(self))
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

    const URL: &str = "https://api.buildkite.com";

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
            partitions: [("acme".to_owned(), acme)].into(),
            ..PassState::new(URL, None)
        }
    }

    #[test]
    fn a_pass_goes_on_where_its_state_says() {
        let state = pass().to_state(&streams()).unwrap();
        let state = State::parse(&state.to_json().unwrap()).unwrap();

        let resumed = PassState::new(URL, None).resume(Some(&state), &streams());

        assert_eq!(resumed.unwrap(), pass());
    }

    #[test]
    fn another_buildkite_start_or_stream_starts_anew() {
        let state = pass().to_state(&streams()).unwrap();
        let from = Some("2025-01-01T00:00:00Z".parse().unwrap());
        for fresh in [
            PassState::new(URL, from),
            PassState::new("http://localhost", None),
        ] {
            let anew = fresh.clone().resume(Some(&state), &streams()).unwrap();
            assert_eq!(anew, fresh);
        }

        let state = pass().to_state(&streams()[..1]).unwrap();
        let fresh = PassState::new(URL, None);
        let anew = fresh.clone().resume(Some(&state), &streams()).unwrap();
        assert_eq!(anew, fresh);
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
            let fresh = PassState::new(URL, None);
            let error = fresh.resume(Some(&state), &streams()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::State);
        }
    }
}

//! How far the read of a stream got.

use connector_core::{Error, ErrorKind, Result, Selection, State, StreamName, SyncMode};
use serde::{Deserialize, Serialize};

/// The connector's name, which its states carry.
pub(in crate::memory) const CONNECTOR: &str = "memory";
const VERSION: u32 = 1;

/// The value of a stream in a state.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// All changes up to this one have been read.
    pub(super) changed: u64,
    /// Whether the read came to its end: the next full refresh starts over.
    pub(super) is_complete: bool,
}

impl Position {
    /// The change after which a read in this mode resumes.
    pub(super) fn start(self, mode: SyncMode) -> u64 {
        if self.is_complete && mode == SyncMode::FullRefresh {
            return 0;
        }
        self.changed
    }

    /// Writes it into a state.
    pub(super) fn save(self, state: &mut State, stream: &StreamName) {
        let (changed, is_complete) = (self.changed, self.is_complete);
        let value = serde_json::json!({"changed": changed, "is_complete": is_complete});
        state.set_stream(stream.clone(), value);
    }
}

/// The state to resume from, and the position of each selection in it.
///
/// # Errors
/// [`ErrorKind::State`] for the state of another connector or of a newer version, and for one that
/// is damaged.
pub(super) fn resume(
    state: Option<&State>,
    selections: &[Selection],
) -> Result<(State, Vec<Position>)> {
    let state = state.cloned();
    let state = state.unwrap_or_else(|| State::new(CONNECTOR, VERSION));
    state.expect(CONNECTOR, VERSION)?;
    let positions = selections
        .iter()
        .map(|selection| position(&state, &selection.stream));
    let positions = positions.collect::<Result<_>>()?;
    Ok((state, positions))
}

fn position(state: &State, stream: &StreamName) -> Result<Position> {
    let Some(value) = state.stream(stream.as_str()) else {
        return Ok(Position::default());
    };
    Position::deserialize(value).map_err(|_| {
        let message = "the saved state is damaged; remove it to read everything again";
        Error::new(ErrorKind::State, message).with_context("stream", stream)
    })
}

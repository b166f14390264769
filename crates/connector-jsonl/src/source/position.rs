//! The position of a read, as its state.
//!
//! The value of a stream is `{"offset":…,"line":…}`, the bytes and lines of its file that were read,
//! or `{"complete":true}` while other streams of the same read are not complete. A complete read
//! resets every stream to the beginning, so that the next one reads everything again.

use std::collections::BTreeMap;

use connector_core::{Error, ErrorKind, ReadRequest, Result, State, StreamName};
use serde::{Deserialize, Serialize};

const CONNECTOR: &str = "jsonl";
const VERSION: u32 = 1;

/// How far the file of a stream has been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Position {
    /// Bytes.
    pub(crate) offset: u64,
    /// Lines.
    pub(crate) line: u64,
    /// To its end. Then the other fields do not count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) complete: bool,
}

impl Position {
    /// After the last record.
    pub(crate) const COMPLETE: Self = Self {
        offset: 0,
        line: 0,
        complete: true,
    };
}

/// The positions of the streams that are read.
#[derive(Debug, Clone)]
pub(crate) struct Positions {
    /// Also holds streams that are not read now. Their values are kept.
    state: State,
    streams: BTreeMap<StreamName, Position>,
}

impl Positions {
    /// The positions of the request. A stream without one starts at the beginning.
    pub(crate) fn of(request: &ReadRequest) -> Result<Self> {
        let state = match &request.state {
            Some(state) => state.clone(),
            None => State::new(CONNECTOR, VERSION),
        };
        state.expect(CONNECTOR, VERSION)?;
        let streams = request.streams.iter().map(|selection| {
            let name = &selection.stream;
            Ok((name.clone(), position(&state, name)?))
        });
        Ok(Self {
            streams: streams.collect::<Result<_>>()?,
            state,
        })
    }

    /// The position of a stream, if it is requested.
    pub(crate) fn get(&self, stream: &str) -> Option<Position> {
        self.streams.get(stream).copied()
    }

    /// All requested streams.
    pub(crate) fn names(&self) -> impl Iterator<Item = &StreamName> {
        self.streams.keys()
    }

    /// Moves a stream forward, never back.
    pub(crate) fn advance(&mut self, stream: &StreamName, to: Position) {
        let Some(position) = self.streams.get_mut(stream) else {
            return;
        };
        if !position.complete && (to.complete || to.offset > position.offset) {
            *position = to;
        }
    }

    /// The state to save.
    pub(crate) fn state(&self) -> Result<State> {
        let is_over = self.streams.values().all(|position| position.complete);
        let mut state = self.state.clone();
        for (name, position) in &self.streams {
            let position = if is_over {
                Position::default()
            } else {
                *position
            };
            let value = serde_json::to_value(position).map_err(|error| {
                Error::new(ErrorKind::Internal, "a position has no JSON form").with_source(error)
            })?;
            state.set_stream(name.clone(), value);
        }
        Ok(state)
    }
}

fn position(state: &State, name: &StreamName) -> Result<Position> {
    let Some(value) = state.stream(name.as_str()) else {
        return Ok(Position::default());
    };
    Position::deserialize(value).map_err(|_| {
        let message = "the saved state of the stream is damaged; remove it to read all again";
        Error::new(ErrorKind::State, message).with_context("stream", name)
    })
}

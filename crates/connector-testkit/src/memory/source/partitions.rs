//! A read, divided: each part has some of the changes of each stream.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use async_trait::async_trait;
use connector_core::{
    Error, ErrorKind, PartitionedSource, Partitions, ReadRequest, Result, State, StreamName,
};
use serde::{Deserialize, Serialize};

use super::position::{Position, resume};
use super::{MemorySource, expect_known};

/// What [`ReadRequest::partition`] holds: for each stream the changes after the first number, up
/// to the second.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    changes: BTreeMap<StreamName, (u64, u64)>,
}

impl Part {
    /// The part that a request is; `None` if it is a whole.
    pub(super) fn of(request: &ReadRequest) -> Result<Option<Self>> {
        let part = request.partition.as_ref().map(Self::deserialize);
        part.transpose().map_err(|_| foreign())
    }

    pub(super) fn range(&self, stream: &StreamName) -> Result<(u64, u64)> {
        self.changes.get(stream).copied().ok_or_else(foreign)
    }
}

fn foreign() -> Error {
    let message = "the read request carries a part that this source did not make";
    Error::new(ErrorKind::Config, message)
}

#[async_trait]
impl PartitionedSource for MemorySource {
    async fn partitions(
        &self,
        request: &ReadRequest,
        at_most: NonZeroUsize,
        end: Option<State>,
    ) -> Result<Partitions> {
        request.expect_whole()?;
        expect_known(&request.streams)?;
        let (state, starts) = resume(request.state.as_ref(), &request.streams)?;
        let end = match end {
            Some(end) => end,
            None => self.present(request, state).await?,
        };
        let (_, ends) = resume(Some(&end), &request.streams)?;
        let mut parts = vec![Part::default(); at_most.get()];
        for ((selection, start), end) in request.streams.iter().zip(starts).zip(ends) {
            let range = (start.start(selection.mode), end.changed);
            for (part, range) in parts.iter_mut().zip(slices(range, at_most)) {
                part.changes.insert(selection.stream.clone(), range);
            }
        }
        let parts = parts.into_iter().filter(|part| !part.changes.is_empty());
        let parts = parts
            .map(|part| part_of(request, &part))
            .collect::<Result<_>>()?;
        Ok(Partitions::new(parts, end))
    }
}

impl MemorySource {
    /// The state after all changes that there are now.
    async fn present(&self, request: &ReadRequest, mut state: State) -> Result<State> {
        self.request(None).await?;
        let position = Position {
            changed: self.remote.clock(),
            is_complete: true,
        };
        for selection in &request.streams {
            position.save(&mut state, &selection.stream);
        }
        Ok(state)
    }
}

/// The range as `count` ranges that follow each other; those without a change are left out.
fn slices((after, until): (u64, u64), count: NonZeroUsize) -> Vec<(u64, u64)> {
    let length = until.saturating_sub(after);
    let count = count.get() as u64;
    let bound = |at: u64| after + length * at / count;
    let slices = (0..count).map(|at| (bound(at), bound(at + 1)));
    slices.filter(|(after, until)| after < until).collect()
}

/// The request for a part: its streams, and no state.
fn part_of(request: &ReadRequest, part: &Part) -> Result<ReadRequest> {
    let value = serde_json::to_value(part).map_err(|error| {
        Error::new(ErrorKind::Internal, "a part has no JSON form").with_source(error)
    })?;
    let streams = request.streams.iter();
    let streams = streams.filter(|selection| part.changes.contains_key(&selection.stream));
    Ok(ReadRequest::new(streams.cloned()).with_partition(value))
}

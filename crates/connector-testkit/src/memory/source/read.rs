//! One read: stream after stream, page after page, each with the checkpoint that covers it.

use async_stream::try_stream;
use connector_core::{
    JsonObject, Message, OpenRows, ReadRequest, Record, Result, State, Status, Stream,
};
use futures::stream::{BoxStream, StreamExt};
use serde_json::{Map, Value};

use super::partitions::Part;
use super::position::{Position, resume};
use super::{MemorySource, catalog, expect_known};

/// The changes of a stream that a read yields.
struct Range {
    stream: &'static Stream,
    after: u64,
    until: u64,
}

/// What a request comes to.
struct Plan {
    ranges: Vec<Range>,
    /// Absent if the request is a part, which yields no checkpoint.
    state: Option<State>,
}

impl Plan {
    fn of(request: &ReadRequest) -> Result<Self> {
        expect_known(&request.streams)?;
        let part = Part::of(request)?;
        let (state, positions) = resume(request.state.as_ref(), &request.streams)?;
        let range = |(selection, position): (&connector_core::Selection, Position)| {
            let (after, until) = match &part {
                Some(part) => part.range(&selection.stream)?,
                None => (position.start(selection.mode), u64::MAX),
            };
            let stream = catalog().stream(selection.stream.as_str())?;
            Ok(Range {
                stream,
                after,
                until,
            })
        };
        let ranges = request.streams.iter().zip(positions).map(range);
        Ok(Self {
            ranges: ranges.collect::<Result<_>>()?,
            state: part.is_none().then_some(state),
        })
    }
}

pub(super) fn read(
    source: MemorySource,
    request: ReadRequest,
) -> BoxStream<'static, Result<Message>> {
    let messages = try_stream! {
        let Plan { ranges, mut state } = Plan::of(&request)?;
        for range in ranges {
            let name = range.stream.name.clone();
            yield Message::Status(name.clone(), Status::Started);
            let mut position = Position { changed: range.after, is_complete: false };
            while !position.is_complete {
                let page = page(&source, &range, &mut position).await?;
                for record in page {
                    yield Message::Record(record);
                }
                if position.is_complete {
                    for record in removals(&source, range.stream, &request)? {
                        yield Message::Record(record);
                    }
                }
                if let Some(state) = &mut state {
                    position.save(state, &name);
                    yield Message::Checkpoint(state.clone());
                }
            }
            yield Message::Status(name, Status::Complete);
        }
    };
    messages.boxed()
}

/// The next records of a range, after which `position` covers them.
async fn page(
    source: &MemorySource,
    range: &Range,
    position: &mut Position,
) -> Result<Vec<Record>> {
    let name = &range.stream.name;
    let named = |error: connector_core::Error| error.with_context("stream", name);
    let rights = source.request(Some(name)).await.map_err(named)?;
    super::permissions::expect(range.stream, &rights)?;
    let (until, limit) = (range.until, source.page_size);
    let rows = source
        .remote
        .changes(name.as_str(), position.changed, until, limit);
    position.is_complete = rows.len() < limit;
    position.changed = rows.last().map_or(position.changed, |row| row.changed);
    // Who reads from the beginning never had what was removed since.
    let is_news = |row: &&super::super::remote::Row| !row.is_removed || range.after > 0;
    let records = rows
        .iter()
        .filter(is_news)
        .map(|row| row.record(range.stream));
    records.collect()
}

/// News of the rows that the copy takes for open and that are no longer there.
fn removals(source: &MemorySource, stream: &Stream, request: &ReadRequest) -> Result<Vec<Record>> {
    let rows = request.open_rows.get(&stream.name).into_iter().flatten();
    let (Some(open), Some(key)) = (&stream.open_rows, stream.primary_key.first()) else {
        return Ok(Vec::new());
    };
    let ids = rows.filter_map(|row| wanted(open, key, row));
    let removed_ids = ids.filter(|id| !source.remote.has(&stream.name, id));
    removed_ids.map(|id| removed(stream, key, id)).collect()
}

fn wanted<'r>(open: &OpenRows, key: &str, row: &'r [Value]) -> Option<&'r Value> {
    let at = open.wanted.iter().position(|field| field == key)?;
    row.get(at)
}

fn removed(stream: &Stream, key: &str, id: &Value) -> Result<Record> {
    let fields = Map::from_iter([(key.to_owned(), id.clone())]);
    let key = JsonObject::from_serialize(&fields)?;
    Ok(Record::removed(stream.name.clone(), key, "purged"))
}

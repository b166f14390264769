//! Tombstones, for hosts that know only rows.
//!
//! A tombstone holds the primary key alone. Sent as a row it would overwrite all other columns
//! with nulls. Sent as a deletion it would lose the row's last values. So it becomes a row of a
//! separate stream, which can be joined with the others or ignored.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Error, ErrorKind, ForecastingSource, Message, ObjectWriter, PermissionAwareSource,
    ReadRequest, Record, Result, Source, Status, Stream, StreamName, SyncMode,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::json;

/// The stream of the records that were removed at the source.
pub const REMOVED_RECORDS: &str = "gone_records";

/// A source whose tombstones are records of [`REMOVED_RECORDS`].
///
/// It has the forecasts and the permissions of the source that it wraps. It cannot be divided or
/// compared: neither knows the added stream.
pub struct TombstonesAsRecords {
    source: Arc<dyn Source>,
}

impl TombstonesAsRecords {
    /// Wraps `source`.
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source }
    }
}

#[async_trait]
impl Source for TombstonesAsRecords {
    async fn check(&self) -> Result<()> {
        self.source.check().await
    }

    async fn discover(&self) -> Result<Catalog> {
        let mut catalog = self.source.discover().await?;
        if catalog.streams.iter().any(|s| s.name == REMOVED_RECORDS) {
            let message = format!("the source has a stream `{REMOVED_RECORDS}` of its own");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let is_incremental = |stream: &Stream| stream.sync_modes.contains(&SyncMode::Incremental);
        if catalog.streams.iter().any(is_incremental) {
            catalog.streams.push(removed_records());
        }
        Ok(catalog)
    }

    fn read(&self, mut request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let asked = request.streams.len();
        request.streams.retain(|s| s.stream != REMOVED_RECORDS);
        let is_wanted = request.streams.len() < asked;
        let status = |status| Ok(Message::Status(REMOVED_RECORDS.into(), status));
        let started = stream::iter(is_wanted.then(|| status(Status::Started)));
        if request.streams.is_empty() {
            return started
                .chain(stream::iter([status(Status::Complete)]))
                .boxed();
        }
        let messages = self.source.read(request).filter_map(move |message| {
            std::future::ready(match message {
                Ok(Message::Record(record)) if record.is_removed() => {
                    is_wanted.then(|| Ok(Message::Record(as_record(&record))))
                }
                message => Some(message),
            })
        });
        // Nothing may follow an error.
        let messages = messages.map(Some).chain(stream::iter([None]));
        let complete = messages.scan(false, move |has_failed, message| {
            let message = match message {
                Some(message) => {
                    *has_failed = message.is_err();
                    Some(message)
                }
                None if *has_failed || !is_wanted => None,
                None => Some(status(Status::Complete)),
            };
            std::future::ready(message)
        });
        started.chain(complete).boxed()
    }

    fn forecasting(&self) -> Option<&dyn ForecastingSource> {
        self.source.forecasting()
    }

    fn permission_aware(&self) -> Option<&dyn PermissionAwareSource> {
        self.source.permission_aware()
    }
}

/// What the stream looks like.
fn removed_records() -> Stream {
    let text = |description: &str| json!({"type": "string", "description": description});
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "stream": text("The stream of the record."),
            "key": text("Its primary key, as JSON: {\"id\":\"…\"}."),
            "reason": text("Why the source no longer has it, in one word that the source defines."),
        },
        "required": ["stream", "key"],
    });
    let description = "Records of the other streams that the source no longer has. Their rows keep \
                       their last values; a record that reappears is a row of its stream again.";
    Stream::new(REMOVED_RECORDS, description, schema)
        .with_primary_key(["stream", "key"])
        // Each is reported once: there is no full list.
        .with_sync_modes([SyncMode::Incremental])
}

fn as_record(record: &Record) -> Record {
    let mut row = ObjectWriter::with_capacity(128);
    row.string("stream", record.stream.as_str());
    row.string("key", &record.data.single_line());
    row.string("reason", record.removal_reason().unwrap_or_default());
    Record::new(StreamName::from(REMOVED_RECORDS), row.finish())
}

#[cfg(test)]
mod tests {
    use connector_core::{JsonObject, Selection};
    use futures::executor::block_on;

    use super::*;

    struct OneRemoved {
        fails: bool,
    }

    #[async_trait]
    impl Source for OneRemoved {
        async fn check(&self) -> Result<()> {
            Ok(())
        }

        async fn discover(&self) -> Result<Catalog> {
            Ok(Catalog::default())
        }

        fn read(&self, _request: ReadRequest) -> BoxStream<'static, Result<Message>> {
            let key = JsonObject::parse("{\n\"id\":\"a\"}").unwrap();
            let removed = Record::removed("builds".into(), key, "aged_out");
            let failure = Err(Error::new(ErrorKind::Unavailable, "down"));
            let messages = [
                Some(Ok(Message::Record(removed))),
                self.fails.then_some(failure),
            ];
            stream::iter(messages.into_iter().flatten()).boxed()
        }
    }

    fn read(fails: bool, streams: &[&str]) -> Vec<Result<Message>> {
        let source = TombstonesAsRecords::new(Arc::new(OneRemoved { fails }));
        let selections = streams.iter().map(|name| Selection::incremental(*name));
        block_on(source.read(ReadRequest::new(selections)).collect())
    }

    #[test]
    fn a_tombstone_is_a_row_of_its_own() {
        let messages = read(false, &["builds", REMOVED_RECORDS]);
        let Ok(Message::Record(record)) = &messages[1] else {
            panic!("{messages:?}");
        };
        assert_eq!(
            record.data.as_str(),
            r#"{"stream":"builds","key":"{ \"id\":\"a\"}","reason":"aged_out"}"#
        );
        assert!(!record.is_removed());
        let complete = Message::Status(REMOVED_RECORDS.into(), Status::Complete);
        assert_eq!(messages[2].as_ref().unwrap(), &complete);
    }

    #[test]
    fn it_never_comes_as_a_row_of_its_stream() {
        assert!(read(false, &["builds"]).is_empty());
    }

    #[test]
    fn nothing_follows_an_error() {
        let messages = read(true, &["builds", REMOVED_RECORDS]);
        assert!(messages.last().is_some_and(Result::is_err), "{messages:?}");
    }
}

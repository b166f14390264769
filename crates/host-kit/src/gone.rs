//! Records that a source no longer has, for hosts that know rows only.
//!
//! Of such a record the source tells the primary key alone. Sent as a row it would overwrite all
//! other columns with nulls, sent as a deletion it would lose what is to be kept. So it becomes a
//! row of a stream of its own: who keeps the copy joins the two, or ignores it.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Catalog, Error, ErrorKind, Forecast, Message, ObjectWriter, ReadRequest, Record, Result,
    Source, Status, Stream, StreamName, SyncMode,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::json;

/// The stream of the records that are gone.
pub const GONE_RECORDS: &str = "gone_records";

/// A source whose records that are gone are records of [`GONE_RECORDS`].
pub struct GoneAsRecords {
    source: Arc<dyn Source>,
}

impl GoneAsRecords {
    /// The same source otherwise.
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source }
    }
}

#[async_trait]
impl Source for GoneAsRecords {
    async fn check(&self) -> Result<()> {
        self.source.check().await
    }

    async fn discover(&self) -> Result<Catalog> {
        let mut catalog = self.source.discover().await?;
        if catalog.streams.iter().any(|s| s.name == GONE_RECORDS) {
            let message = format!("the source has a stream `{GONE_RECORDS}` of its own");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let is_incremental = |stream: &Stream| stream.sync_modes.contains(&SyncMode::Incremental);
        if catalog.streams.iter().any(is_incremental) {
            catalog.streams.push(gone_records());
        }
        Ok(catalog)
    }

    fn read(&self, mut request: ReadRequest) -> BoxStream<'static, Result<Message>> {
        let asked = request.streams.len();
        request.streams.retain(|s| s.stream != GONE_RECORDS);
        let is_wanted = request.streams.len() < asked;
        let status = |status| Ok(Message::Status(GONE_RECORDS.into(), status));
        let started = stream::iter(is_wanted.then(|| status(Status::Started)));
        if request.streams.is_empty() {
            return started
                .chain(stream::iter([status(Status::Complete)]))
                .boxed();
        }
        let messages = self.source.read(request).filter_map(move |message| {
            std::future::ready(match message {
                Ok(Message::Record(record)) if record.gone.is_some() => {
                    is_wanted.then(|| Ok(Message::Record(as_record(&record))))
                }
                message => Some(message),
            })
        });
        // Behind an error nothing may follow.
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

    async fn forecast(&self, request: ReadRequest) -> Result<Forecast> {
        self.source.forecast(request).await
    }
}

/// What the stream looks like.
fn gone_records() -> Stream {
    let text = |description: &str| json!({"type": "string", "description": description});
    Stream {
        name: GONE_RECORDS.into(),
        description: "Records of the other streams that the source no longer has. Their rows \
                      stay as they were last; one that comes again later is there again."
            .to_owned(),
        json_schema: json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "stream": text("The stream of the record."),
                "key": text("Its primary key, as JSON: {\"id\":\"…\"}."),
                "reason": text("Why it is gone, in a word of the source's."),
            },
            "required": ["stream", "key"],
        }),
        primary_key: vec!["stream".to_owned(), "key".to_owned()],
        cursor: None,
        // Never in full: it is told once.
        sync_modes: vec![SyncMode::Incremental],
        is_default: true,
        scopes: Vec::new(),
        is_readable: None,
    }
}

fn as_record(record: &Record) -> Record {
    let mut row = ObjectWriter::with_capacity(128);
    row.string("stream", record.stream.as_str());
    row.string("key", &record.data.single_line());
    row.string("reason", record.gone.as_deref().unwrap_or_default());
    Record::new(StreamName::from(GONE_RECORDS), row.finish())
}

#[cfg(test)]
mod tests {
    use connector_core::{JsonObject, Selection};
    use futures::executor::block_on;

    use super::*;

    struct OneGone {
        fails: bool,
    }

    #[async_trait]
    impl Source for OneGone {
        async fn check(&self) -> Result<()> {
            Ok(())
        }

        async fn discover(&self) -> Result<Catalog> {
            Ok(Catalog::default())
        }

        fn read(&self, _request: ReadRequest) -> BoxStream<'static, Result<Message>> {
            let key = JsonObject::parse("{\n\"id\":\"a\"}").unwrap();
            let gone = Record::gone("builds".into(), key, "aged_out");
            let failure = Err(Error::new(ErrorKind::Unavailable, "down"));
            let messages = [
                Some(Ok(Message::Record(gone))),
                self.fails.then_some(failure),
            ];
            stream::iter(messages.into_iter().flatten()).boxed()
        }
    }

    fn read(fails: bool, streams: &[&str]) -> Vec<Result<Message>> {
        let source = GoneAsRecords::new(Arc::new(OneGone { fails }));
        let selections = streams.iter().map(|name| Selection::incremental(*name));
        block_on(source.read(ReadRequest::new(selections)).collect())
    }

    #[test]
    fn a_record_that_is_gone_is_a_row_of_its_own() {
        let messages = read(false, &["builds", GONE_RECORDS]);
        let Ok(Message::Record(record)) = &messages[1] else {
            panic!("{messages:?}");
        };
        assert_eq!(
            record.data.as_str(),
            r#"{"stream":"builds","key":"{ \"id\":\"a\"}","reason":"aged_out"}"#
        );
        assert_eq!(record.gone, None);
        let complete = Message::Status(GONE_RECORDS.into(), Status::Complete);
        assert_eq!(messages[2].as_ref().unwrap(), &complete);
    }

    #[test]
    fn it_never_comes_as_a_row_of_its_stream() {
        assert!(read(false, &["builds"]).is_empty());
    }

    #[test]
    fn nothing_follows_an_error() {
        let messages = read(true, &["builds", GONE_RECORDS]);
        assert!(messages.last().is_some_and(Result::is_err), "{messages:?}");
    }
}

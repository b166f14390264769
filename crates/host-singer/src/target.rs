//! The target: Singer's messages into a destination.
//!
//! Streams are announced one by one. The first one starts the sync; the others are added while it
//! runs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{Read, Write};

use connector_core::{
    Capabilities, Connector, Error, ErrorKind, JsonObject, Record, Result, Stream, StreamPlan,
};
use host_kit::input::{self, Lines};
use host_kit::{DestinationSettings, HostContext, HostError, WireWriter};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::arguments::TargetArguments;
use crate::output::Output;

/// The name of all syncs. The runner tells them apart.
const SYNC: &str = "singer";

/// The parts of a line that matter here.
#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    schema: Option<Value>,
    key_properties: Option<Vec<String>>,
}

/// Writes the incoming records, and prints each state once everything before it is durable.
pub(crate) async fn target<W: Write, E: Write>(
    connector: &dyn Connector,
    arguments: &TargetArguments,
    context: &HostContext,
    stdin: impl Read + Send + 'static,
    output: &mut Output<W, E>,
) -> Result<(), HostError> {
    let role = connector.expect_destination()?;
    let settings = DestinationSettings::read(arguments.common.config.as_deref(), role)?;
    let mut writing = Writing {
        // Wrong settings are reported before any input is read.
        writer: WireWriter::open(SYNC, role, &settings, context, output).await?,
        output,
        capabilities: role.capabilities(),
        streams: Vec::new(),
        unknown: BTreeSet::new(),
    };
    let written = writing.run(Lines::new(stdin, context.stop.clone())?).await;
    writing.writer.close(written, writing.output).await
}

struct Writing<'a, W: Write, E: Write> {
    writer: WireWriter,
    output: &'a mut Output<W, E>,
    capabilities: Capabilities,
    /// The streams that were announced.
    streams: Vec<Stream>,
    /// Message types for which a warning was printed.
    unknown: BTreeSet<String>,
}

impl<W: Write, E: Write> Writing<'_, W, E> {
    async fn run(&mut self, mut lines: Lines) -> Result<(), HostError> {
        while let Some(line) = lines.next_line().await? {
            self.line(line)
                .await
                .map_err(|error| error.with_context("line", lines.number()))?;
            self.writer.after_line(&mut lines, self.output).await?;
        }
        self.writer.finish(self.output).await
    }

    async fn line(&mut self, line: &str) -> Result<(), HostError> {
        let incoming: Incoming<'_> = input::message(line)?;
        match (&*incoming.kind, incoming.stream) {
            ("RECORD", Some(stream)) => {
                let record = expect(incoming.record, "a RECORD message has no `record`")?;
                self.record(&stream, record).await
            }
            ("SCHEMA", Some(stream)) => {
                let schema = expect(incoming.schema, "a SCHEMA message has no `schema`")?;
                let key = incoming.key_properties.unwrap_or_default();
                let stream = Stream::new(&*stream, "", schema).with_primary_key(key);
                self.schema(stream).await
            }
            ("RECORD" | "SCHEMA", None) => Err(wrong("a message has no `stream`").into()),
            ("STATE", _) => {
                let state = expect(incoming.value, "a STATE message has no `value`")?;
                self.writer.replace_state(state.get().to_owned());
                Ok(())
            }
            // The records are in another file. To skip them would lose them.
            ("BATCH", _) => Err(wrong("messages of the type BATCH are not supported").into()),
            // It says which rows are old. This target deletes nothing.
            ("ACTIVATE_VERSION", _) => Ok(()),
            (kind, _) => {
                self.warn_of(kind);
                Ok(())
            }
        }
    }

    fn warn_of(&mut self, kind: &str) {
        if self.unknown.insert(kind.to_owned()) {
            let text = "messages of an unknown type are skipped:";
            self.output.tell("WARNING", format_args!("{text} {kind}"));
        }
    }

    async fn schema(&mut self, stream: Stream) -> Result<(), HostError> {
        let mut known = self.streams.iter();
        match known.position(|known| known.name == stream.name) {
            // Taps repeat schemas.
            Some(index) if self.streams[index] == stream => return Ok(()),
            Some(index) => self.streams[index] = stream.clone(),
            None => self.streams.push(stream.clone()),
        }
        let mode = self.capabilities.preferred_mode(&stream)?;
        let plan = StreamPlan::new(stream, mode);
        self.writer.add_stream(plan, self.output).await
    }

    async fn record(&mut self, stream: &str, record: &RawValue) -> Result<(), HostError> {
        let refuse = |message: &str| wrong(message).with_context("stream", stream);
        let Some(known) = self.streams.iter().find(|known| known.name == *stream) else {
            return Err(refuse("a record arrived before the schema of its stream").into());
        };
        let data =
            JsonObject::from_raw(record).ok_or_else(|| refuse("a record is not an object"))?;
        let record = Record::new(known.name.clone(), data);
        self.writer.take(record, self.output).await
    }
}

fn expect<T>(member: Option<T>, message: &str) -> Result<T> {
    member.ok_or_else(|| wrong(message))
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::Data, message)
}

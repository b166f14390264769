//! `write`: messages of standard input into a destination.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Read, Write};

use connector_core::{Connector, Error, ErrorKind, JsonObject, Record, Result, StreamName};
use host_kit::input::{self, Lines};
use host_kit::{DestinationSettings, HostContext, HostError, Report, WireWriter};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arguments;
use crate::catalog::{ConfiguredCatalog, PlannedStream};
use crate::output::Output;

/// The name of all syncs. The host tells them apart.
const SYNC: &str = "airbyte";

/// The parts of a line that matter here. Hosts write the other members as nulls.
#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    record: Option<IncomingRecord<'a>>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct IncomingRecord<'a> {
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The stream of a state, if the state is of one stream.
#[derive(Deserialize)]
struct OfStream {
    stream: Option<StreamPart>,
}

#[derive(Deserialize)]
struct StreamPart {
    stream_descriptor: Descriptor,
}

#[derive(Deserialize)]
struct Descriptor {
    name: String,
}

/// Writes the incoming records, and passes each state on once everything before it is durable.
pub(crate) async fn write<W: Write>(
    connector: &dyn Connector,
    arguments: &arguments::Write,
    context: &HostContext,
    stdin: impl Read + Send + 'static,
    output: &mut Output<W>,
) -> Result<(), HostError> {
    let role = connector.expect_destination()?;
    let settings = DestinationSettings::read(Some(&arguments.config.config), role)?;
    let configured = ConfiguredCatalog::read(&arguments.catalog)?;
    let mut planned = configured.plan(&role.capabilities())?;
    for notice in planned.iter_mut().filter_map(|one| one.notice.take()) {
        output.report(notice)?;
    }
    let mut writer = WireWriter::open(SYNC, role, &settings, context, output).await?;
    let plans = planned.iter().map(|one| one.plan.clone()).collect();
    writer.start(plans, output).await?;
    let mut writing = Writing {
        output,
        writer,
        streams: planned.into_iter().map(OpenStream::from).collect(),
        counts: HashMap::new(),
    };
    let written = writing.run(Lines::new(stdin, context.stop.clone())?).await;
    writing.writer.close(written, writing.output).await
}

/// A stream that is written.
struct OpenStream {
    name: StreamName,
    /// The namespace of its records, once one has arrived.
    namespace: Option<String>,
}

impl From<PlannedStream> for OpenStream {
    fn from(planned: PlannedStream) -> Self {
        Self {
            name: planned.plan.stream.name,
            namespace: planned.namespace,
        }
    }
}

struct Writing<'a, W: Write> {
    output: &'a mut Output<W>,
    writer: WireWriter,
    streams: Vec<OpenStream>,
    /// Records since the last state of their stream.
    counts: HashMap<StreamName, u64>,
}

impl<W: Write> Writing<'_, W> {
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
        match (&*incoming.kind, incoming.record, incoming.state) {
            ("RECORD", Some(record), _) => self.record(record).await,
            ("STATE", _, Some(state)) => Ok(self.state(state)?),
            ("RECORD" | "STATE", ..) => {
                let message = "a message lacks the member that its type announces";
                Err(Error::new(ErrorKind::Data, message).into())
            }
            // Logs and traces of other programs are not for a destination.
            _ => Ok(()),
        }
    }

    async fn record(&mut self, record: IncomingRecord<'_>) -> Result<(), HostError> {
        let stream = self.stream(&record)?;
        let Some(data) = JsonObject::from_raw(record.data) else {
            let message = "the data of a record is not an object";
            let error = Error::new(ErrorKind::Data, message);
            return Err(error.with_context("stream", &stream).into());
        };
        *self.counts.entry(stream.clone()).or_default() += 1;
        let record = Record::new(stream, data);
        self.writer.take(record, self.output).await
    }

    /// The stream of a record. Records of another namespace would be mixed with the others.
    fn stream(&mut self, record: &IncomingRecord<'_>) -> Result<StreamName> {
        let unknown = |message: &str| {
            Err(Error::new(ErrorKind::Data, message).with_context("stream", &*record.stream))
        };
        let mut streams = self.streams.iter_mut();
        let Some(open) = streams.find(|open| open.name == *record.stream) else {
            return unknown("a record is of a stream that is not in the catalog");
        };
        if let Some(namespace) = &record.namespace {
            let known = open.namespace.get_or_insert_with(|| namespace.to_string());
            if *known != **namespace {
                return unknown("a record is of a namespace that is not in the catalog");
            }
        }
        Ok(open.name.clone())
    }

    /// Takes a state. It is passed on unchanged, with the number of records before it.
    fn state(&mut self, state: &RawValue) -> Result<()> {
        let of: OfStream = input::message(state.get())?;
        let stream = of.stream.map(|part| part.stream_descriptor.name);
        let count = match &stream {
            Some(stream) => self.counts.remove(stream.as_str()).unwrap_or(0),
            None => self.counts.drain().map(|(_, count)| count).sum(),
        };
        let line = with_count(state, count)?;
        self.writer.take_state(stream.as_deref(), line);
        Ok(())
    }
}

fn with_count(state: &RawValue, count: u64) -> Result<String> {
    const STATS: &str = "destinationStats";
    let state = JsonObject::parse(state.get())?;
    let mut line = String::with_capacity(state.as_str().len() + 64);
    line.push_str(r#"{"type":"STATE","state":{"#);
    for (name, value) in state.fields()? {
        if name != STATS && value.get() != "null" {
            line.push_str(&format!("{}:{value},", serde_json::Value::from(&*name)));
        }
    }
    // The protocol uses a float.
    let count = count as f64;
    line.push_str(&format!(r#""{STATS}":{{"recordCount":{count:?}}}}}}}"#));
    Ok(line)
}

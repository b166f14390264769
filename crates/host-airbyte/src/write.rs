//! `write`: messages of standard input into a destination.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufReader, Read, Write};

use connector_core::{Connector, Error, ErrorKind, JsonObject, Record, Result, Setup, StreamName};
use host_kit::{Events, Halt, Intake, input};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arguments;
use crate::catalog::ConfiguredCatalog;
use crate::output::Output;

/// The name under which a destination may note something of its own.
const SYNC: &str = "airbyte";

/// One line, as far as it is looked at. Hosts write the other members as nulls.
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
    data: &'a RawValue,
}

/// The stream of a state, if it is that of one stream.
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

/// Writes what comes, and passes each state on once everything before it is durable.
pub(crate) async fn write<W: Write>(
    connector: &dyn Connector,
    arguments: &arguments::Write,
    stdin: impl Read,
    output: &mut Output<W>,
) -> Result<(), Halt> {
    let mut events = Events::new();
    let settings = input::destination_settings(&arguments.config.config, connector)?;
    let configured: ConfiguredCatalog = input::json_file(&arguments.catalog, "the catalog")?;
    for stream in configured.overwritten() {
        let message = "rows are added or replaced by their key, none is deleted";
        output.log("WARN", &format!("{stream}: {message}"))?;
    }
    let streams = configured.into_streams();
    let names = streams.iter().map(|stream| stream.name.clone()).collect();
    let setup = Setup::new(settings.configuration).with_observer(events.observer());
    let destination = connector.open_destination(setup).await?;
    let start = Intake::start(destination, SYNC, streams, settings.dead_letters.as_deref());
    let intake = events
        .while_waiting(start, |notice| output.notice(notice))
        .await??;
    let writing = Writing {
        output,
        events,
        intake,
        streams: names,
        counts: HashMap::new(),
        pending: Vec::new(),
        refused: 0,
    };
    writing.run(BufReader::new(stdin)).await
}

struct Writing<'a, W: Write> {
    output: &'a mut Output<W>,
    events: Events,
    intake: Intake,
    streams: Vec<StreamName>,
    /// Records since the last state of their stream.
    counts: HashMap<StreamName, u64>,
    /// States whose records are not durable yet.
    pending: Vec<String>,
    refused: u64,
}

impl<W: Write> Writing<'_, W> {
    async fn run(mut self, stdin: BufReader<impl Read>) -> Result<(), Halt> {
        let mut lines = input::Lines::new(stdin);
        while let Some(line) = lines.next_line()? {
            self.line(line)
                .await
                .map_err(|halt| halt.with_context("line", lines.number()))?;
            // Before a wait for more, what has come is made durable and its states are told.
            if !self.pending.is_empty() && !lines.has_more() {
                self.commit().await?;
            }
        }
        self.commit().await?;
        let output = &mut *self.output;
        self.events
            .while_waiting(self.intake.finish(), |notice| output.notice(notice))
            .await??;
        match self.refused {
            0 => Ok(()),
            refused => Err(refused_records(refused).into()),
        }
    }

    async fn line(&mut self, line: &str) -> Result<(), Halt> {
        let incoming: Incoming<'_> = input::parse(line, "a message")?;
        match (&*incoming.kind, incoming.record, incoming.state) {
            ("RECORD", Some(record), _) => self.record(record).await,
            ("STATE", _, Some(state)) => {
                let state = self.with_stats(state)?;
                self.pending.push(state);
                Ok(())
            }
            ("RECORD" | "STATE", ..) => {
                let message = "a message lacks what its type announces";
                Err(Error::new(ErrorKind::Config, message).into())
            }
            // What other programs log and trace is not for a destination.
            _ => Ok(()),
        }
    }

    async fn record(&mut self, record: IncomingRecord<'_>) -> Result<(), Halt> {
        let Some(stream) = self.streams.iter().find(|s| **s == *record.stream) else {
            let message = "a record is of a stream that is not in the catalog";
            return Err(Error::new(ErrorKind::Config, message).into());
        };
        let stream = stream.clone();
        let Some(data) = JsonObject::from_raw(record.data) else {
            let message = "the data of a record is not an object";
            return Err(Error::new(ErrorKind::Config, message)
                .with_context("stream", &stream)
                .into());
        };
        *self.counts.entry(stream.clone()).or_default() += 1;
        let taken = self.intake.take(Record::new(stream, data));
        let output = &mut *self.output;
        self.events
            .while_waiting(taken, |notice| output.notice(notice))
            .await??;
        self.tell_refusals()
    }

    async fn commit(&mut self) -> Result<(), Halt> {
        let output = &mut *self.output;
        self.events
            .while_waiting(self.intake.commit(), |notice| output.notice(notice))
            .await??;
        self.tell_refusals()?;
        let may_pass = self.refused == 0;
        for state in self.pending.drain(..).filter(|_| may_pass) {
            self.output.line(&state)?;
        }
        Ok(self.output.flush()?)
    }

    fn tell_refusals(&mut self) -> Result<(), Halt> {
        for refusal in self.intake.take_refusals() {
            self.refused += u64::from(!refusal.is_kept);
            let level = if refusal.is_kept { "WARN" } else { "ERROR" };
            self.output.log(level, &refusal.to_string())?;
        }
        Ok(())
    }

    /// The message that passes a state on: as it came, with the number of records before it.
    fn with_stats(&mut self, state: &RawValue) -> Result<String> {
        const STATS: &str = "destinationStats";
        let what = "a state";
        let of: OfStream = input::parse(state.get(), what)?;
        let count = match of.stream {
            Some(part) => self.counts.remove(&*part.stream_descriptor.name),
            None => Some(self.counts.drain().map(|(_, count)| count).sum()),
        };
        let state = JsonObject::parse(state.get())?;
        let mut line = String::with_capacity(state.as_str().len() + 64);
        line.push_str(r#"{"type":"STATE","state":{"#);
        for (name, value) in state.fields()? {
            if name != STATS && value.get() != "null" {
                line.push_str(&format!("{}:{value},", serde_json::Value::from(&*name)));
            }
        }
        let count = count.unwrap_or(0) as f64;
        line.push_str(&format!(r#""{STATS}":{{"recordCount":{count:?}}}}}}}"#));
        Ok(line)
    }
}

fn refused_records(count: u64) -> Error {
    let message = format!(
        "{count} records were refused and kept nowhere, so no state behind them was passed on; \
         set `dead_letter` to keep such records in a file"
    );
    Error::new(ErrorKind::Data, message)
}

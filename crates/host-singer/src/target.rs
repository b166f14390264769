//! The target: Singer's messages into a destination.
//!
//! Streams are announced one by one, while a destination is started once, for all of them. So it
//! is opened at the first record; when another stream is announced later, what was written is
//! made durable and the destination is opened again.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{BufReader, Read, Write};
use std::path::PathBuf;

use connector_core::{
    Configuration, Connector, Error, ErrorKind, JsonObject, Record, Result, Setup, Stream, SyncMode,
};
use host_kit::input::Lines;
use host_kit::{Events, Halt, Intake, input};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::arguments::TargetArguments;
use crate::output::Output;

/// The name under which a destination may note something of its own.
const SYNC: &str = "singer";

/// One line, as far as it is looked at.
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

/// Writes what comes, and prints each state once everything before it is durable.
pub(crate) async fn target<W: Write, E: Write>(
    connector: &dyn Connector,
    arguments: &TargetArguments,
    stdin: impl Read,
    output: &mut Output<W, E>,
) -> Result<(), Halt> {
    let (configuration, dead_letters) = match &arguments.common.config {
        Some(path) => {
            let settings = input::destination_settings(path, connector)?;
            (settings.configuration, settings.dead_letters)
        }
        None => (Configuration::default(), None),
    };
    // Wrong settings are told before anything is taken; nothing is requested yet.
    drop(
        connector
            .open_destination(Setup::new(configuration.clone()))
            .await?,
    );
    let writing = Writing {
        connector,
        configuration,
        dead_letters,
        output,
        events: Events::new(),
        streams: Vec::new(),
        intake: None,
        pending: None,
        refused: 0,
        unknown: BTreeSet::new(),
    };
    writing.run(Lines::new(BufReader::new(stdin))).await
}

struct Writing<'a, W: Write, E: Write> {
    connector: &'a dyn Connector,
    configuration: Configuration,
    dead_letters: Option<PathBuf>,
    output: &'a mut Output<W, E>,
    events: Events,
    streams: Vec<Stream>,
    /// Takes the records of all `streams`; none before the first record, and when a stream was
    /// announced since.
    intake: Option<Intake>,
    /// The last state, while what came before it is not durable yet.
    pending: Option<String>,
    refused: u64,
    /// Kinds of messages that were warned of.
    unknown: BTreeSet<String>,
}

impl<W: Write, E: Write> Writing<'_, W, E> {
    async fn run(mut self, mut lines: Lines<impl Read>) -> Result<(), Halt> {
        while let Some(line) = lines.next_line()? {
            self.line(line)
                .await
                .map_err(|halt| halt.with_context("line", lines.number()))?;
            // Before a wait for more, what has come is made durable and its state is told.
            if self.pending.is_some() && !lines.has_more() {
                self.commit().await?;
            }
        }
        if self.intake.is_none() && !self.streams.is_empty() {
            self.open().await?;
        }
        self.commit().await?;
        self.finish().await?;
        match self.refused {
            0 => Ok(()),
            refused => Err(refused_records(refused).into()),
        }
    }

    async fn line(&mut self, line: &str) -> Result<(), Halt> {
        let incoming: Incoming<'_> = input::parse(line, "a message")?;
        let wrong = |message: &str| Err(Error::new(ErrorKind::Config, message).into());
        match (&*incoming.kind, incoming.stream) {
            ("RECORD", Some(stream)) => match incoming.record {
                Some(record) => self.record(&stream, record).await,
                None => wrong("a message RECORD has no `record`"),
            },
            ("SCHEMA", Some(stream)) => match incoming.schema {
                Some(schema) => {
                    let key = incoming.key_properties.unwrap_or_default();
                    self.schema(&stream, schema, key).await
                }
                None => wrong("a message SCHEMA has no `schema`"),
            },
            ("RECORD" | "SCHEMA", None) => wrong("a message names no `stream`"),
            ("STATE", _) => match incoming.value {
                Some(value) => {
                    self.pending = Some(value.get().to_owned());
                    Ok(())
                }
                None => wrong("a message STATE has no `value`"),
            },
            // Records that lie elsewhere: to skip them would lose them.
            ("BATCH", _) => wrong("messages of the type BATCH are not understood"),
            // Tells which rows are old. Nothing is deleted here.
            ("ACTIVATE_VERSION", _) => Ok(()),
            (kind, _) => {
                if self.unknown.insert(kind.to_owned()) {
                    let text = "messages of a type that is not known are skipped:";
                    self.output.tell("WARNING", format_args!("{text} {kind}"));
                }
                Ok(())
            }
        }
    }

    async fn schema(&mut self, name: &str, schema: Value, key: Vec<String>) -> Result<(), Halt> {
        let stream = Stream {
            name: name.into(),
            description: String::new(),
            json_schema: schema,
            primary_key: key,
            cursor: None,
            sync_modes: vec![SyncMode::Incremental],
            is_default: true,
            scopes: Vec::new(),
            is_readable: None,
        };
        match self
            .streams
            .iter()
            .position(|known| known.name == stream.name)
        {
            // Taps repeat what they have said.
            Some(index) if self.streams[index] == stream => return Ok(()),
            Some(index) => self.streams[index] = stream,
            None => self.streams.push(stream),
        }
        self.commit().await?;
        self.finish().await?;
        self.intake = None;
        Ok(())
    }

    async fn record(&mut self, stream: &str, record: &RawValue) -> Result<(), Halt> {
        let refuse =
            |message: &str| Error::new(ErrorKind::Config, message).with_context("stream", stream);
        let Some(known) = self.streams.iter().find(|known| known.name == *stream) else {
            return Err(refuse("a record comes before the schema of its stream").into());
        };
        let name = known.name.clone();
        let Some(data) = JsonObject::from_raw(record) else {
            return Err(refuse("a record is not an object").into());
        };
        if self.intake.is_none() {
            self.open().await?;
        }
        if let Some(intake) = &mut self.intake {
            let taken = intake.take(Record::new(name, data));
            let output = &mut *self.output;
            self.events
                .while_waiting(taken, |notice| output.notice(notice))
                .await??;
        }
        self.tell_refusals();
        Ok(())
    }

    async fn open(&mut self) -> Result<(), Halt> {
        let setup = Setup::new(self.configuration.clone()).with_observer(self.events.observer());
        let (connector, streams) = (self.connector, self.streams.clone());
        let dead_letters = self.dead_letters.as_deref();
        let opened = async {
            let destination = connector.open_destination(setup).await?;
            Intake::start(destination, SYNC, streams, dead_letters).await
        };
        let output = &mut *self.output;
        let intake = self
            .events
            .while_waiting(opened, |notice| output.notice(notice))
            .await??;
        self.intake = Some(intake);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), Halt> {
        if let Some(intake) = &mut self.intake {
            let output = &mut *self.output;
            self.events
                .while_waiting(intake.finish(), |notice| output.notice(notice))
                .await??;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Halt> {
        if let Some(intake) = &mut self.intake {
            let output = &mut *self.output;
            self.events
                .while_waiting(intake.commit(), |notice| output.notice(notice))
                .await??;
        }
        self.tell_refusals();
        let may_pass = self.refused == 0;
        if let Some(state) = self.pending.take().filter(|_| may_pass) {
            self.output.line(&state)?;
        }
        Ok(self.output.flush()?)
    }

    fn tell_refusals(&mut self) {
        let refusals = self.intake.as_mut().map(Intake::take_refusals);
        for refusal in refusals.into_iter().flatten() {
            self.refused += u64::from(!refusal.is_kept);
            let level = if refusal.is_kept { "WARNING" } else { "ERROR" };
            self.output.tell(level, refusal.to_string());
        }
    }
}

fn refused_records(count: u64) -> Error {
    let message = format!(
        "{count} records were refused and kept nowhere, so no state behind them was passed on; \
         set `dead_letter` to keep such records in a file"
    );
    Error::new(ErrorKind::Data, message)
}

//! The tap: the messages of a source, as Singer's.

use std::io::Write;

use connector_core::{
    Configuration, Connector, Message, ReadRequest, Record, Setup, Source, State, StreamName,
};
use host_kit::{Events, GoneAsRecords, Halt, Step, Steps, input};
use serde_json::json;

use crate::arguments::TapArguments;
use crate::catalog::{GivenCatalog, Wanted, discovered, wanted_by_default};
use crate::output::Output;
use crate::state;

/// Prints the catalog, or reads what of it is wanted, from the state on.
pub(crate) async fn tap<W: Write, E: Write>(
    connector: &dyn Connector,
    arguments: &TapArguments,
    output: &mut Output<W, E>,
) -> Result<(), Halt> {
    let mut events = Events::new();
    let configuration = match &arguments.common.config {
        Some(path) => input::source_settings(path)?,
        None => Configuration::default(),
    };
    let setup = Setup::new(configuration).with_observer(events.observer());
    let source = GoneAsRecords::new(connector.open_source(setup).await?);
    let known = events
        .while_waiting(source.discover(), |notice| output.notice(notice))
        .await??;
    if arguments.discover {
        return Ok(output.document(&discovered(&known))?);
    }
    let wanted = match &arguments.catalog {
        Some(path) => input::json_file::<GivenCatalog>(path, "the catalog")?.wanted(&known)?,
        None => wanted_by_default(known)?,
    };
    let last = state::read(arguments.state.as_deref())?;
    let streams: Vec<_> = wanted.iter().map(|w| w.stream.name.clone()).collect();
    if streams.is_empty() {
        output.tell("WARNING", "no stream is selected");
        return Ok(output.message(&state::message(last.as_ref()))?);
    }
    let request = ReadRequest::new(wanted.iter().map(|w| w.read.clone()));
    let messages = source.read(request.with_state(last.clone()));
    let steps = Steps::new(messages, events, streams.clone());
    let reading = Reading {
        output,
        announced: vec![false; wanted.len()],
        wanted,
        streams,
        last,
        has_told_state: false,
    };
    reading.run(steps).await
}

struct Reading<'a, W: Write, E: Write> {
    output: &'a mut Output<W, E>,
    wanted: Vec<Wanted>,
    /// Whether the schema of each was sent.
    announced: Vec<bool>,
    streams: Vec<StreamName>,
    last: Option<State>,
    has_told_state: bool,
}

impl<W: Write, E: Write> Reading<'_, W, E> {
    async fn run(mut self, mut steps: Steps) -> Result<(), Halt> {
        loop {
            match steps.next().await? {
                Some(Step::Message(message)) => self.message(message)?,
                Some(Step::Notice(notice)) => self.output.notice(notice)?,
                Some(Step::Idle) => self.output.flush()?,
                None => return self.end(),
            }
        }
    }

    /// A runner keeps the last state that it was told: where streams have none of their own, that
    /// of all others must not be lost.
    fn end(&mut self) -> Result<(), Halt> {
        if !self.has_told_state {
            self.output.message(&state::message(self.last.as_ref()))?;
        }
        Ok(self.output.flush()?)
    }

    fn message(&mut self, message: Message) -> Result<(), Halt> {
        match message {
            Message::Record(record) => self.record(&record),
            Message::Checkpoint(mut state) => {
                state::carry(&mut state, self.last.as_ref(), &self.streams);
                self.has_told_state = true;
                self.output.message(&state::message(Some(&state)))?;
                Ok(self.output.flush()?)
            }
            // A target makes a table for a stream without records, too.
            Message::Status(stream, _) => self.announce(&stream).map(drop),
            _ => Ok(()),
        }
    }

    fn record(&mut self, record: &Record) -> Result<(), Halt> {
        let Some(index) = self.announce(&record.stream)? else {
            return Ok(());
        };
        let text = self.wanted[index].fields.record(&record.data);
        let text = text.map_err(|error| error.with_context("stream", &record.stream))?;
        Ok(self.output.record(record, &text)?)
    }

    /// Sends the schema of a stream before anything else of it. `None` if nobody asked for it.
    fn announce(&mut self, stream: &StreamName) -> Result<Option<usize>, Halt> {
        let Some(index) = self.streams.iter().position(|s| s == stream) else {
            return Ok(None);
        };
        if !std::mem::replace(&mut self.announced[index], true) {
            let stream = &self.wanted[index].stream;
            let mut schema = json!({
                "type": "SCHEMA",
                "stream": stream.name,
                "schema": stream.json_schema,
                "key_properties": stream.primary_key,
            });
            if let Some(cursor) = &stream.cursor {
                schema["bookmark_properties"] = json!([cursor]);
            }
            self.output.message(&schema)?;
        }
        Ok(Some(index))
    }
}

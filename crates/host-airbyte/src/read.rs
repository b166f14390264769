//! `read`: the messages of a source, as Airbyte's.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use connector_core::{Connector, Message, ReadRequest, Result, Setup, Source, Status, StreamName};
use host_kit::{Events, GoneAsRecords, Halt, Step, Steps, input};
use serde_json::{Value, json};

use crate::arguments;
use crate::catalog::ConfiguredCatalog;
use crate::output::{Output, StreamStatus};
use crate::state::States;

/// Opens the connector as a source that yields rows only.
pub(crate) async fn open(
    connector: &dyn Connector,
    arguments: &arguments::Config,
    events: &Events,
) -> Result<Arc<dyn Source>> {
    let configuration = input::source_settings(&arguments.config)?;
    let setup = Setup::new(configuration).with_observer(events.observer());
    let source = connector.open_source(setup).await?;
    Ok(Arc::new(GoneAsRecords::new(source)))
}

/// Reads what the catalog asks for, from the state on.
pub(crate) async fn read<W: Write>(
    connector: &dyn Connector,
    arguments: &arguments::Read,
    output: &mut Output<W>,
) -> Result<(), Halt> {
    let mut events = Events::new();
    let configured: ConfiguredCatalog = input::json_file(&arguments.catalog, "the catalog")?;
    let source = open(connector, &arguments.config, &events).await?;
    let known = events
        .while_waiting(source.discover(), |notice| output.notice(notice))
        .await??;
    let selections = configured.selections(&known)?;
    let states = States::read(arguments.state.as_deref(), &selections)?;
    let (state, left_out) = states.joined();
    for stream in left_out {
        let message = "its state is of an older version than that of other streams: it is read \
                       from the beginning";
        output.log("WARN", &format!("{stream}: {message}"))?;
    }
    let streams: Vec<_> = selections.iter().map(|s| s.stream.clone()).collect();
    let messages = source.read(ReadRequest::new(selections).with_state(state));
    let steps = Steps::new(messages, events, streams.clone());
    let reading = Reading {
        output,
        states,
        streams,
        counts: HashMap::new(),
        is_running: Vec::new(),
        complete: Vec::new(),
    };
    reading.run(steps).await
}

struct Reading<'a, W: Write> {
    output: &'a mut Output<W>,
    states: States,
    streams: Vec<StreamName>,
    /// Records since the last state of their stream.
    counts: HashMap<StreamName, u64>,
    /// Streams that have a record.
    is_running: Vec<StreamName>,
    /// Streams at their end, of which a last state may follow: to a host nothing comes behind
    /// `COMPLETE`.
    complete: Vec<StreamName>,
}

impl<W: Write> Reading<'_, W> {
    async fn run(mut self, mut steps: Steps) -> Result<(), Halt> {
        let end = loop {
            match steps.next().await {
                Ok(Some(Step::Message(message))) => self.message(message)?,
                Ok(Some(Step::Notice(notice))) => self.output.notice(notice)?,
                Ok(Some(Step::Idle)) => self.output.flush()?,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
        };
        self.complete()?;
        for stream in steps.open() {
            self.output
                .stream_status(stream, StreamStatus::Incomplete)?;
        }
        end
    }

    fn message(&mut self, message: Message) -> Result<(), Halt> {
        if let Message::Checkpoint(state) = message {
            for (stream, value) in self.states.changed(&state, &self.streams) {
                let count = self.counts.remove(&stream).unwrap_or(0);
                self.output
                    .message(&state_message(&stream, &value, count))?;
            }
            return Ok(self.output.flush()?);
        }
        self.complete()?;
        match message {
            Message::Record(record) => {
                self.count(&record.stream)?;
                self.output.record(&record)?;
            }
            Message::Status(stream, Status::Started) => {
                self.output.stream_status(&stream, StreamStatus::Started)?;
            }
            Message::Status(stream, Status::Complete) => self.complete.push(stream),
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, stream: &StreamName) -> Result<(), Halt> {
        match self.counts.get_mut(stream) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(stream.clone(), 1);
                if !self.is_running.contains(stream) {
                    self.is_running.push(stream.clone());
                    self.output.stream_status(stream, StreamStatus::Running)?;
                }
            }
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<(), Halt> {
        for stream in self.complete.drain(..) {
            self.output.stream_status(&stream, StreamStatus::Complete)?;
        }
        Ok(())
    }
}

fn state_message(stream: &StreamName, value: &Value, records: u64) -> Value {
    json!({"type": "STATE", "state": {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": stream}, "stream_state": value},
        // A float, as the protocol has it.
        "sourceStats": {"recordCount": records as f64},
    }})
}

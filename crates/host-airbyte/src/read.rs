//! `read`: the messages of a source, as Airbyte's.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;

use connector_core::{
    Connector, Message, ReadRequest, Result, Setup, Source, Status, Stop, StreamName,
};
use host_kit::{
    Events, HostContext, HostError, Level, Notice, ReadDriver, Report, Step, TombstonesAsRecords,
    input, unless_stopped,
};
use serde_json::{Value, json};

use crate::arguments;
use crate::catalog::ConfiguredCatalog;
use crate::output::{Output, StreamStatus};
use crate::state::States;

/// Opens the connector as a source that yields only rows.
pub(crate) async fn open(
    connector: &dyn Connector,
    arguments: &arguments::Config,
    context: &HostContext,
    events: &Events,
) -> Result<TombstonesAsRecords> {
    let role = connector.expect_source()?;
    let configuration = input::configuration(&arguments.config, &role.settings())?;
    let setup = context.apply(Setup::new(configuration));
    let setup = setup.with_observer(events.observer());
    role.open(setup).await.map(TombstonesAsRecords::new)
}

/// Reads what the catalog asks for, from the state.
pub(crate) async fn read<W: Write>(
    connector: &dyn Connector,
    arguments: &arguments::Read,
    context: &HostContext,
    output: &mut Output<W>,
) -> Result<(), HostError> {
    let mut events = Events::new();
    let configured = ConfiguredCatalog::read(&arguments.catalog)?;
    let source = open(connector, &arguments.config, context, &events).await?;
    let discovered = events.while_waiting(source.discover(), output);
    let known = unless_stopped(&context.stop, discovered).await??;
    let selections = configured.selections(&known)?;
    let streams: Vec<_> = selections.iter().map(|s| s.stream.clone()).collect();
    let states = States::read(
        arguments.state.as_deref(),
        &connector.identity().name,
        &streams,
    )?;
    let (state, outdated) = states.joined();
    for stream in outdated {
        let message = "its state is older than that of other streams; it is read from the \
                       beginning";
        output.report(Notice::Log(Level::Warn, format!("{stream}: {message}")))?;
    }
    let messages = source.read(ReadRequest::new(selections).with_state(state));
    let driver = ReadDriver::new(messages, events, streams.clone());
    Reading::new(output, states, streams)
        .run(driver, &context.stop)
        .await
}

struct Reading<'a, W: Write> {
    output: &'a mut Output<W>,
    states: States,
    streams: Vec<StreamName>,
    /// Records since the last state of their stream.
    counts: HashMap<StreamName, u64>,
    /// Streams that have a record.
    running: BTreeSet<StreamName>,
    /// Streams that have a state in this read.
    with_state: BTreeSet<StreamName>,
    /// Streams that are complete. Their last state may still follow, and for a host nothing follows
    /// `COMPLETE`.
    complete: Vec<StreamName>,
}

impl<'a, W: Write> Reading<'a, W> {
    fn new(output: &'a mut Output<W>, states: States, streams: Vec<StreamName>) -> Self {
        Self {
            output,
            states,
            streams,
            counts: HashMap::new(),
            running: BTreeSet::new(),
            with_state: BTreeSet::new(),
            complete: Vec::new(),
        }
    }

    async fn run(mut self, mut driver: ReadDriver, stop: &Stop) -> Result<(), HostError> {
        let end = loop {
            match unless_stopped(stop, driver.next()).await {
                Ok(Some(Step::Message(message))) => self.message(message)?,
                Ok(Some(Step::Notice(notice))) => self.output.report(notice)?,
                Ok(Some(Step::Idle)) => self.output.flush()?,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.complete()?;
        for stream in driver.open() {
            self.output
                .stream_status(stream, StreamStatus::Incomplete)?;
        }
        end
    }

    fn message(&mut self, message: Message) -> Result<(), HostError> {
        if let Message::Checkpoint(state) = message {
            for (stream, value) in self.states.update(&state, &self.streams) {
                self.state(stream, &value)?;
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

    fn count(&mut self, stream: &StreamName) -> Result<(), HostError> {
        if let Some(count) = self.counts.get_mut(stream) {
            *count += 1;
            return Ok(());
        }
        self.counts.insert(stream.clone(), 1);
        if self.running.insert(stream.clone()) {
            self.output.stream_status(stream, StreamStatus::Running)?;
        }
        Ok(())
    }

    fn state(&mut self, stream: StreamName, value: &Value) -> Result<(), HostError> {
        let records = self.counts.remove(&stream).unwrap_or(0);
        self.output
            .message(&state_message(&stream, value, records))?;
        self.with_state.insert(stream);
        Ok(())
    }

    /// Ends the complete streams, each after a state that covers its last record. A repeated state
    /// covers no less than before.
    fn complete(&mut self) -> Result<(), HostError> {
        for stream in std::mem::take(&mut self.complete) {
            let is_covered = !self.counts.contains_key(&stream);
            if !is_covered || !self.with_state.contains(&stream) {
                let value = self.states.current(&stream);
                self.state(stream.clone(), &value)?;
            }
            self.output.stream_status(&stream, StreamStatus::Complete)?;
        }
        Ok(())
    }
}

fn state_message(stream: &StreamName, value: &Value, records: u64) -> Value {
    json!({"type": "STATE", "state": {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": stream}, "stream_state": value},
        // The protocol uses a float.
        "sourceStats": {"recordCount": records as f64},
    }})
}

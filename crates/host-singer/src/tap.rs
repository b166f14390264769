//! The tap: the messages of a source, as Singer's.

use std::io::Write;

use connector_core::{
    Configuration, Connector, Message, ReadRequest, Record, Result, Setup, Source, State, Status,
    Stop, StreamName,
};
use host_kit::{
    Events, HostContext, HostError, ReadDriver, Report, Step, TombstonesAsRecords, input,
    unless_stopped,
};
use serde_json::json;

use crate::arguments::TapArguments;
use crate::discovery::discovered;
use crate::output::Output;
use crate::selection::{GivenCatalog, SelectedStream, default_streams};
use crate::state;

/// Prints the catalog, or reads the selected part of it, from the state.
pub(crate) async fn tap<W: Write, E: Write>(
    connector: &dyn Connector,
    arguments: &TapArguments,
    context: &HostContext,
    output: &mut Output<W, E>,
) -> Result<(), HostError> {
    let mut events = Events::new();
    let source = open(connector, arguments, context, &events).await?;
    let discovery = events.while_waiting(source.discover(), output);
    let known = unless_stopped(&context.stop, discovery).await??;
    if arguments.discover {
        return Ok(output.document(&discovered(&known))?);
    }
    let selected = match &arguments.catalog {
        Some(path) => input::json_file::<GivenCatalog>(path, "the catalog")?.select(&known)?,
        None => default_streams(known)?,
    };
    let last = state::read(arguments.state.as_deref())?;
    for notice in selected.iter().filter_map(SelectedStream::notice) {
        output.report(notice)?;
    }
    if selected.is_empty() {
        output.tell("WARNING", "no stream is selected");
        return Ok(output.message(&state::message(last.as_ref()))?);
    }
    let request = ReadRequest::new(selected.iter().map(|one| one.read.clone()));
    let messages = source.read(request.with_state(last.clone()));
    let reading = Reading::new(output, selected, last);
    let driver = ReadDriver::new(messages, events, reading.streams.clone());
    reading.run(driver, &context.stop).await
}

/// Opens the connector as a source that yields only rows.
async fn open(
    connector: &dyn Connector,
    arguments: &TapArguments,
    context: &HostContext,
    events: &Events,
) -> Result<TombstonesAsRecords> {
    let role = connector.expect_source()?;
    let configuration = match &arguments.common.config {
        Some(path) => input::configuration(path, &role.settings())?,
        None => Configuration::default(),
    };
    let setup = context.apply(Setup::new(configuration));
    let setup = setup.with_observer(events.observer());
    role.open(setup).await.map(TombstonesAsRecords::new)
}

struct Reading<'a, W: Write, E: Write> {
    output: &'a mut Output<W, E>,
    selected: Vec<SelectedStream>,
    /// Whether the schema of each was sent.
    announced: Vec<bool>,
    streams: Vec<StreamName>,
    /// The current state.
    state: Option<State>,
    /// Whether the last message to the target, apart from schemas, is a state.
    ends_with_state: bool,
}

impl<'a, W: Write, E: Write> Reading<'a, W, E> {
    fn new(
        output: &'a mut Output<W, E>,
        selected: Vec<SelectedStream>,
        last: Option<State>,
    ) -> Self {
        Self {
            output,
            announced: vec![false; selected.len()],
            streams: selected.iter().map(|one| one.stream.name.clone()).collect(),
            selected,
            state: last,
            ends_with_state: false,
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
        // Also after a failure, so that what was read is not read again.
        self.repeat_state()?;
        end
    }

    fn message(&mut self, message: Message) -> Result<(), HostError> {
        match message {
            Message::Record(record) => self.record(&record),
            Message::Checkpoint(state) => self.checkpoint(state),
            Message::Status(stream, status) => self.status(&stream, status),
            _ => Ok(()),
        }
    }

    /// A target also creates a table for a stream without records.
    fn status(&mut self, stream: &StreamName, status: Status) -> Result<(), HostError> {
        self.announce(stream)?;
        if status == Status::Complete {
            self.repeat_state()?;
        }
        Ok(())
    }

    fn checkpoint(&mut self, mut state: State) -> Result<(), HostError> {
        for stream in state::carry(&mut state, self.state.as_ref(), &self.streams) {
            let what = "its bookmark has an older form than that of the streams that are read; \
                        its next read starts over";
            self.output
                .tell("WARNING", format_args!("{stream}: {what}"));
        }
        self.state = Some(state);
        self.ends_with_state = false;
        self.repeat_state()
    }

    /// Sends the state again, unless it is the last message. It covers no less than before. Targets
    /// forget a state that records follow, and runners keep the last state they receive. Without
    /// this, the bookmarks of all streams would be lost.
    fn repeat_state(&mut self) -> Result<(), HostError> {
        if !std::mem::replace(&mut self.ends_with_state, true) {
            self.output.message(&state::message(self.state.as_ref()))?;
        }
        Ok(self.output.flush()?)
    }

    fn record(&mut self, record: &Record) -> Result<(), HostError> {
        let Some(index) = self.announce(&record.stream)? else {
            return Ok(());
        };
        let text = self.selected[index].fields.record(&record.data);
        let text = text.map_err(|error| error.with_context("stream", &record.stream))?;
        self.ends_with_state = false;
        Ok(self.output.record(&record.stream, &text)?)
    }

    /// Sends the schema of a stream before anything else of it. `None` if it is not selected.
    fn announce(&mut self, stream: &StreamName) -> Result<Option<usize>, HostError> {
        let Some(index) = self.streams.iter().position(|s| s == stream) else {
            return Ok(None);
        };
        if !std::mem::replace(&mut self.announced[index], true) {
            let stream = &self.selected[index].stream;
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

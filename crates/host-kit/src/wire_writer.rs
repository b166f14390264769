//! Writes records that another program sends into a destination, and returns its states to it.
//!
//! It decides when records are written and which states may be passed on: only states whose
//! records are durable, and none after a record that was rejected and not saved.

use std::collections::BTreeSet;
use std::io;

use connector_core::{
    DestinationRole, Error, ErrorKind, Record, Stop, StreamName, StreamPlan, WriteMode, WritePlan,
};

use crate::input::Lines;
use crate::{
    BatchWriter, DeadLetters, DestinationSettings, Events, HostContext, HostError, Level, Notice,
    RecordOutcome, Report, ResultSink, unsaved_error,
};

/// Maximum number of records in a batch.
const BATCH_RECORDS: usize = 1_000;
/// Bytes after which a batch is written.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The output of a program that writes.
pub trait WireOutput: Report {
    /// Passes states on, in their order, and flushes.
    ///
    /// # Errors
    /// The output is closed, or cannot be written.
    fn pass_on(&mut self, states: &[String]) -> io::Result<()>;
}

/// Writes records that another program sends.
///
/// The order of calls: [`start`](Self::start), or the first [`add_stream`](Self::add_stream); then
/// the calls for each line, followed by [`after_line`](Self::after_line); then
/// [`finish`](Self::finish) at the end of the input; in any case [`close`](Self::close).
pub struct WireWriter {
    sync: &'static str,
    writer: BatchWriter,
    events: Events,
    stop: Stop,
    is_dry_run: bool,
    is_started: bool,
    batch: Vec<Record>,
    bytes: usize,
    /// Whether something was written since the last commit.
    is_written: bool,
    /// Streams whose rows replace the old ones at the end of the sync.
    overwritten: BTreeSet<StreamName>,
    /// States whose records are not durable yet.
    pending: Vec<PendingState>,
    /// States whose records count at the end of the sync.
    held: Vec<String>,
    unsaved: u64,
}

struct PendingState {
    line: String,
    waits_for_end: bool,
}

impl WireWriter {
    /// Opens the destination and the files of its host. The destination may store things under the
    /// name `sync`.
    ///
    /// # Errors
    /// Those of the destination's role; [`ErrorKind::Io`] if a file cannot be opened.
    pub async fn open(
        sync: &'static str,
        destination: &dyn DestinationRole,
        settings: &DestinationSettings,
        context: &HostContext,
        people: &mut impl Report,
    ) -> Result<Self, HostError> {
        let mut events = Events::new();
        let setup = context.apply(settings.setup());
        let setup = setup.with_observer(events.observer());
        // Wrong settings are reported before any file is created.
        destination.validate(&setup)?;
        let host = &settings.host;
        let letters = host.dead_letter.as_deref().map(DeadLetters::open);
        let letters = letters.transpose()?;
        let results = host.results.as_deref().map(ResultSink::file);
        let results = results.transpose()?;
        if host.dry_run {
            let text = "dry run: nothing is changed, and no state is passed on";
            people.report(Notice::Log(Level::Info, text.to_owned()))?;
        }
        let opened = events.while_waiting(destination.open(setup), people);
        let writer = BatchWriter::new(opened.await??)
            .with_dead_letters(letters)
            .with_results(results)
            .with_max_rejected(host.max_rejected);
        Ok(Self {
            sync,
            writer,
            events,
            stop: context.stop.clone(),
            is_dry_run: host.dry_run,
            is_started: false,
            batch: Vec::new(),
            bytes: 0,
            is_written: false,
            overwritten: BTreeSet::new(),
            pending: Vec::new(),
            held: Vec::new(),
            unsaved: 0,
        })
    }

    /// Starts the sync with these streams.
    ///
    /// # Errors
    /// Those of [`BatchWriter::start`].
    pub async fn start(
        &mut self,
        streams: Vec<StreamPlan>,
        people: &mut impl Report,
    ) -> Result<(), HostError> {
        streams.iter().for_each(|stream| self.note(stream));
        let plan = WritePlan::new(self.sync, streams);
        let started = self.writer.start(&plan);
        // A state in the destination belongs to another kind of host. Here the host keeps the
        // state.
        self.events.while_waiting(started, people).await??;
        self.is_started = true;
        Ok(())
    }

    /// Prepares for another stream, or for one whose schema has grown. The first one starts the
    /// sync.
    ///
    /// # Errors
    /// Those of [`BatchWriter::add_stream`] and of [`take`](Self::take).
    pub async fn add_stream(
        &mut self,
        stream: StreamPlan,
        people: &mut impl Report,
    ) -> Result<(), HostError> {
        if !self.is_started {
            return self.start(vec![stream], people).await;
        }
        self.write_batch(people).await?;
        self.note(&stream);
        let added = self.writer.add_stream(&stream);
        Ok(self.events.while_waiting(added, people).await??)
    }

    fn note(&mut self, stream: &StreamPlan) {
        if stream.mode == WriteMode::Overwrite {
            self.overwritten.insert(stream.stream.name.clone());
        }
    }

    /// Takes a record, and writes once there are enough for a batch.
    ///
    /// # Errors
    /// Those of [`BatchWriter::write`]; [`HostError::Stopped`] if the destination was asked to
    /// stop and did not attempt all records.
    pub async fn take(
        &mut self,
        record: Record,
        people: &mut impl Report,
    ) -> Result<(), HostError> {
        self.bytes += record.data.as_str().len();
        self.batch.push(record);
        let most = self.writer.batch_limit().min(BATCH_RECORDS);
        if self.batch.len() >= most || self.bytes >= BATCH_BYTES {
            self.write_batch(people).await?;
        }
        Ok(())
    }

    /// Takes a state that covers the records before it: those of `stream`, or all. `line` is what
    /// is passed on.
    pub fn take_state(&mut self, stream: Option<&str>, line: String) {
        let waits_for_end = match stream {
            Some(stream) => self.overwritten.contains(stream),
            None => !self.overwritten.is_empty(),
        };
        self.pending.push(PendingState {
            line,
            waits_for_end,
        });
    }

    /// Takes a state that covers all records before it, and replaces those that were not passed
    /// on yet.
    pub fn replace_state(&mut self, line: String) {
        self.pending.clear();
        self.held.clear();
        self.take_state(None, line);
    }

    /// Commits if enough was written since the last commit, or if the next line has not arrived
    /// yet, so that nothing waits for the other program.
    ///
    /// # Errors
    /// Those of [`take`](Self::take) and of [`BatchWriter::commit`]; those of the output.
    pub async fn after_line(
        &mut self,
        lines: &mut Lines,
        output: &mut impl WireOutput,
    ) -> Result<(), HostError> {
        if self.is_due() || self.is_dirty() && !lines.has_more() {
            self.commit(output).await?;
        }
        Ok(())
    }

    /// Commits, waits for everything under way, and ends the sync.
    ///
    /// # Errors
    /// As [`after_line`](Self::after_line), and those of [`BatchWriter::finish`];
    /// [`HostError::Stopped`].
    pub async fn finish(&mut self, output: &mut impl WireOutput) -> Result<(), HostError> {
        self.commit(output).await?;
        if self.is_started {
            let finished = self.writer.finish(&self.stop);
            if !self.events.while_waiting(finished, output).await?? {
                return Err(HostError::Stopped);
            }
        }
        let held = std::mem::take(&mut self.held);
        self.pass_on(&held, output)
    }

    /// Closes a run that ended with `ended`. A run that ended early stores what is known so far of
    /// everything under way.
    ///
    /// # Errors
    /// The one it ended with; [`ErrorKind::Data`] if records were rejected and not saved.
    pub async fn close(
        &mut self,
        ended: Result<(), HostError>,
        people: &mut impl Report,
    ) -> Result<(), HostError> {
        let Err(error) = ended else {
            return match self.unsaved {
                0 => Ok(()),
                unsaved => Err(unsaved_error(unsaved).into()),
            };
        };
        let abandoned = self.events.while_waiting(self.writer.abandon(), people);
        if let Err(second) = abandoned.await? {
            people.report(Notice::Log(Level::Error, second.to_string()))?;
        }
        Err(error)
    }

    /// Whether states are waiting although enough was written to pass them on.
    fn is_due(&self) -> bool {
        let has_states = !self.pending.is_empty();
        has_states && (self.is_written || self.pending.len() >= BATCH_RECORDS)
    }

    /// Whether something was taken since the last commit.
    fn is_dirty(&self) -> bool {
        self.is_written || !self.batch.is_empty() || !self.pending.is_empty()
    }

    /// Makes everything taken so far durable, and passes its states on.
    async fn commit(&mut self, output: &mut impl WireOutput) -> Result<(), HostError> {
        if self.is_started {
            self.write_batch(output).await?;
            let committed = self.writer.commit(None);
            self.events.while_waiting(committed, output).await??;
        }
        self.is_written = false;
        let pending = std::mem::take(&mut self.pending).into_iter();
        let (held, released): (Vec<_>, Vec<_>) = pending.partition(|state| state.waits_for_end);
        self.held.extend(held.into_iter().map(|state| state.line));
        let released: Vec<_> = released.into_iter().map(|state| state.line).collect();
        self.pass_on(&released, output)
    }

    /// A rejected record that was not saved must be sent again. A dry run writes nothing, so
    /// everything must be sent again.
    fn pass_on(&self, states: &[String], output: &mut impl WireOutput) -> Result<(), HostError> {
        if self.unsaved > 0 || self.is_dry_run {
            return Ok(());
        }
        Ok(output.pass_on(states)?)
    }

    async fn write_batch(&mut self, people: &mut impl Report) -> Result<(), HostError> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        self.is_written = true;
        let written = self.writer.write(batch);
        let outcomes = self.events.while_waiting(written, people).await??;
        let mut is_whole = true;
        for outcome in outcomes {
            match outcome {
                RecordOutcome::Accepted => {}
                RecordOutcome::Rejected(rejection) => {
                    let level = self.count(rejection.is_saved);
                    people.report(Notice::Log(level, rejection.to_string()))?;
                }
                RecordOutcome::NotAttempted => is_whole = false,
            }
        }
        if is_whole {
            return Ok(());
        }
        Err(self.skipped())
    }

    fn count(&mut self, is_saved: bool) -> Level {
        if is_saved {
            return Level::Warn;
        }
        self.unsaved += 1;
        Level::Error
    }

    fn skipped(&self) -> HostError {
        if self.stop.is_requested() {
            return HostError::Stopped;
        }
        let message = "the destination skipped records although there was no request to stop";
        Error::new(ErrorKind::Internal, message).into()
    }
}

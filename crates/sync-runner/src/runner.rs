//! One sync from beginning to end: plan, read and write, retry, report.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_core::{
    Catalog, Destination, Error, ErrorKind, Event, Holder, JsonObject, Observer, ReadRequest,
    Result, Retry, Selection, Source, State, Stop, Stream, StreamName, SyncMode, WaitReason,
};
use host_kit::{BatchWriter, DeadLetters, ResultSink};
use serde_json::Value;
use tokio::time::Instant;

use crate::carried_state::CarriedState;
use crate::reader::{Context, End, Reader};
use crate::retry::Retries;
use crate::streams::{Plan, plan};
use crate::writer::Writer;
use crate::{Ending, Failure, Limits, Progress, Report, RetryBudget, StreamChoice};

/// Moves the records of a source to a destination, once.
///
/// Without any option it syncs the default streams, each in its preferred mode. It resumes from
/// the state that the destination has kept under the name `default`.
pub struct Runner {
    source: Arc<dyn Source>,
    writer: BatchWriter,
    sync: String,
    choice: StreamChoice,
    resumes: bool,
    limits: Limits,
    budget: RetryBudget,
    stop: Stop,
    progress: Arc<Progress>,
    holder: Holder,
}

impl Runner {
    /// A sync with the defaults. [`run`](Self::run) starts it.
    pub fn new(source: Arc<dyn Source>, destination: Box<dyn Destination>) -> Self {
        Self {
            source,
            writer: BatchWriter::new(destination),
            sync: "default".to_owned(),
            choice: StreamChoice::Default,
            resumes: true,
            limits: Limits::default(),
            budget: RetryBudget::default(),
            stop: Stop::new(),
            progress: Arc::default(),
            holder: host_kit::this_process("sync-runner"),
        }
    }

    /// Sets the name under which the destination keeps the state: one for each source that
    /// writes there.
    #[must_use]
    pub fn with_name(mut self, sync: impl Into<String>) -> Self {
        self.sync = sync.into();
        self
    }

    /// Sets which streams are read, and in which modes.
    #[must_use]
    pub fn with_choice(mut self, choice: StreamChoice) -> Self {
        self.choice = choice;
        self
    }

    /// Syncs all streams of the source, each in its preferred mode.
    #[must_use]
    pub fn with_all_streams(self) -> Self {
        self.with_choice(StreamChoice::All)
    }

    /// Syncs only these streams, each in its preferred mode.
    #[must_use]
    pub fn with_streams(self, streams: impl IntoIterator<Item = StreamName>) -> Self {
        self.with_choice(StreamChoice::Listed(streams.into_iter().collect()))
    }

    /// Syncs only these streams, in exactly these modes.
    #[must_use]
    pub fn with_selections(self, selections: impl IntoIterator<Item = Selection>) -> Self {
        self.with_choice(StreamChoice::Selections(selections.into_iter().collect()))
    }

    /// Reads everything again, as if for the first time. The new state replaces the old one.
    #[must_use]
    pub fn from_the_beginning(mut self) -> Self {
        self.resumes = false;
        self
    }

    /// Sets the sizes of batches and the time between commits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a failing source is retried.
    #[must_use]
    pub fn with_retries(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets the request that stops the sync. Reading then ends at once, what was read is written
    /// and committed, and the report says [`Ending::Stopped`]. Give the same one to a destination
    /// that acts, which then sends nothing more.
    #[must_use]
    pub fn with_stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Sets the progress. Also give it to the source as its observer; otherwise requests and waits
    /// are not counted.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Sets who holds the claim on the sync. The error of a second run names it.
    #[must_use]
    pub fn with_holder(mut self, holder: Holder) -> Self {
        self.holder = holder;
        self
    }

    /// Sets where rejected records are saved. Saved records do not make the sync fail. Costs a copy
    /// of every record until the destination has answered. Without it, rejected records are only
    /// counted.
    #[must_use]
    pub fn with_dead_letters(mut self, dead_letters: DeadLetters) -> Self {
        self.writer = self.writer.with_dead_letters(Some(dead_letters));
        self
    }

    /// Sets where the results of a destination that acts are stored.
    #[must_use]
    pub fn with_results(mut self, results: ResultSink) -> Self {
        self.writer = self.writer.with_results(Some(results));
        self
    }

    /// Sets a function that is called with each result of a destination that acts, once it is
    /// stored.
    #[must_use]
    pub fn with_result_listener(
        mut self,
        listener: impl FnMut(&JsonObject) + Send + 'static,
    ) -> Self {
        self.writer = self.writer.with_result_listener(Some(Box::new(listener)));
        self
    }

    /// Sets the maximum number of rejected records. One more ends the sync. No limit by default.
    #[must_use]
    pub fn with_max_rejected(mut self, max_rejected: Option<u64>) -> Self {
        self.writer = self.writer.with_max_rejected(max_rejected);
        self
    }

    /// Runs the sync. Needs a tokio runtime with time. Dropping the future cancels the read. For
    /// the destination that is a crash: only what was committed counts.
    ///
    /// Rejected records do not make it fail: see [`Snapshot::rejected`](crate::Snapshot::rejected)
    /// and [`Snapshot::unsaved`](crate::Snapshot::unsaved).
    ///
    /// # Errors
    /// - [`ErrorKind::Config`] for a stream that the source does not have or the destination
    ///   does not accept.
    /// - [`ErrorKind::Conflict`] if another run holds the sync.
    /// - Those of the source, once a retry cannot help or the [`RetryBudget`] is used up. What it
    ///   yielded before is written, and committed up to its last checkpoint.
    /// - Those of the destination, of dead letters and results, at once: a destination that has
    ///   failed cannot be started again. Nothing after its last commit counts.
    /// - [`ErrorKind::Data`] if more records are rejected than allowed.
    /// - [`ErrorKind::Internal`] if one of the two breaks the contract, also with
    ///   [`Ending::Incomplete`] if the source ended without completing a stream.
    pub async fn run(mut self) -> Result<Report, Failure> {
        let begun = Instant::now();
        let mut report = Report {
            ending: Ending::Failed,
            resumed: false,
            tries: 0,
            elapsed: std::time::Duration::ZERO,
            progress: crate::Snapshot::default(),
        };
        let end = self.sync(&mut report).await;
        report.elapsed = begun.elapsed();
        report.progress = self.progress.snapshot();
        let (ending, error) = match end {
            Ok(End::Complete) => (Ending::Complete, None),
            Ok(End::Stopped) => (Ending::Stopped, None),
            Ok(End::Incomplete(streams)) => (Ending::Incomplete, Some(incomplete(&streams))),
            Ok(End::Failed(error)) | Err(error) => (Ending::Failed, Some(error)),
        };
        report.ending = ending;
        match error {
            None => Ok(report),
            Some(error) => Err(Failure {
                error,
                report: Box::new(report),
            }),
        }
    }

    async fn sync(&mut self, report: &mut Report) -> Result<End> {
        let mut retries = Retries::new(self.budget);
        let Some(catalog) = self.discover(&mut retries).await? else {
            return Ok(End::Stopped);
        };
        let capabilities = self.writer.destination().capabilities();
        let plan = plan(&self.sync, &self.choice, catalog, &capabilities)?;
        self.progress.plan(&plan.read);
        if let Some(claim) = self.writer.destination().claim() {
            claim.claim(&self.sync, &self.holder).await?;
        }
        let state = self.writer.start(&plan.write).await?;
        let end = self.move_records(plan, state, &mut retries, report).await;
        let end = match end {
            Ok(end @ (End::Complete | End::Incomplete(_))) => match self.finish().await {
                Ok(true) => return Ok(end),
                Ok(false) => Ok(End::Stopped),
                Err(error) => Err(error),
            },
            end => end,
        };
        match (end, self.writer.abandon().await) {
            // The first failure says more than a failure to store what was under way.
            (Ok(End::Stopped), Err(error)) => Err(error),
            (end, _) => end,
        }
    }

    /// Finishes the destination; `false` if asked to stop first.
    async fn finish(&mut self) -> Result<bool> {
        self.writer.finish(&self.stop).await
    }

    /// Reads and writes, with retries if needed, always from the last committed state.
    async fn move_records(
        &mut self,
        plan: Plan,
        state: Option<State>,
        retries: &mut Retries,
        report: &mut Report,
    ) -> Result<End> {
        let streams: Vec<_> = plan.read.iter().map(|s| s.stream.clone()).collect();
        let carried = CarriedState::new(state.as_ref(), &streams);
        let open_rows = self.open_rows(&plan).await?;
        let state = state.filter(|_| self.resumes);
        report.resumed = (state.iter()).any(|state| state.streams().next().is_some());
        let mut limits = self.limits;
        limits.batch_records = limits.batch_records.min(self.writer.batch_limit());
        let context = Context {
            streams,
            limits,
            progress: Arc::clone(&self.progress),
            stop: self.stop.clone(),
        };
        let mut writer = Writer::new(&mut self.writer, &context, carried, state);
        loop {
            report.tries += 1;
            context.progress.begin();
            let state = writer.committed.clone();
            let request = ReadRequest::new(plan.read.clone())
                .with_state(state.clone())
                .with_open_rows(open_rows.clone());
            let mut reader = Reader::start(self.source.read(request), context.clone());
            writer.write_all(&mut reader).await?;
            if writer.is_stopped {
                return Ok(End::Stopped);
            }
            let error = match reader.end().await {
                End::Failed(error) => error,
                end => return Ok(end),
            };
            if writer.committed != state {
                retries.has_progressed();
            }
            if !pause(error, retries, &context.progress, &context.stop).await? {
                return Ok(End::Stopped);
            }
        }
    }

    /// Rows of the copy that can still change, for streams whose source asks for them.
    async fn open_rows(&mut self, plan: &Plan) -> Result<BTreeMap<StreamName, Vec<Vec<Value>>>> {
        let mut all = BTreeMap::new();
        let Some(reader) = self.writer.destination().open_rows() else {
            return Ok(all);
        };
        for (stream, selection) in plan.streams.iter().zip(&plan.read) {
            if let Stream {
                name,
                open_rows: Some(open),
                ..
            } = stream
                && selection.mode == SyncMode::Incremental
            {
                all.insert(name.clone(), reader.open_rows(name, open).await?);
            }
        }
        Ok(all)
    }

    /// The catalog; `None` if asked to stop first.
    async fn discover(&mut self, retries: &mut Retries) -> Result<Option<Catalog>> {
        loop {
            let discovered = tokio::select! {
                biased;
                () = self.stop.requested() => return Ok(None),
                discovered = self.source.discover() => discovered,
            };
            match discovered {
                Ok(catalog) => return Ok(Some(catalog)),
                Err(error) => {
                    if !pause(error, retries, &self.progress, &self.stop).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

/// Waits before the next try; `false` if asked to stop first.
///
/// # Errors
/// `error` itself, if there is no next try.
async fn pause(
    error: Error,
    retries: &mut Retries,
    progress: &Progress,
    stop: &Stop,
) -> Result<bool> {
    let Some(wait) = retries.after_failure(error.retry()) else {
        return Err(error);
    };
    tracing::warn!(%error, ?wait, "the source failed; retrying the sync");
    progress.observe(Event::Wait {
        stream: None,
        duration: wait,
        reason: WaitReason::Retry(error.to_string()),
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "the runner waits between the tries of a sync"
    )]
    let waited = tokio::time::sleep(wait);
    Ok(tokio::select! {
        biased;
        () = stop.requested() => false,
        () = waited => true,
    })
}

fn incomplete(streams: &[StreamName]) -> Error {
    let names: Vec<_> = streams.iter().map(StreamName::as_str).collect();
    let message = "the source ended without completing a stream; what was read is kept";
    Error::new(ErrorKind::Internal, message)
        .with_retry(Retry::Never)
        .with_context("streams", names.join(", "))
}

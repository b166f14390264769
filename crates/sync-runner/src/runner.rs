//! One sync from beginning to end: plan, read and write, try again, report.

use std::sync::Arc;

use connector_core::{
    Catalog, Destination, Error, ErrorKind, Event, Observer, ReadRequest, Result, Retry, Selection,
    Source, StreamName, Waiting,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::carried::Carried;
use crate::plan::{Choice, plan};
use crate::reader::{Context, End, Reader};
use crate::retry::Retries;
use crate::writer::Writer;
use crate::{DeadLetters, Ending, Failure, Limits, Progress, Report, RetryBudget};

/// Moves the records of a source to a destination, once.
///
/// Without any option it syncs the default streams, each in its preferred mode, from the state on that
/// the destination has kept under the name `default`.
pub struct Runner {
    source: Arc<dyn Source>,
    destination: Box<dyn Destination>,
    sync: String,
    choice: Choice,
    goes_on: bool,
    limits: Limits,
    budget: RetryBudget,
    stop: CancellationToken,
    progress: Arc<Progress>,
    dead_letters: Option<Box<dyn DeadLetters>>,
}

impl Runner {
    /// A sync with the defaults. Nothing happens before [`run`](Self::run).
    pub fn new(source: Arc<dyn Source>, destination: Box<dyn Destination>) -> Self {
        Self {
            source,
            destination,
            sync: "default".to_owned(),
            choice: Choice::Default,
            goes_on: true,
            limits: Limits::default(),
            budget: RetryBudget::default(),
            stop: CancellationToken::new(),
            progress: Arc::default(),
            dead_letters: None,
        }
    }

    /// Sets the name under which the destination keeps the state: one for each source that
    /// writes there.
    #[must_use]
    pub fn with_name(mut self, sync: impl Into<String>) -> Self {
        self.sync = sync.into();
        self
    }

    /// Syncs all streams there are, each in its preferred mode.
    #[must_use]
    pub fn with_all_streams(mut self) -> Self {
        self.choice = Choice::All;
        self
    }

    /// Syncs only these streams, each in its preferred mode.
    #[must_use]
    pub fn with_streams(mut self, streams: impl IntoIterator<Item = StreamName>) -> Self {
        self.choice = Choice::Streams(streams.into_iter().collect());
        self
    }

    /// Syncs only these streams, in just these modes.
    #[must_use]
    pub fn with_selections(mut self, selections: impl IntoIterator<Item = Selection>) -> Self {
        self.choice = Choice::Selections(selections.into_iter().collect());
        self
    }

    /// Reads everything again, as if for the first time. The new state replaces the old one.
    #[must_use]
    pub fn from_the_beginning(mut self) -> Self {
        self.goes_on = false;
        self
    }

    /// Sets the sizes of batches and the distance of commits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a failing source is tried again.
    #[must_use]
    pub fn with_retries(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets the token that stops the sync: reading ends at once, what was read is written and
    /// committed, and the report says [`Ending::Stopped`].
    #[must_use]
    pub fn with_stop(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// Sets what counts and shows the progress. Give the same one to the source as its observer,
    /// or requests and waits stay unseen.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Sets where refused records go, which then are no failure. Costs a copy of every record until it is known whether it
    /// is refused; without it, refused records are only counted.
    #[must_use]
    pub fn with_dead_letters(mut self, dead_letters: Box<dyn DeadLetters>) -> Self {
        self.dead_letters = Some(dead_letters);
        self
    }

    /// Runs the sync. Needs a tokio runtime with time. Dropping the future cancels the read and
    /// leaves what is not committed to the destination's rules for a crash.
    ///
    /// Refused records do not make it fail: see [`Snapshot::rejected`](crate::Snapshot::rejected)
    /// and [`Snapshot::lost`](crate::Snapshot::lost).
    ///
    /// # Errors
    /// - [`ErrorKind::Config`] for a stream that the source does not have or the destination
    ///   does not take.
    /// - Those of the source, once trying again is of no use or the [`RetryBudget`] is spent.
    ///   What it yielded before is written, and committed up to its last checkpoint.
    /// - Those of the destination and the dead letters, at once: a destination that has failed
    ///   cannot be started again. Nothing after its last commit counts.
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
        let accepts = self.destination.accepts().await?;
        let plan = plan(&self.sync, &self.choice, catalog, &accepts)?;
        self.progress.plan(&plan.read);
        let state = self.destination.start(&plan.write).await?;
        let streams: Vec<_> = plan.read.iter().map(|s| s.stream.clone()).collect();
        let carried = Carried::new(state.as_ref(), &streams);
        let state = state.filter(|_| self.goes_on);
        report.resumed = (state.iter()).any(|state| state.streams().next().is_some());
        let mut limits = self.limits;
        limits.batch_records = limits.batch_records.min(self.destination.most_at_once());
        let context = Context {
            streams,
            limits,
            progress: Arc::clone(&self.progress),
            stop: self.stop.clone(),
        };
        let destination = self.destination.as_mut();
        let letters = self.dead_letters.as_deref_mut();
        let writer = Writer::new(destination, letters, &context, carried, state);
        let end = move_records(
            self.source.as_ref(),
            &plan.read,
            &context,
            writer,
            &mut retries,
            &mut report.tries,
        );
        let end = end.await?;
        if let End::Complete | End::Incomplete(_) = &end {
            self.finish().await?;
        }
        Ok(end)
    }

    /// Lets the destination come to its end, unless told to stop meanwhile: what it has committed
    /// stays.
    async fn finish(&mut self) -> Result<()> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ok(()),
            finished = self.destination.finish() => finished,
        }
    }

    /// The catalog; `None` if told to stop meanwhile.
    async fn discover(&mut self, retries: &mut Retries) -> Result<Option<Catalog>> {
        loop {
            let discovered = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
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

/// Reads and writes, again and again if need be, always from the last committed state on.
async fn move_records(
    source: &dyn Source,
    selections: &[Selection],
    context: &Context,
    mut writer: Writer<'_>,
    retries: &mut Retries,
    tries: &mut u32,
) -> Result<End> {
    loop {
        *tries += 1;
        context.progress.begin();
        let state = writer.committed.clone();
        let request = ReadRequest::new(selections.to_vec()).with_state(state.clone());
        let mut reader = Reader::start(source.read(request), context.clone());
        writer.write_all(&mut reader).await?;
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

/// Waits before the next try; false if told to stop meanwhile.
///
/// # Errors
/// `error` itself, if there is no next try.
async fn pause(
    error: Error,
    retries: &mut Retries,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<bool> {
    let Some(wait) = retries.after_failure(error.retry()) else {
        return Err(error);
    };
    tracing::warn!(%error, ?wait, "the source failed; the sync is tried again");
    progress.observe(Event::Wait {
        stream: None,
        duration: wait,
        reason: Waiting::Retry(error.to_string()),
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "the runner waits between the tries of a sync"
    )]
    let waited = tokio::time::sleep(wait);
    Ok(tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = waited => true,
    })
}

fn incomplete(streams: &[StreamName]) -> Error {
    let names: Vec<_> = streams.iter().map(StreamName::as_str).collect();
    let message = "the source came to its end without completing a stream; what was read is kept";
    Error::new(ErrorKind::Internal, message)
        .with_retry(Retry::Never)
        .with_context("streams", names.join(", "))
}

//! Writing records into a destination, and the order in which things become durable.
//!
//! Rejected records and results are saved before the state that covers them is committed. The next
//! commit confirms to a destination that acts that its results are stored.

mod dead_letters;
mod results;
mod retried;

use std::fmt;
use std::pin::pin;

use connector_core::{
    Destination, Error, ErrorKind, JsonObject, Outcome, Record, Result, State, Stop, StreamName,
    StreamPlan, WritePlan,
};
use futures::future::{Either, select};

pub use dead_letters::DeadLetters;
pub use results::ResultSink;
pub use retried::waiting_records;

/// Is called with each result.
type ResultListener = Box<dyn FnMut(&JsonObject) + Send>;

/// Writes batches into a destination.
///
/// The order of calls: [`start`](Self::start), then [`write`](Self::write),
/// [`commit`](Self::commit) and [`add_stream`](Self::add_stream) as needed, then
/// [`finish`](Self::finish), or
/// [`abandon`](Self::abandon) if the run ends early.
pub struct BatchWriter {
    destination: Box<dyn Destination>,
    dead_letters: Option<DeadLetters>,
    results: Option<ResultSink>,
    on_result: Option<ResultListener>,
    max_rejected: Option<u64>,
    rejected: u64,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordOutcome {
    /// Stored, or acted on.
    Accepted,
    /// The destination rejected it.
    Rejected(Rejection),
    /// Not tried, because of a request to stop.
    NotAttempted,
}

/// A record that the destination rejected. `Display` is a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// Its stream.
    pub stream: StreamName,
    /// Why, without its values.
    pub reason: String,
    /// Whether it was saved with the reason, so that nothing is lost.
    pub is_saved: bool,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saved = if self.is_saved { " and saved" } else { "" };
        let Self { stream, reason, .. } = self;
        write!(f, "{stream}: a record was rejected{saved}: {reason}")
    }
}

/// The error of a run that ends with rejected records that were not saved.
#[must_use]
pub fn unsaved_error(count: u64) -> Error {
    let records = if count == 1 { "record" } else { "records" };
    let message = format!(
        "{count} {records} rejected and not saved; later states were withheld. Set `dead_letter` \
         to save rejected records in a file"
    );
    Error::new(ErrorKind::Data, message)
}

impl BatchWriter {
    /// Writes into `destination`, which has not been started.
    #[must_use]
    pub fn new(destination: Box<dyn Destination>) -> Self {
        Self {
            destination,
            dead_letters: None,
            results: None,
            on_result: None,
            max_rejected: None,
            rejected: 0,
        }
    }

    /// Sets where rejected records are saved.
    #[must_use]
    pub fn with_dead_letters(mut self, dead_letters: Option<DeadLetters>) -> Self {
        self.dead_letters = dead_letters;
        self
    }

    /// Sets where results are stored.
    #[must_use]
    pub fn with_results(mut self, results: Option<ResultSink>) -> Self {
        self.results = results;
        self
    }

    /// Sets a function that is called with each result, once it is stored.
    #[must_use]
    pub fn with_result_listener(mut self, listener: Option<ResultListener>) -> Self {
        self.on_result = listener;
        self
    }

    /// Sets the maximum number of rejected records; `None` for no limit.
    #[must_use]
    pub fn with_max_rejected(mut self, max_rejected: Option<u64>) -> Self {
        self.max_rejected = max_rejected;
        self
    }

    /// The destination.
    pub fn destination(&mut self) -> &mut dyn Destination {
        self.destination.as_mut()
    }

    /// Starts the destination, and the destination of the results.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a stream or a write mode that it does not accept; those of both
    /// starts.
    pub async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let accepted = self.destination.accepted_streams().await?;
        for stream in &plan.streams {
            accepted.expect(&stream.stream.name)?;
        }
        let state = self.destination.start(plan).await?;
        let stream = self
            .destination
            .acting()
            .map(|acting| acting.result_stream());
        if let (Some(results), Some(stream)) = (&mut self.results, stream) {
            results.start(&plan.sync, stream).await?;
        }
        if let Some(letters) = &mut self.dead_letters {
            letters.retry(self.destination.as_mut(), plan).await?;
        }
        Ok(state)
    }

    /// Prepares for another stream, or for a stream whose schema has grown.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        let accepted = self.destination.accepted_streams().await?;
        accepted.expect(&stream.stream.name)?;
        self.destination.add_stream(stream).await
    }

    /// Maximum number of records in a batch.
    #[must_use]
    pub fn batch_limit(&self) -> usize {
        self.destination.batch_limit()
    }

    /// Writes a batch; one outcome per record, in order.
    ///
    /// # Errors
    /// Those of the destination, of the dead letters and of the results;
    /// [`ErrorKind::Data`] if too many records were rejected.
    pub async fn write(&mut self, records: Vec<Record>) -> Result<Vec<RecordOutcome>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        // Records are moved into the destination. Rejected ones are needed afterwards: the whole
        // record if it is saved, otherwise its stream.
        let streams: Vec<_> = records.iter().map(|record| record.stream.clone()).collect();
        let copies = self.dead_letters.as_ref().map(|_| records.clone());
        let written = self.destination.write(records).await;
        self.store_results().await?;
        let outcomes = expect_all(written?, streams.len())?;
        let mut copies = copies.unwrap_or_default().into_iter();
        let mut reported = Vec::with_capacity(outcomes.len());
        for (stream, outcome) in streams.into_iter().zip(outcomes) {
            let record = copies.next();
            reported.push(match outcome {
                Outcome::Accepted => self.accept(record)?,
                Outcome::Rejected(reason) => self.reject(stream, reason, record)?,
                _ => RecordOutcome::NotAttempted,
            });
        }
        self.expect_few_rejected(&reported)?;
        Ok(reported)
    }

    /// Makes everything written so far durable, results first, together with `state`.
    ///
    /// # Errors
    /// Those of the destination and of the results.
    pub async fn commit(&mut self, state: Option<&State>) -> Result<()> {
        if let Some(results) = &mut self.results {
            results.commit().await?;
        }
        if let Some(letters) = &mut self.dead_letters {
            letters.settle()?;
        }
        let committed = self.destination.commit(state).await;
        self.store_results().await?;
        committed
    }

    /// Waits for everything under way and ends the sync. `false` if a request to stop came first;
    /// the caller must then [abandon](Self::abandon) the run.
    ///
    /// # Errors
    /// Those of the destination and of the results; what was committed stays.
    pub async fn finish(&mut self, stop: &Stop) -> Result<bool> {
        while let Some(acting) = self.destination.acting() {
            let followed = match select(pin!(stop.requested()), acting.follow()).await {
                Either::Left(_) => return Ok(false),
                Either::Right((followed, _)) => followed,
            };
            self.store_results().await?;
            let is_under_way = followed?;
            self.commit(None).await?;
            if !is_under_way {
                break;
            }
        }
        self.destination.finish().await?;
        match &mut self.results {
            Some(results) => results.finish().await.map(|()| true),
            None => Ok(true),
        }
    }

    /// Stores what is known of everything under way, for a run that ends early.
    ///
    /// # Errors
    /// Those of the results.
    pub async fn abandon(&mut self) -> Result<()> {
        self.store_results().await?;
        let unfinished = match self.destination.acting() {
            Some(acting) => acting.unfinished_results(),
            None => Vec::new(),
        };
        self.store(unfinished).await?;
        match &mut self.results {
            Some(results) => results.commit().await,
            None => Ok(()),
        }
    }

    async fn store_results(&mut self) -> Result<()> {
        let results = match self.destination.acting() {
            Some(acting) => acting.take_results(),
            None => Vec::new(),
        };
        self.store(results).await
    }

    async fn store(&mut self, results: Vec<JsonObject>) -> Result<()> {
        if results.is_empty() {
            return Ok(());
        }
        if let Some(sink) = &mut self.results {
            sink.write(&results).await?;
        }
        if let Some(listener) = &mut self.on_result {
            results.iter().for_each(listener);
        }
        Ok(())
    }

    fn accept(&mut self, record: Option<Record>) -> Result<RecordOutcome> {
        if let (Some(letters), Some(record)) = (&mut self.dead_letters, record) {
            letters.accept(&record)?;
        }
        Ok(RecordOutcome::Accepted)
    }

    fn reject(
        &mut self,
        stream: StreamName,
        reason: String,
        record: Option<Record>,
    ) -> Result<RecordOutcome> {
        self.rejected += 1;
        let mut is_saved = false;
        if let (Some(letters), Some(record)) = (&mut self.dead_letters, record) {
            letters.keep(record, &reason)?;
            is_saved = true;
        }
        Ok(RecordOutcome::Rejected(Rejection {
            stream,
            reason,
            is_saved,
        }))
    }

    fn expect_few_rejected(&self, outcomes: &[RecordOutcome]) -> Result<()> {
        let Some(most) = self.max_rejected.filter(|most| self.rejected > *most) else {
            return Ok(());
        };
        let last = outcomes.iter().rev().find_map(|outcome| match outcome {
            RecordOutcome::Rejected(rejection) => Some(rejection.reason.as_str()),
            _ => None,
        });
        let message = format!(
            "{} records rejected, more than the {most} that `max_rejected` allows; the last one: \
             {}",
            self.rejected,
            last.unwrap_or_default()
        );
        Err(Error::new(ErrorKind::Data, message))
    }
}

fn expect_all(outcomes: Vec<Outcome>, sent: usize) -> Result<Vec<Outcome>> {
    let answers = outcomes.len();
    if answers == sent {
        return Ok(outcomes);
    }
    let message = format!("the destination was given {sent} records and answered for {answers}");
    Err(Error::new(ErrorKind::Internal, message))
}

#[cfg(test)]
mod tests;

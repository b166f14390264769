//! The writing half: batches in, commits out.
//!
//! It decides when a state is committed. A state waits in `pending` until every record before it
//! has been written, and is committed at the latest one commit interval after that, also while
//! the source waits.

use connector_core::{Destination, Error, ErrorKind, Outcome, Record, Result, State};
use tokio::time::{Instant, timeout_at};

use crate::carried::Carried;
use crate::progress::Tally;
use crate::reader::{Batch, Context, Counted, Reader};
use crate::{DeadLetters, Limits, Progress};

/// Writes the batches of one sync, over all its tries.
pub(crate) struct Writer<'a> {
    destination: &'a mut dyn Destination,
    dead_letters: Option<&'a mut (dyn DeadLetters + 'static)>,
    progress: &'a Progress,
    limits: Limits,
    carried: Carried,
    /// The state that counts now.
    pub(crate) committed: Option<State>,
    pending: Option<State>,
    uncommitted_bytes: u64,
    last_commit: Instant,
}

impl<'a> Writer<'a> {
    /// `committed` is the state to go on from.
    pub(crate) fn new(
        destination: &'a mut dyn Destination,
        dead_letters: Option<&'a mut (dyn DeadLetters + 'static)>,
        context: &'a Context,
        carried: Carried,
        committed: Option<State>,
    ) -> Self {
        Self {
            destination,
            dead_letters,
            progress: &context.progress,
            limits: context.limits,
            carried,
            committed,
            pending: None,
            uncommitted_bytes: 0,
            last_commit: Instant::now(),
        }
    }

    /// Writes and commits all that comes.
    ///
    /// # Errors
    /// Those of the destination and of the dead letters; nothing after the last commit counts.
    pub(crate) async fn write_all(&mut self, reader: &mut Reader) -> Result<()> {
        while let Some(batch) = self.next_batch(reader).await? {
            let is_at_checkpoint = batch.checkpoint.is_some();
            self.write(batch).await?;
            if self.is_commit_due(is_at_checkpoint) {
                self.commit().await?;
            }
        }
        self.commit().await
    }

    /// Waits for a batch, and commits meanwhile when it is time.
    async fn next_batch(&mut self, reader: &mut Reader) -> Result<Option<Batch>> {
        if self.pending.is_some() {
            let due = self.last_commit + self.limits.commit_interval;
            match timeout_at(due, reader.next()).await {
                Ok(batch) => return Ok(batch),
                Err(_elapsed) => self.commit().await?,
            }
        }
        Ok(reader.next().await)
    }

    async fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch {
            records,
            counted,
            stream_bytes,
            checkpoint,
            ..
        } = batch;
        if !records.is_empty() {
            // Records are moved into the destination; only dead letters need them afterwards.
            let copies = self.dead_letters.as_ref().map(|_| records.clone());
            let mut outcomes = self.write_records(records).await?;
            self.keep_rejected(copies, &mut outcomes)?;
            self.uncommitted_bytes += stream_bytes.iter().sum::<u64>();
            self.progress.add(tally(&counted, &stream_bytes, outcomes));
        }
        self.pending = checkpoint.or_else(|| self.pending.take());
        Ok(())
    }

    async fn write_records(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let sent = records.len();
        let outcomes = self.destination.write(records).await?;
        if outcomes.len() == sent {
            return Ok(outcomes);
        }
        let message = format!(
            "the destination was given {sent} records and answered for {}",
            outcomes.len()
        );
        Err(Error::new(ErrorKind::Internal, message))
    }

    /// What is refused is set aside, where there are dead letters.
    fn keep_rejected(
        &mut self,
        copies: Option<Vec<Record>>,
        outcomes: &mut [Outcome],
    ) -> Result<()> {
        let (Some(letters), Some(copies)) = (&mut self.dead_letters, copies) else {
            return Ok(());
        };
        for (record, outcome) in copies.iter().zip(outcomes) {
            if let Outcome::Rejected(reason) = outcome {
                letters.take(record, reason)?;
                *outcome = Outcome::SetAside(std::mem::take(reason));
            }
        }
        Ok(())
    }

    /// Right behind a checkpoint nothing is committed that its state does not cover, and that a
    /// resumed sync would write again.
    fn is_commit_due(&self, is_at_checkpoint: bool) -> bool {
        let is_time = self.last_commit.elapsed() >= self.limits.commit_interval;
        self.uncommitted_bytes >= self.limits.commit_bytes || (is_at_checkpoint && is_time)
    }

    async fn commit(&mut self) -> Result<()> {
        let mut state = self.pending.take();
        if let Some(state) = &mut state {
            self.carried.add_to(state);
        }
        self.destination.commit(state.as_ref()).await?;
        self.committed = state.or_else(|| self.committed.take());
        self.uncommitted_bytes = 0;
        self.last_commit = Instant::now();
        Ok(())
    }
}

/// Sums a written batch up per stream.
fn tally(counted: &[Counted], stream_bytes: &[u64], outcomes: Vec<Outcome>) -> Vec<Tally> {
    let new = |bytes: &u64| Tally {
        bytes: *bytes,
        ..Tally::default()
    };
    let mut tallies: Vec<_> = stream_bytes.iter().map(new).collect();
    for (record, outcome) in counted.iter().zip(outcomes) {
        let tally = &mut tallies[record.stream];
        match outcome {
            Outcome::Rejected(reason) => {
                tally.rejected += 1;
                tally.reasons.push(reason);
            }
            Outcome::SetAside(reason) => {
                tally.rejected += 1;
                tally.set_aside += 1;
                tally.reasons.push(reason);
            }
            _ if record.is_gone => tally.gone += 1,
            _ => tally.accepted += 1,
        }
    }
    tallies
}

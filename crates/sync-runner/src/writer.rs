//! The writing half: batches in, commits out.
//!
//! It decides when a state is committed. A state waits in `pending` until every record before it
//! has been written. It is committed at most one commit interval later, even while the source
//! waits.

use connector_core::{Result, State};
use host_kit::{BatchWriter, RecordOutcome};
use tokio::time::{Instant, timeout_at};

use crate::carried_state::CarriedState;
use crate::progress::Tally;
use crate::reader::{Batch, Context, Counted, Reader};
use crate::{Limits, Progress};

/// Writes the batches of one sync, over all its tries.
pub(crate) struct Writer<'a> {
    batches: &'a mut BatchWriter,
    progress: &'a Progress,
    limits: Limits,
    carried: CarriedState,
    /// The last committed state.
    pub(crate) committed: Option<State>,
    pending: Option<State>,
    /// The destination did not attempt some records. From here on, every state would cover records
    /// that were not written.
    pub(crate) is_stopped: bool,
    uncommitted_bytes: u64,
    last_commit: Instant,
}

impl<'a> Writer<'a> {
    /// `committed` is the state to resume from.
    pub(crate) fn new(
        batches: &'a mut BatchWriter,
        context: &'a Context,
        carried: CarriedState,
        committed: Option<State>,
    ) -> Self {
        Self {
            batches,
            progress: &context.progress,
            limits: context.limits,
            carried,
            committed,
            pending: None,
            is_stopped: false,
            uncommitted_bytes: 0,
            last_commit: Instant::now(),
        }
    }

    /// Writes and commits everything it receives, until the destination stops.
    ///
    /// # Errors
    /// Those of the [`BatchWriter`]; nothing after the last commit counts.
    pub(crate) async fn write_all(&mut self, reader: &mut Reader) -> Result<()> {
        while !self.is_stopped
            && let Some(batch) = self.next_batch(reader).await?
        {
            let is_at_checkpoint = batch.checkpoint.is_some();
            self.write(batch).await?;
            if self.is_commit_due(is_at_checkpoint) {
                self.commit().await?;
            }
        }
        self.commit().await
    }

    /// Waits for a batch, and commits while it waits if a commit is due.
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
        let outcomes = self.batches.write(records).await?;
        self.is_stopped |= outcomes.contains(&RecordOutcome::NotAttempted);
        self.uncommitted_bytes += stream_bytes.iter().sum::<u64>();
        self.progress.add(tally(&counted, &stream_bytes, outcomes));
        if !self.is_stopped {
            self.pending = checkpoint.or_else(|| self.pending.take());
        }
        Ok(())
    }

    /// Right after a checkpoint: a later commit would include records that its state does not
    /// cover, which a resumed sync would write again.
    fn is_commit_due(&self, is_at_checkpoint: bool) -> bool {
        let is_time = self.last_commit.elapsed() >= self.limits.commit_interval;
        self.uncommitted_bytes >= self.limits.commit_bytes || (is_at_checkpoint && is_time)
    }

    async fn commit(&mut self) -> Result<()> {
        let mut state = self.pending.take();
        if let Some(state) = &mut state {
            self.carried.add_to(state);
        }
        self.batches.commit(state.as_ref()).await?;
        self.committed = state.or_else(|| self.committed.take());
        self.uncommitted_bytes = 0;
        self.last_commit = Instant::now();
        Ok(())
    }
}

/// Sums up a written batch per stream.
fn tally(counted: &[Counted], stream_bytes: &[u64], outcomes: Vec<RecordOutcome>) -> Vec<Tally> {
    let new = |bytes: &u64| Tally {
        bytes: *bytes,
        ..Tally::default()
    };
    let mut tallies: Vec<_> = stream_bytes.iter().map(new).collect();
    for (record, outcome) in counted.iter().zip(outcomes) {
        let tally = &mut tallies[record.stream];
        match outcome {
            RecordOutcome::Accepted if record.is_removed => tally.removed += 1,
            RecordOutcome::Accepted => tally.accepted += 1,
            RecordOutcome::Rejected(rejection) => {
                tally.rejected += 1;
                tally.saved += u64::from(rejection.is_saved);
                tally.reasons.push(rejection.reason);
            }
            _ => {}
        }
    }
    tallies
}

//! One run of a sync into the connector under test.

use std::sync::Arc;

use connector_core::{
    Comparison, Destination, Outcome, ReadRequest, Record, Replica, Selection, Setup, State,
    Stream, StreamPlan, WriteMode, WritePlan,
};
use futures::TryStreamExt;

use super::{Suite, read};
use crate::copy::{Copy, value_of};
use crate::given::Access;
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::rows::{key_of, records};
use crate::variation::simple_fields;

/// The name of the sync.
pub(crate) const SYNC: &str = "testkit";

/// A state that a host commits.
pub(crate) fn state(position: u64) -> State {
    let mut state = State::new(SYNC, 1);
    state.set_stream(SYNC.into(), position.into());
    state
}

/// A destination that has started. Dropping it kills the run.
pub(crate) struct SyncRun {
    pub(crate) destination: Box<dyn Destination>,
    /// The state that it was given at its start.
    pub(crate) resumed: Option<State>,
}

impl SyncRun {
    pub(crate) async fn start(
        suite: &Suite<'_>,
        access: &Access,
        plan: &WritePlan,
    ) -> Verdict<Self> {
        Self::start_with(suite, access.setup()?, plan).await
    }

    pub(crate) async fn start_with(
        suite: &Suite<'_>,
        setup: Setup,
        plan: &WritePlan,
    ) -> Verdict<Self> {
        let role = suite.connector.expect_destination()?;
        let mut destination = role.open(setup).await?;
        let resumed = destination.start(plan).await?;
        Ok(Self {
            destination,
            resumed,
        })
    }

    /// Writes records in batches that the destination takes, and returns all outcomes.
    pub(crate) async fn write(&mut self, records: Vec<Record>) -> Verdict<Vec<Outcome>> {
        let limit = self.destination.batch_limit().max(1);
        let mut outcomes = Vec::with_capacity(records.len());
        for batch in records.chunks(limit) {
            let answered = self.destination.write(batch.to_vec()).await?;
            if answered.len() != batch.len() {
                let (count, asked) = (answered.len(), batch.len());
                return failed(format!(
                    "{count} outcomes were returned for {asked} records"
                ));
            }
            outcomes.extend(answered);
        }
        Ok(outcomes)
    }

    /// Writes records that must be accepted.
    pub(crate) async fn store(&mut self, records: &[Record]) -> Verdict {
        let outcomes = self.write(records.to_vec()).await?;
        match outcomes.iter().find(|one| **one != Outcome::Accepted) {
            Some(other) => failed(format!("an acceptable record has the outcome {other:?}")),
            None => Ok(()),
        }
    }

    pub(crate) async fn commit(&mut self, state: Option<&State>) -> Verdict {
        Ok(self.destination.commit(state).await?)
    }

    /// Commits, and ends the sync.
    pub(crate) async fn finish(mut self, state: Option<&State>) -> Verdict {
        self.commit(state).await?;
        Ok(self.destination.finish().await?)
    }
}

impl Suite<'_> {
    /// Writes every stream in its preferred mode.
    pub(crate) fn plan(&self) -> Verdict<WritePlan> {
        let streams = self.writing()?.streams().iter().cloned();
        Ok(WritePlan::preferred(SYNC, streams, &self.declared()?)?)
    }

    /// Writes every stream in `mode` for which it is possible. Absent if the destination does not
    /// support it; skipped if it is possible for none.
    pub(crate) fn plan_in(&self, mode: WriteMode) -> Verdict<WritePlan> {
        if !self.declared()?.write_modes.contains(&mode) {
            return Err(Unproven::Absent);
        }
        let streams = self.writing()?.streams().iter();
        let is_possible =
            |stream: &&Stream| mode != WriteMode::Upsert || !stream.primary_key.is_empty();
        let streams = streams.filter(is_possible).cloned();
        let streams: Vec<_> = streams
            .map(|stream| StreamPlan::new(stream, mode))
            .collect();
        if streams.is_empty() {
            return skipped("no stream with a primary key was given");
        }
        Ok(WritePlan::new(SYNC, streams))
    }

    /// The records that are accepted, of the streams of a plan.
    pub(crate) fn accepted_of(&self, plan: &WritePlan) -> Verdict<Vec<Record>> {
        let mut records = self.writing()?.accepted();
        records.retain(|record| stream_of(plan, record).is_some());
        if records.is_empty() {
            return skipped("no accepted record was given: use `Writing::accepts`");
        }
        Ok(records)
    }

    /// What is stored at a place.
    pub(crate) async fn stored(&self, access: &Access) -> Verdict<Arc<dyn Replica>> {
        let writing = self.writing()?;
        if let Some(reader) = &writing.reader {
            return Ok(Arc::new(copy_of(writing.streams(), &reader(access))?));
        }
        if let Some(role) = self.connector.replica() {
            return Ok(role.open(access.setup()?).await?);
        }
        if let Some(replica) = self.destination_of(access).await?.replica() {
            return Ok(replica);
        }
        self.read_back(access).await
    }

    /// Reads what was written with the connector's own source.
    async fn read_back(&self, access: &Access) -> Verdict<Arc<dyn Replica>> {
        const WHY: &str = "what was written cannot be read back: use `Writing::with_reader`";
        if self.connector.source().is_none() {
            return skipped(WHY);
        }
        let Ok(source) = self.source_of(access).await else {
            return skipped(WHY);
        };
        let Ok(catalog) = source.discover().await else {
            return skipped(WHY);
        };
        let streams = self.writing()?.streams();
        let written = streams
            .iter()
            .filter(|s| catalog.stream(s.name.as_str()).is_ok());
        let selections: Vec<_> = written
            .map(|stream| Selection::full_refresh(stream.name.clone()))
            .collect();
        let messages = read(&*source, ReadRequest::new(selections)).await?;
        let records: Vec<_> = records(&messages).cloned().collect();
        Ok(Arc::new(copy_of(streams, &records)?))
    }
}

/// The plan of a record's stream.
pub(super) fn stream_of<'p>(plan: &'p WritePlan, record: &Record) -> Option<&'p StreamPlan> {
    let mut streams = plan.streams.iter();
    streams.find(|plan| plan.stream.name == record.stream)
}

fn copy_of(streams: &[Stream], records: &[Record]) -> Verdict<Copy> {
    let mut copy = Copy::default();
    for record in records {
        let stream = streams.iter().find(|stream| stream.name == record.stream);
        let Some(stream) = stream else {
            let name = &record.stream;
            return failed(format!(
                "a record of `{name}` is stored that was not written"
            ));
        };
        copy.table_mut(stream).append(record)?;
    }
    Ok(copy)
}

/// Checks that the rows of these streams are just these records.
pub(crate) async fn expect_rows(
    replica: &dyn Replica,
    plan: &WritePlan,
    expected: &[Record],
) -> Verdict {
    for StreamPlan { stream, .. } in &plan.streams {
        let of_stream = expected
            .iter()
            .filter(|record| record.stream == stream.name);
        let of_stream: Vec<_> = of_stream.cloned().collect();
        let (rows, asked) = (count(replica, stream).await?, of_stream.len());
        if rows != asked {
            let name = &stream.name;
            return failed(format!("{rows} rows of `{name}` are stored, not {asked}"));
        }
        if stream.primary_key.is_empty() {
            expect_values(replica, stream, &of_stream).await?;
        } else {
            expect_same(replica, stream, of_stream).await?;
        }
    }
    Ok(())
}

/// Checks that the row with the key of each record is as it was written.
async fn expect_same(replica: &dyn Replica, stream: &Stream, records: Vec<Record>) -> Verdict {
    let compared = replica.compare(records.clone()).await?;
    for (record, found) in records.iter().zip(&compared) {
        if *found != Comparison::Same {
            let (name, key) = (&stream.name, key_of(stream, record)?);
            return failed(format!("{name} {key} is not stored as written: {found:?}"));
        }
    }
    Ok(())
}

/// Checks that some row has the simple values of each record, of which nothing tells the key.
async fn expect_values(replica: &dyn Replica, stream: &Stream, records: &[Record]) -> Verdict {
    for (at, record) in records.iter().enumerate() {
        let value = value_of(&record.data)?;
        let fields = simple_fields(&value);
        let expected: Vec<_> = fields.iter().map(|field| value[*field].clone()).collect();
        let rows: Vec<_> = replica.rows(&stream.name, &fields).try_collect().await?;
        if !rows.contains(&expected) {
            let name = &stream.name;
            return failed(format!("record {at} of `{name}` is not stored as written"));
        }
    }
    Ok(())
}

/// How many rows of a stream are stored and not marked as removed.
pub(crate) async fn count(replica: &dyn Replica, stream: &Stream) -> Verdict<usize> {
    let key: Vec<_> = stream.primary_key.iter().map(String::as_str).collect();
    let rows: Vec<_> = replica.rows(&stream.name, &key).try_collect().await?;
    Ok(rows.len())
}

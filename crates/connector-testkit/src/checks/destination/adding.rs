//! Streams that are added while a sync runs.

use connector_core::{AcceptedStreams, JsonObject, Record, StreamPlan, WriteMode, WritePlan};
use serde_json::json;

use super::modes::sync;
use crate::check::Check;
use crate::copy::value_of;
use crate::report::{Verdict, absent, failed, skipped};
use crate::suite::{SYNC, SyncRun, expect_rows};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "added_streams_lose_nothing",
        claim: "Adding a stream while a sync runs loses no record of any stream, written before or after.",
        mutants: &[
            "forgets what was written before a stream was added",
            "forgets other streams when one is added",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(added_streams_lose_nothing(suite)),
    },
    Check {
        name: "added_streams_finish_nothing",
        claim: "Adding a stream finishes nothing: no stream is replaced before the end.",
        mutants: &["finishes when a stream is added"],
        capability: Capability::Destination,
        run: |suite| Box::pin(added_streams_finish_nothing(suite)),
    },
    Check {
        name: "grown_streams_take_new_fields",
        claim: "When a stream's schema grows while a sync runs, its records stay and the new field is stored.",
        mutants: &[
            "forgets the records of a grown stream",
            "drops the fields of a grown schema",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(grown_streams_take_new_fields(suite)),
    },
];

async fn added_streams_lose_nothing(suite: &Suite<'_>) -> Verdict {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan()?);
    let records = suite.accepted_of(&plan)?;
    let mut run = SyncRun::start(suite, &access, &WritePlan::new(SYNC, [])).await?;
    // The last record of the first stream is written after all streams were added.
    let mut written = Vec::new();
    for stream in &plan.streams {
        run.destination.add_stream(stream).await?;
        let rest = rest(&plan, &records, &written, stream);
        run.store(&rest).await?;
        written.extend(rest);
    }
    let late: Vec<_> = records
        .iter()
        .filter(|record| !written.contains(record))
        .collect();
    let late: Vec<_> = late.into_iter().cloned().collect();
    run.store(&late).await?;
    run.finish(None).await?;
    expect_rows(&*suite.stored(&access).await?, &plan, &records).await
}

/// The records of a stream; of the first one, all but the last record.
fn rest(
    plan: &WritePlan,
    records: &[Record],
    written: &[Record],
    stream: &StreamPlan,
) -> Vec<Record> {
    let of_stream = records
        .iter()
        .filter(|record| record.stream == stream.stream.name);
    let mut rest: Vec<_> = of_stream
        .filter(|one| !written.contains(one))
        .cloned()
        .collect();
    let is_first = plan
        .streams
        .first()
        .is_some_and(|first| first.stream == stream.stream);
    if is_first && rest.len() > 1 {
        rest.pop();
    }
    rest
}

async fn added_streams_finish_nothing(suite: &Suite<'_>) -> Verdict {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan_in(WriteMode::Overwrite)?);
    let [first, second, ..] = &plan.streams[..] else {
        return absent();
    };
    let records = suite.accepted_of(&plan)?;
    sync(suite, &access, &plan, &records).await?;
    let start = WritePlan::new(SYNC, [first.clone()]);
    let mut run = SyncRun::start(suite, &access, &start).await?;
    run.destination.add_stream(second).await?;
    run.commit(None).await?;
    drop(run);
    let stored = suite.stored(&access).await?;
    expect_rows(&*stored, &plan, &records).await
}

async fn grown_streams_take_new_fields(suite: &Suite<'_>) -> Verdict {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan()?);
    let accepted = suite
        .destination_of(&access)
        .await?
        .accepted_streams()
        .await?;
    if accepted != AcceptedStreams::Any {
        return absent();
    }
    let records = suite.accepted_of(&plan)?;
    let Some(mut grown) = plan.streams.first().cloned() else {
        return failed("no stream was given to write");
    };
    let of_stream = |record: &&Record| record.stream == grown.stream.name;
    let records: Vec<_> = records.iter().filter(of_stream).cloned().collect();
    let [first, .., last] = &records[..] else {
        return skipped("the first stream has fewer than two accepted records");
    };
    let mut run = SyncRun::start(suite, &access, &plan).await?;
    run.store(std::slice::from_ref(first)).await?;
    grown.stream.json_schema["properties"][NEW] = json!({"type": ["string", "null"]});
    run.destination.add_stream(&grown).await?;
    let last = with_new(last)?;
    run.store(std::slice::from_ref(&last)).await?;
    run.finish(None).await?;
    let plan = WritePlan::new(SYNC, [grown]);
    expect_rows(
        &*suite.stored(&access).await?,
        &plan,
        &[first.clone(), last],
    )
    .await
}

/// The field that a schema grows by.
const NEW: &str = "a_new_field_of_the_testkit";

fn with_new(record: &Record) -> Verdict<Record> {
    let mut value = value_of(&record.data)?;
    value[NEW] = "new".into();
    let data = JsonObject::from_serialize(&value)?;
    Ok(Record::new(record.stream.clone(), data))
}

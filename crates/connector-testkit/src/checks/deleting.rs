//! Rows that are deleted by their keys.

use connector_core::{
    Destination, ErrorKind, JsonObject, Record, StreamPlan, WriteMode, WritePlan,
};

use crate::Access;
use crate::check::Check;
use crate::report::{Unproven, Verdict, absent, failed, skipped};
use crate::suite::{SYNC, SyncRun, expect_rows};
use crate::variation::key_alone;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "rows_are_deleted_by_key",
        claim: "Exactly the rows with the given keys are deleted and counted.",
        mutants: &[
            "deletes nothing",
            "deletes every row of a stream",
            "counts keys instead of deleted rows",
        ],
        capability: Capability::DeleteByKey,
        run: |suite| Box::pin(rows_are_deleted_by_key(suite)),
    },
    Check {
        name: "rows_without_a_key_are_not_deleted",
        claim: "Deleting rows of a stream without a primary key is a configuration error.",
        mutants: &["deletes rows of a stream without a key"],
        capability: Capability::DeleteByKey,
        run: |suite| Box::pin(rows_without_a_key_are_not_deleted(suite)),
    },
];

async fn expect_capability(suite: &Suite<'_>) -> Verdict {
    let access = suite.storing()?.fresh();
    let mut destination = suite.destination_of(&access).await?;
    match destination.delete_by_key() {
        Some(_) => Ok(()),
        None => absent(),
    }
}

async fn delete(
    destination: &mut dyn Destination,
    stream: &StreamPlan,
    keys: Vec<JsonObject>,
) -> Verdict<connector_core::Result<u64>> {
    let Some(deleting) = destination.delete_by_key() else {
        return Err(Unproven::Absent);
    };
    Ok(deleting.delete(&stream.stream.name, keys).await)
}

/// Writes these records and ends the sync, then starts another one.
async fn written(
    suite: &Suite<'_>,
    access: &Access,
    plan: &WritePlan,
    records: &[Record],
) -> Verdict<SyncRun> {
    let mut run = SyncRun::start(suite, access, plan).await?;
    run.store(records).await?;
    run.finish(None).await?;
    SyncRun::start(suite, access, plan).await
}

async fn rows_are_deleted_by_key(suite: &Suite<'_>) -> Verdict {
    expect_capability(suite).await?;
    let (access, plan) = (suite.storing()?.fresh(), suite.plan()?);
    let records = suite.accepted_of(&plan)?;
    let has_key = |plan: &&StreamPlan| !plan.stream.primary_key.is_empty();
    let Some(stream) = plan.streams.iter().find(has_key) else {
        return skipped("no stream with a primary key was given");
    };
    let of_stream = |record: &&Record| record.stream == stream.stream.name;
    let Some(doomed) = records.iter().find(of_stream) else {
        return skipped("no record of a stream with a primary key was given");
    };
    let mut run = written(suite, &access, &plan, &records).await?;
    let key = key_alone(&stream.stream, doomed)?;
    for expected in [1, 0] {
        let deleted = delete(&mut *run.destination, stream, vec![key.clone()]).await??;
        if deleted != expected {
            return failed(format!("{deleted} rows were deleted, not {expected}"));
        }
    }
    run.commit(None).await?;
    drop(run);
    let others = records.iter().filter(|record| *record != doomed);
    let others: Vec<_> = others.cloned().collect();
    expect_rows(&*suite.stored(&access).await?, &plan, &others).await
}

async fn rows_without_a_key_are_not_deleted(suite: &Suite<'_>) -> Verdict {
    expect_capability(suite).await?;
    if !suite.declared()?.write_modes.contains(&WriteMode::Append) {
        return absent();
    }
    let (access, plan) = (suite.storing()?.fresh(), suite.plan()?);
    let records = suite.accepted_of(&plan)?;
    let Some(mut stream) = plan.streams.first().cloned() else {
        return failed("no stream was given to write");
    };
    let of_stream = |record: &&Record| record.stream == stream.stream.name;
    let records: Vec<_> = records.iter().filter(of_stream).cloned().collect();
    let Some(first) = records.first() else {
        return skipped("the first stream has no accepted record");
    };
    let key = key_alone(&stream.stream, first)?;
    (stream.mode, stream.stream.primary_key) = (WriteMode::Append, Vec::new());
    let plan = WritePlan::new(SYNC, [stream.clone()]);
    let mut run = written(suite, &access, &plan, &records).await?;
    match delete(&mut *run.destination, &stream, vec![key]).await? {
        Ok(_) => failed("rows of a stream without a primary key were deleted"),
        Err(error) if error.kind() == ErrorKind::Config => Ok(()),
        Err(error) => failed(format!("the error has kind {:?}: {error}", error.kind())),
    }
}

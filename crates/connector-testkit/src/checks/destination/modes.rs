//! Appending and upserting.

use connector_core::{Record, WriteMode, WritePlan};

use crate::check::Check;
use crate::report::{Verdict, failed, skipped};
use crate::rows::key_of;
use crate::suite::{SyncRun, count, expect_rows};
use crate::variation::altered;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "append_adds_rows",
        claim: "In the mode `append` each record adds a row, even if its key exists.",
        mutants: &["upserts instead of appending"],
        capability: Capability::Destination,
        run: |suite| Box::pin(append_adds_rows(suite)),
    },
    Check {
        name: "upsert_replaces_rows",
        claim: "In the mode `upsert` a record replaces the row with its key. Writing it again changes nothing.",
        mutants: &[
            "appends instead of upserting",
            "keeps the first version of a row",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(upsert_replaces_rows(suite)),
    },
    Check {
        name: "last_of_a_batch_counts",
        claim: "If two records of a batch have the same key, the later one wins.",
        mutants: &["reverses a batch"],
        capability: Capability::Destination,
        run: |suite| Box::pin(last_of_a_batch_counts(suite)),
    },
];

/// Writes records in a run of their own, to its end.
pub(super) async fn sync(
    suite: &Suite<'_>,
    access: &crate::Access,
    plan: &WritePlan,
    records: &[Record],
) -> Verdict {
    let mut run = SyncRun::start(suite, access, plan).await?;
    run.store(records).await?;
    run.finish(None).await
}

/// For some of these records a newer version.
pub(super) fn newer(
    suite: &Suite<'_>,
    plan: &WritePlan,
    records: &[Record],
) -> Verdict<Vec<Record>> {
    let given = suite.writing()?.newer.iter();
    let given = given.filter(|record| plan.streams.iter().any(|p| p.stream.name == record.stream));
    let mut newer: Vec<_> = given.cloned().collect();
    if newer.is_empty() {
        for plan in &plan.streams {
            let of_stream = records
                .iter()
                .filter(|record| record.stream == plan.stream.name);
            for record in of_stream {
                newer.extend(altered(&plan.stream, record)?);
            }
        }
    }
    if newer.is_empty() {
        return skipped("no record has a simple field outside its key: use `Writing::with_newer`");
    }
    Ok(newer)
}

/// The records, with the newer version of each that has one.
fn replaced(plan: &WritePlan, records: &[Record], newer: &[Record]) -> Verdict<Vec<Record>> {
    let mut replaced = records.to_vec();
    for record in newer {
        let mut plans = plan.streams.iter();
        let Some(plan) = plans.find(|plan| plan.stream.name == record.stream) else {
            continue;
        };
        let key = key_of(&plan.stream, record)?;
        for old in replaced
            .iter_mut()
            .filter(|old| old.stream == record.stream)
        {
            if key_of(&plan.stream, old)? == key {
                old.clone_from(record);
            }
        }
    }
    Ok(replaced)
}

async fn append_adds_rows(suite: &Suite<'_>) -> Verdict {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan_in(WriteMode::Append)?);
    let records = suite.accepted_of(&plan)?;
    sync(suite, &access, &plan, &records).await?;
    sync(suite, &access, &plan, &records).await?;
    let replica = suite.stored(&access).await?;
    for plan in &plan.streams {
        let of_stream = |record: &&Record| record.stream == plan.stream.name;
        let (rows, expected) = (
            count(&*replica, &plan.stream).await?,
            2 * records.iter().filter(of_stream).count(),
        );
        if rows != expected {
            let name = &plan.stream.name;
            return failed(format!(
                "{rows} rows of `{name}` are stored, not {expected}"
            ));
        }
    }
    Ok(())
}

async fn upsert_replaces_rows(suite: &Suite<'_>) -> Verdict {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan_in(WriteMode::Upsert)?);
    let records = suite.accepted_of(&plan)?;
    let newer = newer(suite, &plan, &records)?;
    sync(suite, &access, &plan, &records).await?;
    sync(suite, &access, &plan, &newer).await?;
    sync(suite, &access, &plan, &newer).await?;
    let expected = replaced(&plan, &records, &newer)?;
    expect_rows(&*suite.stored(&access).await?, &plan, &expected).await
}

async fn last_of_a_batch_counts(suite: &Suite<'_>) -> Verdict {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan_in(WriteMode::Upsert)?);
    let records = suite.accepted_of(&plan)?;
    let newer = newer(suite, &plan, &records)?;
    let both = [&records[..], &newer].concat();
    sync(suite, &access, &plan, &both).await?;
    let expected = replaced(&plan, &records, &newer)?;
    expect_rows(&*suite.stored(&access).await?, &plan, &expected).await
}

//! What a copy says that it holds in all.

use std::sync::Arc;

use connector_core::{CopyInventory, Record, Replica, StoredStream, WriteMode, WritePlan};

use crate::check::Check;
use crate::report::{Unproven, Verdict, failed};
use crate::suite::{SYNC, SyncRun, state};
use crate::variation::key_alone;
use crate::{Access, Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "inventories_list_syncs",
        claim: "An inventory lists exactly the syncs that have committed a state.",
        mutants: &["lists no sync", "lists a sync that never ran"],
        capability: Capability::Replica,
        run: |suite| Box::pin(inventories_list_syncs(suite)),
    },
    Check {
        name: "inventories_count_rows",
        claim: "An inventory counts the rows of each stream, and those that are marked as removed.",
        mutants: &[
            "omits a stream from the inventory",
            "does not count removed rows",
            "counts a row twice",
        ],
        capability: Capability::Replica,
        run: |suite| Box::pin(inventories_count_rows(suite)),
    },
];

async fn opened(suite: &Suite<'_>, access: &Access) -> Verdict<Arc<dyn Replica>> {
    let Some(role) = suite.connector.replica() else {
        return Err(Unproven::Absent);
    };
    Ok(role.open(access.setup()?).await?)
}

fn inventory_of(replica: &dyn Replica) -> Verdict<&dyn CopyInventory> {
    replica.inventory().ok_or(Unproven::Absent)
}

/// Writes records and a state into a new copy.
async fn store(
    suite: &Suite<'_>,
    plan: &WritePlan,
    batches: [&[Record]; 2],
) -> Verdict<Arc<dyn Replica>> {
    let access = suite.storing()?.fresh();
    for records in batches {
        let mut run = SyncRun::start(suite, &access, plan).await?;
        run.store(records).await?;
        run.finish(Some(&state(1))).await?;
    }
    opened(suite, &access).await
}

async fn inventories_list_syncs(suite: &Suite<'_>) -> Verdict {
    suite.keeping()?;
    let plan = suite.plan()?;
    let replica = store(suite, &plan, [&[], &[]]).await?;
    let syncs = inventory_of(&*replica)?.syncs().await?;
    let names: Vec<_> = syncs.iter().map(|sync| sync.name.as_str()).collect();
    if names != [SYNC] {
        return failed(format!("the inventory lists the syncs {names:?}"));
    }
    Ok(())
}

async fn inventories_count_rows(suite: &Suite<'_>) -> Verdict {
    let plan = suite.plan()?;
    let records = suite.accepted_of(&plan)?;
    let removed = removed_first(&plan, &records)?;
    let replica = store(suite, &plan, [&records, &removed]).await?;
    let counted = inventory_of(&*replica)?.streams().await?;
    for stream in plan.streams.iter().map(|plan| &plan.stream.name) {
        let of_stream = |records: &[Record]| {
            let of_stream = records.iter().filter(|record| record.stream == *stream);
            of_stream.count() as u64
        };
        let (rows, removed) = (of_stream(&records), of_stream(&removed));
        let expected = StoredStream::new(stream.clone(), rows, removed);
        let found = counted.iter().find(|counted| counted.stream == *stream);
        if found != Some(&expected) {
            return failed(format!("the inventory says {found:?}, not {expected:?}"));
        }
    }
    Ok(())
}

/// A tombstone of the first record of a stream that is upserted; none if there is no such stream.
fn removed_first(plan: &WritePlan, records: &[Record]) -> Verdict<Vec<Record>> {
    let mut plans = plan.streams.iter();
    let Some(plan) = plans.find(|plan| plan.mode == WriteMode::Upsert) else {
        return Ok(Vec::new());
    };
    let name = &plan.stream.name;
    let Some(record) = records.iter().find(|record| record.stream == *name) else {
        return Ok(Vec::new());
    };
    let key = key_alone(&plan.stream, record)?;
    Ok(vec![Record::removed(name.clone(), key, "testkit")])
}

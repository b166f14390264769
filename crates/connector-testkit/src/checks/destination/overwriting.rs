//! Overwriting.

use connector_core::{Record, WriteMode, WritePlan};

use super::modes::sync;
use crate::Access;
use crate::check::Check;
use crate::report::{Verdict, absent, skipped};
use crate::suite::{SyncRun, expect_rows, state};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "overwrite_replaces_at_its_end",
        claim: "In the mode `overwrite` the old rows stay until the sync finishes. Then the new rows replace them.",
        mutants: &[
            "overwrites at the commit",
            "overwrites nothing",
            "appends instead of overwriting",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(overwrite_replaces_at_its_end(suite)),
    },
    Check {
        name: "overwrite_that_is_killed_changes_nothing",
        claim: "If a sync that overwrites is killed before it finishes, the old rows stay, whatever it committed.",
        mutants: &["overwrites at the next start"],
        capability: Capability::Destination,
        run: |suite| Box::pin(overwrite_that_is_killed_changes_nothing(suite)),
    },
    Check {
        name: "overwrite_resumes",
        claim: "If a sync that overwrites is killed and resumes from its committed state, the rows of both runs replace the old ones.",
        mutants: &["forgets what a killed sync has staged"],
        capability: Capability::Destination,
        run: |suite| Box::pin(overwrite_resumes(suite)),
    },
    Check {
        name: "overwrite_spares_other_streams",
        claim: "Overwriting a stream leaves the rows of other streams alone.",
        mutants: &["overwrites other streams, too"],
        capability: Capability::Destination,
        run: |suite| Box::pin(overwrite_spares_other_streams(suite)),
    },
];

/// A place with old rows, and the new ones.
struct Old {
    access: Access,
    plan: WritePlan,
    old: Vec<Record>,
    new: Vec<Record>,
}

/// The new rows are the last record of each stream.
async fn old(suite: &Suite<'_>) -> Verdict<Old> {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan_in(WriteMode::Overwrite)?);
    let old = suite.accepted_of(&plan)?;
    let new: Vec<_> = plan
        .streams
        .iter()
        .filter_map(|plan| old.iter().rfind(|record| record.stream == plan.stream.name))
        .cloned()
        .collect();
    if new.len() == old.len() {
        return skipped("no stream has two accepted records");
    }
    sync(suite, &access, &plan, &old).await?;
    Ok(Old {
        access,
        plan,
        old,
        new,
    })
}

impl Old {
    async fn expect(&self, suite: &Suite<'_>, records: &[Record]) -> Verdict {
        let replica = suite.stored(&self.access).await?;
        expect_rows(&*replica, &self.plan, records).await
    }
}

async fn overwrite_replaces_at_its_end(suite: &Suite<'_>) -> Verdict {
    let place = old(suite).await?;
    let mut run = SyncRun::start(suite, &place.access, &place.plan).await?;
    run.store(&place.new).await?;
    run.commit(None).await?;
    place.expect(suite, &place.old).await?;
    run.finish(None).await?;
    place.expect(suite, &place.new).await
}

async fn overwrite_that_is_killed_changes_nothing(suite: &Suite<'_>) -> Verdict {
    let place = old(suite).await?;
    for state in [None, Some(state(1))] {
        let mut run = SyncRun::start(suite, &place.access, &place.plan).await?;
        run.store(&place.new).await?;
        run.commit(state.as_ref()).await?;
        drop(run);
        place.expect(suite, &place.old).await?;
    }
    drop(SyncRun::start(suite, &place.access, &place.plan).await?);
    place.expect(suite, &place.old).await
}

async fn overwrite_resumes(suite: &Suite<'_>) -> Verdict {
    suite.keeping()?;
    let place = old(suite).await?;
    let (first, rest) = place.old.split_at(1);
    let mut run = SyncRun::start(suite, &place.access, &place.plan).await?;
    run.store(first).await?;
    run.commit(Some(&state(1))).await?;
    drop(run);
    let mut run = SyncRun::start(suite, &place.access, &place.plan).await?;
    run.store(rest).await?;
    run.finish(Some(&state(2))).await?;
    place.expect(suite, &place.old).await
}

async fn overwrite_spares_other_streams(suite: &Suite<'_>) -> Verdict {
    let place = old(suite).await?;
    let mut plan = place.plan.clone();
    plan.streams.truncate(1);
    let Some(overwritten) = plan
        .streams
        .first()
        .filter(|_| place.plan.streams.len() > 1)
    else {
        return absent();
    };
    let name = overwritten.stream.name.clone();
    let new = place.new.iter().filter(|record| record.stream == name);
    let new: Vec<_> = new.cloned().collect();
    sync(suite, &place.access, &plan, &new).await?;
    let others = place.old.iter().filter(|record| record.stream != name);
    let expected: Vec<_> = others.chain(&new).cloned().collect();
    place.expect(suite, &expected).await
}

//! States, and what is durable with them.

use connector_core::{WriteMode, WritePlan};

use crate::check::Check;
use crate::report::{Verdict, failed, skipped};
use crate::suite::{SyncRun, expect_rows, state};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "committed_states_come_back",
        claim: "`start` returns the last committed state, also after a commit without a state.",
        mutants: &[
            "a commit without a state removes the last one",
            "keeps the first state",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(committed_states_come_back(suite)),
    },
    Check {
        name: "states_of_syncs_are_apart",
        claim: "Syncs with different names have separate states.",
        mutants: &["one state for all syncs"],
        capability: Capability::Destination,
        run: |suite| Box::pin(states_of_syncs_are_apart(suite)),
    },
    Check {
        name: "commits_are_atomic",
        claim: "After a kill, the last committed state is there with all records before it and none after it.",
        mutants: &[
            "stores records before they are committed",
            "a state without its records",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(commits_are_atomic(suite)),
    },
];

async fn committed_states_come_back(suite: &Suite<'_>) -> Verdict {
    let (access, plan) = (suite.keeping()?.fresh(), suite.plan()?);
    let mut committed = None;
    for next in [Some(state(1)), None, Some(state(2)), None] {
        let mut run = SyncRun::start(suite, &access, &plan).await?;
        if run.resumed != committed {
            return failed("`start` did not return the last committed state");
        }
        run.commit(next.as_ref()).await?;
        committed = next.or(committed);
    }
    let run = SyncRun::start(suite, &access, &plan).await?;
    if run.resumed != committed {
        return failed("`start` did not return the last committed state");
    }
    Ok(())
}

async fn states_of_syncs_are_apart(suite: &Suite<'_>) -> Verdict {
    let (access, plan) = (suite.keeping()?.fresh(), suite.plan()?);
    let run = SyncRun::start(suite, &access, &plan).await?;
    run.finish(Some(&state(1))).await?;
    let mut other = plan.clone();
    other.sync = "testkit-2".to_owned();
    let run = SyncRun::start(suite, &access, &other).await?;
    if run.resumed.is_some() {
        return failed("another sync was given the state");
    }
    run.finish(Some(&state(2))).await?;
    let run = SyncRun::start(suite, &access, &plan).await?;
    if run.resumed != Some(state(1)) {
        return failed("another sync changed the state");
    }
    Ok(())
}

/// A plan that stores records at the commit, not only at the end of the sync.
fn durable_plan(suite: &Suite<'_>) -> Verdict<WritePlan> {
    let plan = suite.plan()?;
    if plan
        .streams
        .iter()
        .any(|plan| plan.mode == WriteMode::Overwrite)
    {
        return suite.plan_in(WriteMode::Append);
    }
    Ok(plan)
}

async fn commits_are_atomic(suite: &Suite<'_>) -> Verdict {
    suite.keeping()?;
    let (access, plan) = (suite.storing()?.fresh(), durable_plan(suite)?);
    let records = suite.accepted_of(&plan)?;
    let Some((last, first)) = records.split_last().filter(|(_, first)| !first.is_empty()) else {
        return skipped("fewer than two accepted records were given");
    };
    let mut run = SyncRun::start(suite, &access, &plan).await?;
    run.store(first).await?;
    run.commit(Some(&state(1))).await?;
    run.store(std::slice::from_ref(last)).await?;
    // Killed.
    drop(run);
    // The next start discards what was not committed.
    let run = SyncRun::start(suite, &access, &plan).await?;
    if run.resumed != Some(state(1)) {
        return failed("after a kill, the last committed state is missing");
    }
    drop(run);
    expect_rows(&*suite.stored(&access).await?, &plan, first).await
}

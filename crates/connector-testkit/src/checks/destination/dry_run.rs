//! A run that changes nothing.

use crate::check::Check;
use crate::report::{Verdict, absent, failed};
use crate::suite::{Role, SyncRun, state};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "dry_runs_change_nothing",
        claim: "A dry run stores nothing, triggers nothing and keeps no state.",
        mutants: &["a dry run that writes", "a dry run that keeps its state"],
        capability: Capability::Destination,
        run: |suite| Box::pin(dry_runs_change_nothing(suite)),
    },
    Check {
        name: "dry_runs_say_what_would_be",
        claim: "A dry run returns the outcomes of a real run.",
        mutants: &["a dry run that accepts anything"],
        capability: Capability::Destination,
        run: |suite| Box::pin(dry_runs_say_what_would_be(suite)),
    },
];

async fn dry_runs_change_nothing(suite: &Suite<'_>) -> Verdict {
    if !suite.declared()?.dry_run {
        return absent();
    }
    let (access, plan) = (suite.writing()?.fresh(), suite.plan()?);
    let before = suite.snapshot(Role::Destination, &access).await;
    let setup = access.setup()?.with_dry_run(true);
    let mut run = SyncRun::start_with(suite, setup, &plan).await?;
    run.write(suite.writing()?.batch()).await?;
    run.finish(Some(&state(1))).await?;
    if suite.snapshot(Role::Destination, &access).await != before {
        return failed("a dry run changed something");
    }
    let run = SyncRun::start(suite, &access, &plan).await?;
    if run.resumed.is_some() {
        return failed("a dry run kept its state");
    }
    Ok(())
}

async fn dry_runs_say_what_would_be(suite: &Suite<'_>) -> Verdict {
    if !suite.declared()?.dry_run {
        return absent();
    }
    let (writing, plan) = (suite.writing()?, suite.plan()?);
    let mut run = SyncRun::start(suite, &writing.fresh(), &plan).await?;
    let real = run.write(writing.batch()).await?;
    let setup = writing.fresh().setup()?.with_dry_run(true);
    let mut run = SyncRun::start_with(suite, setup, &plan).await?;
    let dry = run.write(writing.batch()).await?;
    if dry != real {
        return failed("a dry run returned other outcomes than a real run");
    }
    Ok(())
}

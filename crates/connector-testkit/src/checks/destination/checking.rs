//! `check`, and what a destination declares.

use connector_core::AcceptedStreams;

use crate::check::Check;
use crate::checks::refusal::expect_refusal;
use crate::checks::streams::expect_sound;
use crate::report::{Verdict, absent, failed, skipped};
use crate::suite::{Role, SyncRun, state};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "destination_check_passes",
        claim: "`check` of a destination passes with an access that works.",
        mutants: &["refuses a token that works for writing"],
        capability: Capability::Destination,
        run: |suite| Box::pin(destination_check_passes(suite)),
    },
    Check {
        name: "destination_check_fails",
        claim: "`check` of a destination fails with an access that does not work, and the error is not retryable.",
        mutants: &["accepts an unknown token for writing"],
        capability: Capability::Destination,
        run: |suite| Box::pin(destination_check_fails(suite)),
    },
    Check {
        name: "destination_check_changes_nothing",
        claim: "`check` and `accepted_streams` change nothing.",
        mutants: &["creates a copy to check"],
        capability: Capability::Destination,
        run: |suite| Box::pin(destination_check_changes_nothing(suite)),
    },
    Check {
        name: "capabilities_are_true",
        claim: "A destination declares at least one write mode, each once, and declares the same when opened. It acts and keeps states exactly if it declares so.",
        mutants: &[
            "a write mode twice",
            "declares less when opened",
            "acts without declaring it",
            "keeps states without declaring it",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(capabilities_are_true(suite)),
    },
    Check {
        name: "accepted_streams_are_sound",
        claim: "A destination that accepts only certain streams lists them in a sound catalog.",
        mutants: &[
            "accepts a stream with an invalid schema",
            "does not list an accepted stream",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(accepted_streams_are_sound(suite)),
    },
];

async fn destination_check_passes(suite: &Suite<'_>) -> Verdict {
    let access = suite.writing()?.fresh();
    let mut destination = suite.destination_of(&access).await?;
    Ok(destination.check().await?)
}

async fn destination_check_fails(suite: &Suite<'_>) -> Verdict {
    let wrong = &suite.writing()?.wrong;
    if wrong.is_empty() {
        return skipped("no wrong access was given: use `Writing::with_wrong`");
    }
    for access in wrong {
        let mut destination = suite.destination_of(access).await?;
        expect_refusal(destination.check().await)?;
    }
    Ok(())
}

async fn destination_check_changes_nothing(suite: &Suite<'_>) -> Verdict {
    let access = suite.writing()?.fresh();
    let before = suite.snapshot(Role::Destination, &access).await;
    let mut destination = suite.destination_of(&access).await?;
    // Other checks look at the results.
    destination.check().await.ok();
    destination.accepted_streams().await.ok();
    destination.check().await.ok();
    if suite.snapshot(Role::Destination, &access).await != before {
        return failed("`check` changed something");
    }
    let run = SyncRun::start(suite, &access, &suite.plan()?).await?;
    if run.resumed.is_some() {
        return failed("`start` returned a state, though only `check` was called");
    }
    Ok(())
}

async fn capabilities_are_true(suite: &Suite<'_>) -> Verdict {
    let declared = suite.declared()?;
    let modes = &declared.write_modes;
    let is_repeated = |at: usize| modes[..at].contains(&modes[at]);
    if modes.is_empty() || (0..modes.len()).any(is_repeated) {
        return failed("it declares no write mode, or one of them twice");
    }
    let access = suite.writing()?.fresh();
    let plan = suite.plan()?;
    let mut run = SyncRun::start(suite, &access, &plan).await?;
    if run.destination.capabilities() != declared {
        return failed("an opened destination declares other capabilities than its role");
    }
    if run.destination.acting().is_some() != declared.acts {
        return failed("whether it acts differs from what it declares");
    }
    run.commit(Some(&state(1))).await?;
    drop(run);
    let run = SyncRun::start(suite, &access, &plan).await?;
    if run.resumed.is_some() && !declared.keeps_state {
        return failed("it keeps states without declaring it");
    }
    Ok(())
}

async fn accepted_streams_are_sound(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let mut destination = suite.destination_of(&writing.fresh()).await?;
    let accepted = destination.accepted_streams().await?;
    for stream in writing.streams() {
        accepted.expect(&stream.name)?;
    }
    match accepted {
        AcceptedStreams::Only(catalog) => expect_sound(&catalog),
        _ => absent(),
    }
}

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
        claim: "`check` of a destination passes with what works.",
        mutants: &["refuses to write with a token that works"],
        capability: Capability::Destination,
        run: |suite| Box::pin(destination_check_passes(suite)),
    },
    Check {
        name: "destination_check_fails",
        claim: "`check` of a destination fails with what does not work, and does not ask for another try.",
        mutants: &["passes to write with a token of nobody"],
        capability: Capability::Destination,
        run: |suite| Box::pin(destination_check_fails(suite)),
    },
    Check {
        name: "destination_check_changes_nothing",
        claim: "`check` and the question for accepted streams change nothing.",
        mutants: &["makes a copy to check"],
        capability: Capability::Destination,
        run: |suite| Box::pin(destination_check_changes_nothing(suite)),
    },
    Check {
        name: "capabilities_are_true",
        claim: "A destination declares at least one write mode, each once, and the same once it is opened; it acts, and keeps states, if and only if it declares so.",
        mutants: &[
            "a write mode twice",
            "declares less once it is opened",
            "reports results and does not declare it",
            "keeps states and does not declare it",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(capabilities_are_true(suite)),
    },
    Check {
        name: "accepted_streams_are_sound",
        claim: "A destination that accepts certain streams lists them as a sound catalog, the written ones among them.",
        mutants: &[
            "accepts a stream whose schema is not valid",
            "does not list the stream that it accepts",
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
        return skipped("nothing wrong was given to write with");
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
    // How they end is for other checks.
    destination.check().await.ok();
    destination.accepted_streams().await.ok();
    destination.check().await.ok();
    if suite.snapshot(Role::Destination, &access).await != before {
        return failed("`check` changed something");
    }
    let run = SyncRun::start(suite, &access, &suite.plan()?).await?;
    if run.resumed.is_some() {
        return failed("a state is there, where nothing but `check` was called");
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
        return failed("once it is opened it declares other capabilities");
    }
    if run.destination.acting().is_some() != declared.acts {
        return failed("it acts without declaring it, or declares it and does not");
    }
    run.commit(Some(&state(1))).await?;
    drop(run);
    let run = SyncRun::start(suite, &access, &plan).await?;
    if run.resumed.is_some() && !declared.keeps_state {
        return failed("it keeps states, and does not declare it");
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

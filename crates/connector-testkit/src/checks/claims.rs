//! One run of a sync at a time.

use connector_core::{Destination, ErrorKind, Holder, Result};

use crate::Access;
use crate::check::Check;
use crate::report::{Unproven, Verdict, failed};
use crate::suite::SYNC;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "claims_exclude_each_other",
        claim: "While a run holds a sync, a second one is refused as a conflict.",
        mutants: &["two claims of one sync"],
        capability: Capability::Claim,
        run: |suite| Box::pin(claims_exclude_each_other(suite)),
    },
    Check {
        name: "claims_name_their_holder",
        claim: "The refusal of a claim names program, process and machine of the run that holds it.",
        mutants: &["a refusal without a name"],
        capability: Capability::Claim,
        run: |suite| Box::pin(claims_name_their_holder(suite)),
    },
    Check {
        name: "claims_end_with_their_run",
        claim: "Once the destination is dropped, the sync can be claimed again; a claim that was refused frees nothing.",
        mutants: &["a claim for ever", "a refused claim frees the sync"],
        capability: Capability::Claim,
        run: |suite| Box::pin(claims_end_with_their_run(suite)),
    },
    Check {
        name: "claims_of_syncs_are_apart",
        claim: "Syncs of other names can be claimed meanwhile.",
        mutants: &["one claim for all syncs"],
        capability: Capability::Claim,
        run: |suite| Box::pin(claims_of_syncs_are_apart(suite)),
    },
];

fn holder(process: u32) -> Holder {
    Holder::new("testkit", process, "a-machine", "2026-01-31T01:02:03Z")
}

/// A place to claim syncs at; absent if that cannot be done.
async fn place(suite: &Suite<'_>) -> Verdict<Access> {
    let access = suite.writing()?.fresh();
    let mut destination = suite.destination_of(&access).await?;
    if destination.claim().is_none() {
        return Err(Unproven::Absent);
    }
    Ok(access)
}

/// A run that has tried to claim a sync.
async fn claim(
    suite: &Suite<'_>,
    access: &Access,
    sync: &str,
    process: u32,
) -> Verdict<(Box<dyn Destination>, Result<()>)> {
    let mut destination = suite.destination_of(access).await?;
    let Some(claim) = destination.claim() else {
        return failed("a destination of the same configuration cannot claim a sync");
    };
    let claimed = claim.claim(sync, &holder(process)).await;
    Ok((destination, claimed))
}

async fn claims_exclude_each_other(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (_first, claimed) = claim(suite, &access, SYNC, 4711).await?;
    claimed?;
    match claim(suite, &access, SYNC, 4712).await?.1 {
        Ok(()) => failed("a sync is claimed twice"),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        Err(error) => failed(format!(
            "the error is of the kind {:?}: {error}",
            error.kind()
        )),
    }
}

async fn claims_name_their_holder(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (_first, claimed) = claim(suite, &access, SYNC, 4711).await?;
    claimed?;
    let Err(error) = claim(suite, &access, SYNC, 4712).await?.1 else {
        // That it is refused is for another check.
        return Ok(());
    };
    let text = error.to_string();
    let is_named = ["testkit", "4711", "a-machine"]
        .iter()
        .all(|part| text.contains(part));
    if is_named {
        return Ok(());
    }
    failed(format!("the holder is not named: {text}"))
}

async fn claims_end_with_their_run(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (first, claimed) = claim(suite, &access, SYNC, 4711).await?;
    claimed?;
    let (second, refused) = claim(suite, &access, SYNC, 4712).await?;
    drop(second);
    let (third, also_refused) = claim(suite, &access, SYNC, 4713).await?;
    if refused.is_err() && also_refused.is_ok() {
        return failed("a claim that was refused has freed the sync");
    }
    drop((first, third));
    match claim(suite, &access, SYNC, 4714).await?.1 {
        Ok(()) => Ok(()),
        Err(error) => failed(format!("a sync stays claimed: {error}")),
    }
}

async fn claims_of_syncs_are_apart(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (_first, claimed) = claim(suite, &access, SYNC, 4711).await?;
    claimed?;
    match claim(suite, &access, "testkit-2", 4712).await?.1 {
        Ok(()) => Ok(()),
        Err(error) => failed(format!("a sync of another name cannot be claimed: {error}")),
    }
}

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
        claim: "While one run holds a sync, a second run is refused with a conflict.",
        mutants: &["grants two claims for one sync"],
        capability: Capability::Claim,
        run: |suite| Box::pin(claims_exclude_each_other(suite)),
    },
    Check {
        name: "claims_name_their_holder",
        claim: "The refusal names the program, process and machine of the holder.",
        mutants: &["a refusal that does not name the holder"],
        capability: Capability::Claim,
        run: |suite| Box::pin(claims_name_their_holder(suite)),
    },
    Check {
        name: "claims_end_with_their_run",
        claim: "Dropping the destination frees the claim. A refused claim frees nothing.",
        mutants: &[
            "a claim that is never freed",
            "a refused claim that frees the sync",
        ],
        capability: Capability::Claim,
        run: |suite| Box::pin(claims_end_with_their_run(suite)),
    },
    Check {
        name: "claims_of_syncs_are_apart",
        claim: "Syncs with different names can be claimed at the same time.",
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
        Ok(()) => failed("a second claim was granted"),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        Err(error) => failed(format!("the error has kind {:?}: {error}", error.kind())),
    }
}

async fn claims_name_their_holder(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (_first, claimed) = claim(suite, &access, SYNC, 4711).await?;
    claimed?;
    let Err(error) = claim(suite, &access, SYNC, 4712).await?.1 else {
        // Another check looks at that.
        return Ok(());
    };
    let text = error.to_string();
    let is_named = ["testkit", "4711", "a-machine"]
        .iter()
        .all(|part| text.contains(part));
    if is_named {
        return Ok(());
    }
    failed(format!("the refusal does not name the holder: {text}"))
}

async fn claims_end_with_their_run(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (first, claimed) = claim(suite, &access, SYNC, 4711).await?;
    claimed?;
    let (second, refused) = claim(suite, &access, SYNC, 4712).await?;
    drop(second);
    let (third, also_refused) = claim(suite, &access, SYNC, 4713).await?;
    if refused.is_err() && also_refused.is_ok() {
        return failed("a refused claim freed the sync");
    }
    drop((first, third));
    match claim(suite, &access, SYNC, 4714).await?.1 {
        Ok(()) => Ok(()),
        Err(error) => failed(format!("the claim was not freed: {error}")),
    }
}

async fn claims_of_syncs_are_apart(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (_first, claimed) = claim(suite, &access, SYNC, 4711).await?;
    claimed?;
    match claim(suite, &access, "testkit-2", 4712).await?.1 {
        Ok(()) => Ok(()),
        Err(error) => failed(format!("another sync cannot be claimed: {error}")),
    }
}

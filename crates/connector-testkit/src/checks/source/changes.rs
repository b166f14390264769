//! A world that changes between two reads.

use crate::check::Check;
use crate::report::{Verdict, absent, failed, skipped};
use crate::rows::Rows;
use crate::suite::{last_state, read};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "changes_are_read",
    claim: "The next incremental read returns everything that was added or changed, with its current values.",
    mutants: &[
        "an incremental read that starts one change too late",
        "an incremental read of old values",
    ],
    capability: Capability::Source,
    run: |suite| Box::pin(changes_are_read(suite)),
}];

async fn changes_are_read(suite: &Suite<'_>) -> Verdict {
    let reading = suite.reading()?;
    let catalog = suite.source().await?.discover().await?;
    let request = reading.incremental(&catalog)?;
    if request.streams.is_empty() {
        return absent();
    }
    let Some(change) = &reading.change else {
        return skipped("no changing world was given: use `Reading::with_change`");
    };
    let world = change.prepare();
    let first = read(&*suite.source_of(&world.access).await?, request.clone()).await?;
    let before = Rows::of(&catalog, &first)?;
    world.change();
    let source = suite.source_of(&world.access).await?;
    let whole = Rows::of(&catalog, &read(&*source, request.clone()).await?)?;
    if whole == before {
        return failed("the change changed nothing that is read incrementally");
    }
    let resumed = request.with_state(last_state(&first)?);
    let found = before.then(&catalog, &read(&*source, resumed).await?)?;
    match whole.differing_in(&found) {
        Some(row) => failed(format!("the copy lacks the current {row}")),
        None => Ok(()),
    }
}

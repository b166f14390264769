//! A world that changes between two reads.

use crate::check::Check;
use crate::report::{Verdict, absent, failed, skipped};
use crate::rows::Rows;
use crate::suite::{last_state, read};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "changes_are_read",
    claim: "What was added or changed since the last read comes with the next incremental one, as it is now.",
    mutants: &[
        "an incremental read that begins one change too late",
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
        return skipped("no world that changes was given");
    };
    let world = change.prepare();
    let first = read(&*suite.source_of(&world.access).await?, request.clone()).await?;
    let before = Rows::of(&catalog, &first)?;
    world.change();
    let source = suite.source_of(&world.access).await?;
    let whole = Rows::of(&catalog, &read(&*source, request.clone()).await?)?;
    if whole == before {
        return failed("nothing has changed: there is nothing to see");
    }
    let resumed = request.with_state(last_state(&first)?);
    let found = before.then(&catalog, &read(&*source, resumed).await?)?;
    match whole.differing_in(&found) {
        Some(row) => failed(format!("the copy does not have {row} as it is now")),
        None => Ok(()),
    }
}

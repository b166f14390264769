//! The state after all parts.

use std::num::NonZeroUsize;

use connector_core::{ErrorKind, Partitions, ReadRequest, State};
use serde_json::json;

use super::{divide, source};
use crate::check::Check;
use crate::given::Change;
use crate::report::{Unproven, Verdict, absent, failed, skipped};
use crate::rows::Rows;
use crate::suite::read;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "same_end_gives_same_parts",
        claim: "The same request with the same end has the same parts, from a new source too.",
        mutants: &["other parts each time", "an end other than the given one"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(same_end_gives_same_parts(suite)),
    },
    Check {
        name: "end_misses_nothing",
        claim: "Whatever changes while the parts are read, the parts and the next incremental read from their end miss nothing.",
        mutants: &["an end that is one change too late"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(end_misses_nothing(suite)),
    },
    Check {
        name: "foreign_ends_are_refused",
        claim: "An end that is damaged, of a newer version or of another connector is refused with a state error.",
        mutants: &["accepts any end"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(foreign_ends_are_refused(suite)),
    },
];

async fn same_end_gives_same_parts(suite: &Suite<'_>) -> Verdict {
    let source = source(suite).await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let first = divide(&*source, &request, 4, None).await?;
        let other = suite.source().await?;
        let end = State::parse(&first.end.to_json()?)?;
        for source in [source.clone(), other] {
            let again = divide(&*source, &request, 4, Some(end.clone())).await?;
            if again.end != first.end {
                return failed("the end differs from the given one");
            }
            if again.parts != first.parts {
                return failed("the same end gave other parts");
            }
        }
    }
    Ok(())
}

async fn end_misses_nothing(suite: &Suite<'_>) -> Verdict {
    let source = source(suite).await?;
    let reading = suite.reading()?;
    let request = reading.incremental(&source.discover().await?)?;
    if request.streams.is_empty() {
        return absent();
    }
    let Some(change) = &reading.change else {
        return skipped("no changing world was given: use `Reading::with_change`");
    };
    // It changes before the first part is read, between two, and after the last.
    for at in 0..3 {
        end_misses_nothing_when(suite, change, &request, at).await?;
    }
    Ok(())
}

async fn end_misses_nothing_when(
    suite: &Suite<'_>,
    change: &Change,
    request: &ReadRequest,
    changes_at: usize,
) -> Verdict {
    let world = change.prepare();
    let access = &world.access;
    let source = suite.source_of(access).await?;
    let catalog = source.discover().await?;
    let Partitions { parts, end, .. } = divide(&*source, request, 2, None).await?;
    let mut found = Rows::default();
    for at in 0..=parts.len().max(2) {
        if at == changes_at {
            world.change();
        }
        if let Some(part) = parts.get(at) {
            let messages = read(&*suite.source_of(access).await?, part.clone()).await?;
            found = found.then(&catalog, &messages)?;
        }
    }
    let source = suite.source_of(access).await?;
    let next = request.clone().with_state(Some(end));
    found = found.then(&catalog, &read(&*source, next).await?)?;
    let whole = Rows::of(&catalog, &read(&*source, request.clone()).await?)?;
    match whole.differing_in(&found) {
        Some(row) => failed(format!("the copy lacks the current {row}")),
        None => Ok(()),
    }
}

async fn foreign_ends_are_refused(suite: &Suite<'_>) -> Verdict {
    let source = source(suite).await?;
    let Some(partitioned) = source.partitioned() else {
        return Err(Unproven::Absent);
    };
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let end = divide(&*source, &request, 2, None).await?.end;
        for foreign in foreign(&end)? {
            let count = NonZeroUsize::MIN;
            match partitioned.partitions(&request, count, Some(foreign)).await {
                Ok(_) => return failed("an end that the source did not make was accepted"),
                Err(error) if error.kind() == ErrorKind::State => {}
                Err(error) => {
                    let kind = error.kind();
                    return failed(format!("the error has kind {kind:?}: {error}"));
                }
            }
        }
    }
    Ok(())
}

/// Ends that no source may accept.
fn foreign(end: &State) -> Verdict<Vec<State>> {
    let damaged = |error| Unproven::Failed(format!("the end is not JSON: {error}"));
    let value: serde_json::Value = serde_json::from_str(&end.to_json()?).map_err(damaged)?;
    let with = |key: &str, to: serde_json::Value| {
        let mut value = value.clone();
        value[key] = to;
        State::parse(&value.to_string())
    };
    let mut foreign = vec![
        with("connector", json!("another-connector"))?,
        with("version", json!(u32::MAX))?,
    ];
    for (name, _) in end.streams() {
        let mut damaged = end.clone();
        damaged.set_stream(name.clone(), json!("testkit"));
        foreign.push(damaged);
    }
    Ok(foreign)
}

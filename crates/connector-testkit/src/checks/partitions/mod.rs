//! A read, divided.

mod end;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use connector_core::{Catalog, ErrorKind, Message, Partitions, ReadRequest, Source, State};
use serde_json::json;

use crate::check::Check;
use crate::report::{Unproven, Verdict, failed};
use crate::rows::{Rows, key_of, records};
use crate::suite::{last_state, read};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[&[Check]] = &[PARTS, end::CHECKS];

const PARTS: &[Check] = &[
    Check {
        name: "parts_are_the_whole",
        claim: "Divided into at most 1, 4 and 16 parts, and each part read from its JSON form by a new source in random order, the parts return exactly what the whole read returns.",
        mutants: &[
            "omits the last part",
            "more parts than allowed",
            "a part that only its own source can read",
        ],
        capability: Capability::Partitions,
        run: |suite| Box::pin(parts_are_the_whole(suite)),
    },
    Check {
        name: "parts_do_not_overlap",
        claim: "No record is in two parts.",
        mutants: &["each part is the whole"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(parts_do_not_overlap(suite)),
    },
    Check {
        name: "parts_honor_the_state",
        claim: "The parts of a read that resumes from a state return exactly what that read returns.",
        mutants: &["parts of everything, whatever the state"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(parts_honor_the_state(suite)),
    },
    Check {
        name: "parts_are_small",
        claim: "A part carries no state, and its JSON form is small.",
        mutants: &["a part with the state", "a part that lists its records"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(parts_are_small(suite)),
    },
    Check {
        name: "parts_yield_no_checkpoint",
        claim: "Reading a part yields no checkpoint.",
        mutants: &["a checkpoint in a part"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(parts_yield_no_checkpoint(suite)),
    },
    Check {
        name: "parts_are_not_divided",
        claim: "Dividing a part is a configuration error.",
        mutants: &["divides a part"],
        capability: Capability::Partitions,
        run: |suite| Box::pin(parts_are_not_divided(suite)),
    },
];

/// How many parts are asked for.
const COUNTS: [usize; 3] = [1, 4, 16];

/// A source that can divide reads; absent if it cannot.
async fn source(suite: &Suite<'_>) -> Verdict<Arc<dyn Source>> {
    suite.reading()?;
    let source = suite.source().await?;
    if source.partitioned().is_none() {
        return Err(Unproven::Absent);
    }
    Ok(source)
}

async fn divide(
    source: &dyn Source,
    request: &ReadRequest,
    count: usize,
    end: Option<State>,
) -> Verdict<Partitions> {
    let Some(partitioned) = source.partitioned() else {
        return failed("a source of the same configuration cannot divide reads");
    };
    let at_most = NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
    let partitions = partitioned.partitions(request, at_most, end).await?;
    let made = partitions.parts.len();
    if made > count {
        return failed(format!(
            "{made} parts were made; at most {count} are allowed"
        ));
    }
    Ok(partitions)
}

/// What each part yields, read by a source of its own, in a random order.
async fn read_parts(suite: &Suite<'_>, parts: &[ReadRequest]) -> Verdict<Vec<Vec<Message>>> {
    let mut parts = parts.to_vec();
    fastrand::Rng::with_seed(parts.len() as u64).shuffle(&mut parts);
    let mut read_ones = Vec::new();
    for part in parts {
        let source = suite.source().await?;
        read_ones.push(read(&*source, in_json(&part)?).await?);
    }
    Ok(read_ones)
}

/// A part as another machine receives it.
fn in_json(part: &ReadRequest) -> Verdict<ReadRequest> {
    let text = serde_json::to_string(part);
    let read = text.and_then(|text| serde_json::from_str(&text));
    read.map_err(|error| Unproven::Failed(format!("a part does not survive JSON: {error}")))
}

fn expect_whole(whole: &Rows, together: &Rows) -> Verdict {
    if let Some(row) = whole.differing_in(together) {
        return failed(format!("{row} is missing or different in the parts"));
    }
    if let Some(row) = together.missing_in(whole) {
        return failed(format!("{row} is in a part and not in the whole read"));
    }
    Ok(())
}

async fn parts_are_the_whole(suite: &Suite<'_>) -> Verdict {
    let source = source(suite).await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let whole = Rows::of(&catalog, &read(&*source, request.clone()).await?)?;
        for count in COUNTS {
            let parts = divide(&*source, &request, count, None).await?.parts;
            let together = read_parts(suite, &parts).await?.concat();
            expect_whole(&whole, &Rows::of(&catalog, &together)?)?;
        }
    }
    Ok(())
}

async fn parts_do_not_overlap(suite: &Suite<'_>) -> Verdict {
    let source = source(suite).await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let parts = divide(&*source, &request, 4, None).await?.parts;
        let mut seen = BTreeMap::new();
        for (at, messages) in read_parts(suite, &parts).await?.iter().enumerate() {
            for row in keys(&catalog, messages)? {
                if seen
                    .insert(row.clone(), at)
                    .is_some_and(|other| other != at)
                {
                    return failed(format!("{row} is in two parts"));
                }
            }
        }
    }
    Ok(())
}

/// The records that have a key, by stream and key.
fn keys(catalog: &Catalog, messages: &[Message]) -> Verdict<Vec<String>> {
    let mut keys = Vec::new();
    for record in records(messages) {
        let stream = catalog.stream(record.stream.as_str())?;
        if !stream.primary_key.is_empty() {
            keys.push(format!("{} {}", stream.name, key_of(stream, record)?));
        }
    }
    Ok(keys)
}

async fn parts_honor_the_state(suite: &Suite<'_>) -> Verdict {
    let source = source(suite).await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let first = read(&*source, request.clone()).await?;
        let next = request.with_state(last_state(&first)?);
        let whole = Rows::of(&catalog, &read(&*source, next.clone()).await?)?;
        let parts = divide(&*source, &next, 4, None).await?.parts;
        let together = read_parts(suite, &parts).await?.concat();
        expect_whole(&whole, &Rows::of(&catalog, &together)?)?;
    }
    Ok(())
}

/// All parts of all reads, from the beginning and resumed.
async fn parts(suite: &Suite<'_>) -> Verdict<(Arc<dyn Source>, Vec<ReadRequest>)> {
    let source = source(suite).await?;
    let catalog = source.discover().await?;
    let mut parts = Vec::new();
    for request in suite.reading()?.requests(&catalog)? {
        let first = read(&*source, request.clone()).await?;
        let next = request.clone().with_state(last_state(&first)?);
        for request in [request, next] {
            parts.extend(divide(&*source, &request, 4, None).await?.parts);
        }
    }
    if parts.is_empty() {
        return failed("no part was made");
    }
    Ok((source, parts))
}

async fn parts_are_small(suite: &Suite<'_>) -> Verdict {
    let at_most = suite.reading()?.part_bytes;
    for part in parts(suite).await?.1 {
        if part.state.is_some() {
            return failed("a part carries a state");
        }
        let bytes = json!(part).to_string().len();
        if bytes > at_most {
            return failed(format!(
                "a part takes {bytes} bytes; at most {at_most} are allowed"
            ));
        }
    }
    Ok(())
}

async fn parts_yield_no_checkpoint(suite: &Suite<'_>) -> Verdict {
    let (source, parts) = parts(suite).await?;
    for part in parts {
        let messages = read(&*source, part).await?;
        if last_state(&messages)?.is_some() {
            return failed("a part yields a checkpoint");
        }
    }
    Ok(())
}

async fn parts_are_not_divided(suite: &Suite<'_>) -> Verdict {
    let (source, parts) = parts(suite).await?;
    let Some(partitioned) = source.partitioned() else {
        return Err(Unproven::Absent);
    };
    // A part of the whole may be the whole, and still says that it is a part.
    for part in parts {
        if part.partition.is_none() {
            return failed("a part has no `partition`");
        }
        match partitioned.partitions(&part, NonZeroUsize::MIN, None).await {
            Ok(_) => return failed("a part was divided"),
            Err(error) if error.kind() == ErrorKind::Config => {}
            Err(error) => {
                let kind = error.kind();
                return failed(format!(
                    "dividing a part caused an error of kind {kind:?}: {error}"
                ));
            }
        }
    }
    Ok(())
}

//! What a read yields.

use std::collections::BTreeSet;

use connector_core::{Message, ReadRequest, Record, Status, StreamName};
use futures::StreamExt;

use super::reads;
use crate::check::Check;
use crate::copy::value_of;
use crate::report::{Unproven, Verdict, absent, failed, skipped};
use crate::rows::{Rows, key_of, records};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "streams_begin_and_end",
        claim: "Each stream reports `Started` before its first record and `Complete` after its last. No other stream appears.",
        mutants: &[
            "never reports that a stream is complete",
            "reports the start of a stream after its first record",
            "yields a stream that was not requested",
        ],
        capability: Capability::Source,
        run: |suite| Box::pin(streams_begin_and_end(suite)),
    },
    Check {
        name: "records_match_schema",
        claim: "Each record matches the schema of its stream.",
        mutants: &["a number where the schema says text"],
        capability: Capability::Source,
        run: |suite| Box::pin(records_match_schema(suite)),
    },
    Check {
        name: "keys_are_not_null",
        claim: "No primary key field is null or missing, in records and in tombstones.",
        mutants: &["a key that is null", "a record without its key"],
        capability: Capability::Source,
        run: |suite| Box::pin(keys_are_not_null(suite)),
    },
    Check {
        name: "keys_are_unique",
        claim: "No primary key occurs twice in a read.",
        mutants: &["yields a record twice"],
        capability: Capability::Source,
        run: |suite| Box::pin(keys_are_unique(suite)),
    },
    Check {
        name: "full_reads_agree",
        claim: "Two reads of everything return the same records, byte for byte.",
        mutants: &["another value in each read"],
        capability: Capability::Source,
        run: |suite| Box::pin(full_reads_agree(suite)),
    },
    Check {
        name: "reads_are_independent",
        claim: "Two concurrent reads by one source return what each returns alone.",
        mutants: &["two reads share the records"],
        capability: Capability::Source,
        run: |suite| Box::pin(reads_are_independent(suite)),
    },
    Check {
        name: "reads_are_complete",
        claim: "A read returns as many records per stream as the author expects.",
        mutants: &["omits the same record in every read"],
        capability: Capability::Source,
        run: |suite| Box::pin(reads_are_complete(suite)),
    },
];

async fn streams_begin_and_end(suite: &Suite<'_>) -> Verdict {
    for (request, messages) in reads(suite).await?.1 {
        for selection in &request.streams {
            let name = &selection.stream;
            let course = course(name, &messages);
            if !course.starts_with('s') {
                return failed(format!("`{name}` does not begin with `Started`"));
            }
            if !course.ends_with('c') {
                return failed(format!("`{name}` does not end with `Complete`"));
            }
            if course.matches(['s', 'c']).count() != 2 {
                return failed(format!(
                    "`{name}` reports its start or its end more than once"
                ));
            }
        }
        let is_asked_for = |name: &StreamName| {
            let mut streams = request.streams.iter();
            streams.any(|selection| selection.stream == *name)
        };
        let mut names = messages.iter().filter_map(stream_of);
        if let Some(other) = names.find(|name| !is_asked_for(name)) {
            return failed(format!("`{other}` was not requested"));
        }
    }
    Ok(())
}

/// The messages of one stream as letters: s for started, r for record, c for complete.
fn course(name: &StreamName, messages: &[Message]) -> String {
    let of_stream = messages
        .iter()
        .filter(|message| stream_of(message) == Some(name));
    let letters = of_stream.filter_map(|message| match message {
        Message::Status(_, Status::Started) => Some('s'),
        Message::Status(_, Status::Complete) => Some('c'),
        Message::Record(_) => Some('r'),
        _ => None,
    });
    letters.collect()
}

fn stream_of(message: &Message) -> Option<&StreamName> {
    match message {
        Message::Record(record) => Some(&record.stream),
        Message::Status(name, _) => Some(name),
        _ => None,
    }
}

async fn records_match_schema(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = reads(suite).await?;
    for stream in suite.reading()?.streams(&catalog)? {
        let name = &stream.name;
        let validator = jsonschema::draft7::new(&stream.json_schema)
            .map_err(|error| Unproven::Failed(format!("the schema of `{name}`: {error}")))?;
        let all = reads.iter().flat_map(|(_, messages)| records(messages));
        for record in all.filter(|record| record.stream == *name && !record.is_removed()) {
            let value = value_of(&record.data)?;
            if let Err(error) = validator.validate(&value) {
                let (at, key) = (error.instance_path(), key_of(&stream, record)?);
                return failed(format!(
                    "`{name}` {key} does not match the schema at `{at}`: {error}"
                ));
            }
        }
    }
    Ok(())
}

async fn keys_are_not_null(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = reads(suite).await?;
    let mut keyed = 0;
    for record in reads.iter().flat_map(|(_, messages)| records(messages)) {
        let stream = catalog.stream(record.stream.as_str())?;
        let value = value_of(&record.data)?;
        keyed += stream.primary_key.len();
        if let Some(key) = stream
            .primary_key
            .iter()
            .find(|key| value[key.as_str()].is_null())
        {
            let name = &stream.name;
            return failed(format!(
                "a record of `{name}` has no value for its key `{key}`"
            ));
        }
    }
    expect_any(keyed)
}

async fn keys_are_unique(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = reads(suite).await?;
    let mut keyed = 0;
    for (_, messages) in &reads {
        let mut seen = BTreeSet::new();
        for record in records(messages) {
            let stream = catalog.stream(record.stream.as_str())?;
            if stream.primary_key.is_empty() {
                continue;
            }
            keyed += 1;
            let (name, key) = (&record.stream, key_of(stream, record)?);
            if !seen.insert((name.clone(), key.clone())) {
                return failed(format!("`{name}` {key} occurs twice"));
            }
        }
    }
    expect_any(keyed)
}

/// Absent if no stream that was read has a primary key.
fn expect_any(keyed: usize) -> Verdict {
    if keyed == 0 {
        return absent();
    }
    Ok(())
}

async fn full_reads_agree(suite: &Suite<'_>) -> Verdict {
    let (catalog, first) = reads(suite).await?;
    let (_, second) = reads(suite).await?;
    // Without a state, a read in any mode is one of everything.
    let all = first.iter().chain(&second).map(|(_, messages)| messages);
    let rows: Vec<_> = all.map(|messages| Rows::of(&catalog, messages)).collect();
    let mut rows = rows.into_iter();
    let Some(expected) = rows.next().transpose()? else {
        return failed("nothing was read");
    };
    rows.try_for_each(|other| expect_same(&expected, &other?, "in another read"))
}

fn expect_same(expected: &Rows, other: &Rows, place: &str) -> Verdict {
    let differing = expected.differing_in(other);
    match differing.or_else(|| other.differing_in(expected)) {
        Some(row) => failed(format!("{row} differs {place}")),
        None => Ok(()),
    }
}

async fn reads_are_independent(suite: &Suite<'_>) -> Verdict {
    let (catalog, alone) = reads(suite).await?;
    let source = suite.source().await?;
    for (request, messages) in alone {
        let expected = Rows::of(&catalog, &messages)?;
        let both = both(&*source, &request).await?;
        for messages in both {
            let rows = Rows::of(&catalog, &messages)?;
            expect_same(&expected, &rows, "while another read is under way")?;
        }
    }
    Ok(())
}

/// Two reads that are polled in turn.
async fn both(
    source: &dyn connector_core::Source,
    request: &ReadRequest,
) -> Verdict<[Vec<Message>; 2]> {
    let mut reads = [request, request].map(|request| source.read(request.clone()));
    let mut read = [Vec::new(), Vec::new()];
    loop {
        let mut is_over = true;
        for (messages, read) in reads.iter_mut().zip(&mut read) {
            if let Some(message) = messages.next().await {
                read.push(message?);
                is_over = false;
            }
        }
        if is_over {
            return Ok(read);
        }
    }
}

async fn reads_are_complete(suite: &Suite<'_>) -> Verdict {
    let counts = &suite.reading()?.counts;
    if counts.is_empty() {
        return skipped("no counts were given: use `Reading::with_counts`");
    }
    let (catalog, reads) = reads(suite).await?;
    for (_, messages) in reads {
        for (name, expected) in counts {
            let stream = catalog.stream(name.as_str())?;
            let is_counted = |record: &&Record| record.stream == *name && !record.is_removed();
            let counted = records(&messages).filter(is_counted);
            let mut keys: Vec<_> = counted
                .map(|record| key_of(stream, record))
                .collect::<Result<_, _>>()?;
            keys.sort_unstable();
            // Records without a key may be equal. Another check looks for repeated keys.
            if !stream.primary_key.is_empty() {
                keys.dedup();
            }
            let count = keys.len();
            if count != *expected {
                return failed(format!(
                    "the read returned {count} records of `{name}`, not {expected}"
                ));
            }
        }
    }
    Ok(())
}

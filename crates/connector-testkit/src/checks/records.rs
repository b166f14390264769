//! What a read yields.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use connector_core::{Catalog, Message, ReadRequest, Record, Status};
use serde_json::Value;

use crate::Suite;
use crate::opening::read;
use crate::report::{Halt, Verdict, absent, failed, skipped};
use crate::rows::{Rows, key_of, records};

/// How many parts are asked for.
const PARTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// All reads of everything, with the catalog.
async fn reads(suite: &Suite<'_>) -> Verdict<(Catalog, Vec<(ReadRequest, Vec<Message>)>)> {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    let mut reads = Vec::new();
    for request in suite.reading()?.requests(&catalog)? {
        let messages = read(&*source, request.clone()).await?;
        if records(&messages).next().is_none() {
            return failed("no record came: there is nothing to see");
        }
        reads.push((request, messages));
    }
    Ok((catalog, reads))
}

pub(crate) async fn streams_begin_and_end(suite: &Suite<'_>) -> Verdict {
    for (request, messages) in reads(suite).await?.1 {
        for selection in &request.streams {
            let name = &selection.stream;
            // Of this stream alone: s for its start, r for a record, c for its completion.
            let course: String = (messages.iter())
                .filter_map(|message| match message {
                    Message::Status(of, Status::Started) if of == name => Some('s'),
                    Message::Status(of, Status::Complete) if of == name => Some('c'),
                    Message::Record(record) if record.stream == *name => Some('r'),
                    _ => None,
                })
                .collect();
            if !course.starts_with('s') {
                return failed(format!("`{name}` does not begin with its start"));
            }
            if !course.ends_with('c') {
                return failed(format!("`{name}` does not end with its completion"));
            }
            if course.matches(['s', 'c']).count() != 2 {
                return failed(format!("`{name}` begins or ends more than once"));
            }
        }
        let is_asked_for = |record: &Record| {
            let mut streams = request.streams.iter();
            streams.any(|selection| selection.stream == record.stream)
        };
        if let Some(other) = records(&messages).find(|record| !is_asked_for(record)) {
            return failed(format!("`{}` came, unasked", other.stream));
        }
    }
    Ok(())
}

pub(crate) async fn records_match_schema(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = reads(suite).await?;
    for stream in suite.reading()?.streams(&catalog)? {
        let name = &stream.name;
        let validator = jsonschema::draft7::new(&stream.json_schema)
            .map_err(|error| Halt::Failed(format!("the schema of `{name}`: {error}")))?;
        let all = reads.iter().flat_map(|(_, messages)| records(messages));
        for record in all.filter(|record| record.stream == *name && !record.is_removed()) {
            let value = parsed(record)?;
            if let Err(error) = validator.validate(&value) {
                let (at, key) = (error.instance_path(), key_of(&stream, record)?);
                return failed(format!("`{name}` {key} does not fit at `{at}`: {error}"));
            }
        }
    }
    Ok(())
}

pub(crate) fn parsed(record: &Record) -> Verdict<Value> {
    let parsed = serde_json::from_str(record.data.as_str());
    parsed.map_err(|error| Halt::Failed(format!("a record is not JSON: {error}")))
}

pub(crate) async fn keys_are_not_null(suite: &Suite<'_>) -> Verdict {
    let (catalog, reads) = reads(suite).await?;
    let mut keyed = 0;
    for record in reads.iter().flat_map(|(_, messages)| records(messages)) {
        let stream = catalog.stream(record.stream.as_str())?;
        let fields = record.data.fields()?;
        for key in &stream.primary_key {
            keyed += 1;
            let is_set = |(field, value): &(_, &serde_json::value::RawValue)| {
                *field == *key && value.get() != "null"
            };
            if !fields.iter().any(is_set) {
                let name = &stream.name;
                return failed(format!("a record of `{name}` has no `{key}`"));
            }
        }
    }
    told_of_keys(keyed)
}

pub(crate) async fn keys_are_unique(suite: &Suite<'_>) -> Verdict {
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
                return failed(format!("`{name}` {key} comes twice"));
            }
        }
    }
    told_of_keys(keyed)
}

fn told_of_keys(keyed: usize) -> Verdict {
    if keyed == 0 {
        return absent();
    }
    Ok(())
}

pub(crate) async fn full_reads_agree(suite: &Suite<'_>) -> Verdict {
    let (catalog, first) = reads(suite).await?;
    let (_, second) = reads(suite).await?;
    let expected = Rows::of(&catalog, &first[0].1)?;
    // Without a state, a read in any mode is one of everything.
    for (_, messages) in first.iter().chain(&second) {
        let rows = Rows::of(&catalog, messages)?;
        let differing = expected.differing_in(&rows);
        if let Some(row) = differing.or_else(|| rows.differing_in(&expected)) {
            return failed(format!("{row} is not the same in another read"));
        }
    }
    Ok(())
}

pub(crate) async fn reads_are_complete(suite: &Suite<'_>) -> Verdict {
    let counts = &suite.reading()?.counts;
    if counts.is_empty() {
        return skipped("no counts of records were given");
    }
    let (catalog, reads) = reads(suite).await?;
    for (_, messages) in reads {
        for (name, expected) in counts {
            let is_counted = |record: &&Record| record.stream == *name && !record.is_removed();
            let mut keys = Vec::new();
            for record in records(&messages).filter(is_counted) {
                keys.push(key_of(catalog.stream(name.as_str())?, record)?);
            }
            keys.sort_unstable();
            // Records without a key may be alike; that a key comes twice is for another check.
            if !catalog.stream(name.as_str())?.primary_key.is_empty() {
                keys.dedup();
            }
            let count = keys.len();
            if count != *expected {
                return failed(format!("{count} records of `{name}` came, not {expected}"));
            }
        }
    }
    Ok(())
}

pub(crate) async fn parts_are_the_whole(suite: &Suite<'_>) -> Verdict {
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    for request in suite.reading()?.requests(&catalog)? {
        let whole = Rows::of(&catalog, &read(&*source, request.clone()).await?)?;
        let Some(partitioned) = source.partitioned() else {
            return absent();
        };
        let parts = partitioned.partitions(&request, PARTS, None).await?.parts;
        if parts.is_empty() || parts.len() > PARTS.get() {
            let (made, allowed) = (parts.len(), PARTS);
            return failed(format!("{made} parts were made, of {allowed} at most"));
        }
        let mut together = Rows::default();
        for part in parts {
            let text = serde_json::to_string(&part);
            let text =
                text.map_err(|error| Halt::Failed(format!("a part has no JSON: {error}")))?;
            let part = serde_json::from_str(&text)
                .map_err(|error| Halt::Failed(format!("a part does not survive JSON: {error}")))?;
            // Another machine reads it.
            let other = suite.source().await?;
            together = together.and(Rows::of(&catalog, &read(&*other, part).await?)?);
        }
        if let Some(row) = whole.missing_in(&together) {
            return failed(format!("{row} is in no part"));
        }
        if let Some(row) = together.missing_in(&whole) {
            return failed(format!("{row} is in a part, but not in the whole"));
        }
    }
    Ok(())
}

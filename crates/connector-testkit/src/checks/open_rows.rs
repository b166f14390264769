//! Rows of a copy that can still change.

use std::collections::BTreeSet;

use connector_core::{OpenRows, Record, Stream, StreamName, WritePlan};
use serde_json::Value;

use crate::Access;
use crate::check::Check;
use crate::copy::value_of;
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::suite::SyncRun;
use crate::variation::{altered, is_time, key_alone};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "open_rows_are_found",
        claim: "Exactly the rows without a settled value are returned, each with the wanted values in order.",
        mutants: &[
            "returns settled rows as open",
            "returns the wanted values in another order",
        ],
        capability: Capability::OpenRows,
        run: |suite| Box::pin(open_rows_are_found(suite)),
    },
    Check {
        name: "removed_rows_are_not_open",
        claim: "A removed row is not open, and an unknown stream has no open rows.",
        mutants: &["returns removed rows as open"],
        capability: Capability::OpenRows,
        run: |suite| Box::pin(removed_rows_are_not_open(suite)),
    },
];

/// A place with two rows of a stream, which differ in a field of text.
struct Stored {
    access: Access,
    plan: WritePlan,
    stream: Stream,
    field: String,
    records: [Record; 2],
}

async fn stored(suite: &Suite<'_>) -> Verdict<Stored> {
    let (access, plan) = (suite.storing()?.fresh(), suite.plan()?);
    if suite.destination_of(&access).await?.open_rows().is_none() {
        return Err(Unproven::Absent);
    }
    let accepted = suite.accepted_of(&plan)?;
    for stream in plan.streams.iter().map(|plan| plan.stream.clone()) {
        let of_stream = accepted
            .iter()
            .filter(|record| record.stream == stream.name);
        let Some((records, field)) = two(&stream, of_stream)? else {
            continue;
        };
        let mut run = SyncRun::start(suite, &access, &plan).await?;
        run.store(&records).await?;
        run.finish(None).await?;
        return Ok(Stored {
            access,
            plan,
            stream,
            field,
            records,
        });
    }
    skipped("no stream has two accepted records with a text field outside the key")
}

/// Two records of a stream, which differ in this field of text.
fn two<'r>(
    stream: &Stream,
    records: impl Iterator<Item = &'r Record>,
) -> Verdict<Option<([Record; 2], String)>> {
    let mut first: Option<(Record, String, String)> = None;
    for record in records {
        let Some((field, text)) = field_of_text(stream, record)? else {
            continue;
        };
        let Some((one, field_of_one, text_of_one)) = first.take() else {
            first = Some((record.clone(), field, text));
            continue;
        };
        if field_of_one != field {
            continue;
        }
        let mut other = record.clone();
        if text == text_of_one {
            let Some(changed) = altered(stream, record)? else {
                continue;
            };
            other = changed;
        }
        return Ok(Some(([one, other], field)));
    }
    Ok(None)
}

/// The first field of text beside the key, with its text. It is the one that changes when a
/// record is altered.
fn field_of_text(stream: &Stream, record: &Record) -> Verdict<Option<(String, String)>> {
    let value = value_of(&record.data)?;
    let fields = value.as_object().into_iter().flatten();
    let mut others = fields.filter(|(name, _)| !stream.primary_key.contains(name));
    let text = others.find_map(|(name, value)| {
        let text = value.as_str().filter(|text| !is_time(text))?;
        Some((name.clone(), text.to_owned()))
    });
    Ok(text)
}

impl Stored {
    /// The key of a record, and the value that makes it settled or open.
    fn values(&self, record: &Record, wanted: &[String]) -> Verdict<Vec<Value>> {
        let value = value_of(&record.data)?;
        Ok(wanted.iter().map(|field| value[field].clone()).collect())
    }

    /// The fields of the key, and the field of text.
    fn wanted(&self) -> Vec<String> {
        let key = self.stream.primary_key.iter();
        key.chain([&self.field]).cloned().collect()
    }

    /// The rows of a stream that are open if only `settled` settles a row.
    async fn open(
        &self,
        suite: &Suite<'_>,
        stream: &StreamName,
        settled: &str,
    ) -> Verdict<BTreeSet<String>> {
        let wanted = self.wanted();
        let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
        let open = OpenRows::new(&self.field, &[settled], &wanted);
        let mut run = SyncRun::start(suite, &self.access, &self.plan).await?;
        let Some(reader) = run.destination.open_rows() else {
            return Err(Unproven::Absent);
        };
        let rows = reader.open_rows(stream, &open).await?;
        Ok(rows
            .into_iter()
            .map(|row| Value::Array(row).to_string())
            .collect())
    }

    /// Checks which records are open if only `settled` settles a row.
    async fn expect(&self, suite: &Suite<'_>, settled: &str, open: &[&Record]) -> Verdict {
        let found = self.open(suite, &self.stream.name, settled).await?;
        let mut expected = BTreeSet::new();
        for record in open {
            let values = self.values(record, &self.wanted())?;
            expected.insert(Value::Array(values).to_string());
        }
        if found != expected {
            let (found, expected) = (found.len(), expected.len());
            return failed(format!(
                "the open rows found ({found}) are not the {expected} that exist"
            ));
        }
        Ok(())
    }
}

async fn open_rows_are_found(suite: &Suite<'_>) -> Verdict {
    let stored = stored(suite).await?;
    let [one, other] = &stored.records;
    let settles = |record: &Record| -> Verdict<String> {
        let value = value_of(&record.data)?;
        Ok(value[&stored.field].as_str().unwrap_or_default().to_owned())
    };
    stored.expect(suite, &settles(one)?, &[other]).await?;
    stored.expect(suite, &settles(other)?, &[one]).await?;
    stored
        .expect(suite, "a value of no row", &[one, other])
        .await
}

async fn removed_rows_are_not_open(suite: &Suite<'_>) -> Verdict {
    let stored = stored(suite).await?;
    let unknown = "a_stream_of_nobody".into();
    if !stored
        .open(suite, &unknown, "a value of no row")
        .await?
        .is_empty()
    {
        return failed("an unknown stream has open rows");
    }
    if !suite.storing()?.marks_removed {
        return Ok(());
    }
    let [one, other] = &stored.records;
    let key = key_alone(&stored.stream, one)?;
    let news = Record::removed(one.stream.clone(), key, "testkit");
    let mut run = SyncRun::start(suite, &stored.access, &stored.plan).await?;
    run.store(&[news]).await?;
    run.finish(None).await?;
    stored.expect(suite, "a value of no row", &[other]).await
}

//! News that the source no longer has a record.

use connector_core::{JsonObject, Outcome, Record, StreamPlan, WriteMode, WritePlan};
use serde_json::Value;

use super::modes::sync;
use crate::check::Check;
use crate::copy::value_of;
use crate::given::{Access, Writing};
use crate::report::{Verdict, absent, failed, skipped};
use crate::suite::{SyncRun, expect_rows};
use crate::variation::key_alone;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "tombstones_mark_rows",
        claim: "A tombstone hides the row. Writing the record again shows it again.",
        mutants: &[
            "ignores tombstones",
            "a row stays hidden when its record returns",
            "rejects tombstones",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(tombstones_mark_rows(suite)),
    },
    Check {
        name: "tombstones_of_unknown_rows_do_nothing",
        claim: "A tombstone for an unknown row is accepted and stores nothing.",
        mutants: &["stores a tombstone as a row"],
        capability: Capability::Destination,
        run: |suite| Box::pin(tombstones_of_unknown_rows_do_nothing(suite)),
    },
];

/// A place with all records that have a key.
struct Stored {
    access: Access,
    plan: WritePlan,
    records: Vec<Record>,
}

/// What is written by a destination that marks rows; absent if it does not.
fn marking<'s>(suite: &'s Suite<'_>) -> Verdict<(&'s Writing, WritePlan)> {
    let writing = suite.storing()?;
    if !writing.marks_removed {
        return absent();
    }
    let mut plan = suite.plan()?;
    let is_marked = |plan: &StreamPlan| {
        plan.mode != WriteMode::Overwrite && !plan.stream.primary_key.is_empty()
    };
    plan.streams.retain(is_marked);
    if plan.streams.is_empty() {
        return skipped("no stream with a primary key was given");
    }
    Ok((writing, plan))
}

async fn stored(suite: &Suite<'_>) -> Verdict<Stored> {
    let (writing, plan) = marking(suite)?;
    let access = writing.fresh();
    let records = suite.accepted_of(&plan)?;
    sync(suite, &access, &plan, &records).await?;
    Ok(Stored {
        access,
        plan,
        records,
    })
}

/// The news that the source no longer has a record.
fn tombstone(plan: &WritePlan, record: &Record) -> Verdict<Record> {
    let mut plans = plan.streams.iter();
    let Some(plan) = plans.find(|plan| plan.stream.name == record.stream) else {
        return failed("a record of a stream that is not written");
    };
    let key = key_alone(&plan.stream, record)?;
    Ok(Record::removed(record.stream.clone(), key, "testkit"))
}

async fn tombstones_mark_rows(suite: &Suite<'_>) -> Verdict {
    let Stored {
        access,
        plan,
        records,
    } = stored(suite).await?;
    let Some((first, others)) = records.split_first() else {
        return skipped("no accepted record was given: use `Writing::accepts`");
    };
    sync(suite, &access, &plan, &[tombstone(&plan, first)?]).await?;
    expect_rows(&*suite.stored(&access).await?, &plan, others).await?;

    sync(suite, &access, &plan, std::slice::from_ref(first)).await?;
    expect_rows(&*suite.stored(&access).await?, &plan, &records).await
}

async fn tombstones_of_unknown_rows_do_nothing(suite: &Suite<'_>) -> Verdict {
    let Stored {
        access,
        plan,
        records,
    } = stored(suite).await?;
    let Some(first) = records.first() else {
        return skipped("no accepted record was given: use `Writing::accepts`");
    };
    let key = unknown_key(first, &plan)?;
    let unknown = Record::removed(first.stream.clone(), key, "testkit");
    let mut run = SyncRun::start(suite, &access, &plan).await?;
    let outcomes = run.write(vec![unknown]).await?;
    run.finish(None).await?;
    if outcomes != [Outcome::Accepted] {
        return failed(format!("the outcome of the tombstone is {outcomes:?}"));
    }
    expect_rows(&*suite.stored(&access).await?, &plan, &records).await
}

/// A key that no row has.
fn unknown_key(record: &Record, plan: &WritePlan) -> Verdict<JsonObject> {
    let key = tombstone(plan, record)?.data;
    let mut value = value_of(&key)?;
    for field in value.as_object_mut().into_iter().flatten() {
        *field.1 = match field.1 {
            Value::Number(_) => 987_654_321.into(),
            _ => "a key of no row".into(),
        };
    }
    Ok(JsonObject::from_serialize(&value)?)
}

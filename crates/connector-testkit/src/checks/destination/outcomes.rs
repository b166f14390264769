//! What becomes of each record.

use connector_core::{Outcome, Record};
use serde_json::Value;

use crate::check::Check;
use crate::copy::value_of;
use crate::forms::SHORTEST;
use crate::given::Expected;
use crate::report::{Verdict, failed, skipped};
use crate::suite::{SyncRun, expect_rows};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "outcomes_are_exact",
        claim: "`write` returns one outcome per record, in order: accepted, or rejected with a reason.",
        mutants: &[
            "accepts a record that must be rejected",
            "no outcome for a rejected record",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(outcomes_are_exact(suite)),
    },
    Check {
        name: "batches_have_room",
        claim: "The batch limit is at least one record, and an empty batch has no outcome.",
        mutants: &["a batch limit of zero", "an outcome for no record"],
        capability: Capability::Destination,
        run: |suite| Box::pin(batches_have_room(suite)),
    },
    Check {
        name: "reasons_hold_no_values",
        claim: "The reason of a rejection repeats no text of the record.",
        mutants: &["quotes the record in the reason"],
        capability: Capability::Destination,
        run: |suite| Box::pin(reasons_hold_no_values(suite)),
    },
    Check {
        name: "accepted_records_are_stored",
        claim: "What was accepted and committed is stored as written, and nothing else is.",
        mutants: &[
            "does not store the last record of a large batch",
            "stores a number as text",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(accepted_records_are_stored(suite)),
    },
];

async fn outcomes_are_exact(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let is_rejected = |(_, expected): &(Record, Expected)| *expected == Expected::Rejected;
    if writing.accepted().is_empty() || !writing.all().iter().any(is_rejected) {
        return skipped(
            "no accepted or no rejected record was given: use `Writing::accepts` and `Writing::rejects`",
        );
    }
    let together = writing.batch();
    let alone = together.iter().map(|record| vec![record.clone()]);
    for batches in [vec![together.clone()], alone.collect()] {
        let access = writing.fresh();
        let mut run = SyncRun::start(suite, &access, &suite.plan()?).await?;
        let mut outcomes = Vec::new();
        for batch in batches {
            outcomes.extend(run.write(batch).await?);
        }
        run.commit(None).await?;
        for (at, ((_, expected), outcome)) in writing.all().iter().zip(&outcomes).enumerate() {
            if !is_as_expected(*expected, outcome) {
                return failed(format!(
                    "record {at} must be {expected:?}; its outcome is {outcome:?}"
                ));
            }
        }
    }
    Ok(())
}

fn is_as_expected(expected: Expected, outcome: &Outcome) -> bool {
    match expected {
        Expected::Accepted => *outcome == Outcome::Accepted,
        Expected::Rejected => {
            matches!(outcome, Outcome::Rejected(reason) if !reason.is_empty())
        }
    }
}

async fn batches_have_room(suite: &Suite<'_>) -> Verdict {
    let access = suite.writing()?.fresh();
    let mut run = SyncRun::start(suite, &access, &suite.plan()?).await?;
    if run.destination.batch_limit() == 0 {
        return failed("the batch limit is zero");
    }
    if !run.destination.write(Vec::new()).await?.is_empty() {
        return failed("an empty batch has an outcome");
    }
    Ok(())
}

async fn reasons_hold_no_values(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let access = writing.fresh();
    let mut run = SyncRun::start(suite, &access, &suite.plan()?).await?;
    let outcomes = run.write(writing.batch()).await?;
    let mut looked_for = 0;
    for ((record, _), outcome) in writing.all().iter().zip(outcomes) {
        let Outcome::Rejected(reason) = outcome else {
            continue;
        };
        let mut texts = Vec::new();
        texts_in(&value_of(&record.data)?, &mut texts);
        looked_for += texts.len();
        if texts.iter().any(|text| reason.contains(text)) {
            return failed("a reason repeats a text of its record");
        }
    }
    if looked_for == 0 {
        return skipped("no rejected record has a text of at least 8 characters");
    }
    Ok(())
}

/// Texts that are long enough not to match by chance.
fn texts_in(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts_in(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| texts_in(value, texts)),
        _ => {}
    }
}

async fn accepted_records_are_stored(suite: &Suite<'_>) -> Verdict {
    let writing = suite.storing()?;
    let (access, plan) = (writing.fresh(), suite.plan()?);
    let mut run = SyncRun::start(suite, &access, &plan).await?;
    run.write(writing.batch()).await?;
    run.finish(None).await?;
    let accepted = suite.accepted_of(&plan)?;
    expect_rows(&*suite.stored(&access).await?, &plan, &accepted).await
}

//! What a destination does with records and states.

use std::collections::BTreeSet;
use std::sync::Arc;

use connector_core::{
    AcceptedStreams, Comparison, ErrorKind, Ignore, Outcome, ReadRequest, Record, Selection, State,
};
use futures::TryStreamExt;
use serde_json::Value;

use super::records::parsed;
use crate::forms::SHORTEST;
use crate::opening::read;
use crate::report::{Verdict, absent, failed, skipped};
use crate::rows::records;
use crate::writing::{Expected, Writing};
use crate::{Access, Suite};

pub(crate) async fn unknown_streams_are_refused(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let mut destination = suite.destination_of(&writing.fresh()).await?;
    let AcceptedStreams::Only(taken) = destination.accepted_streams().await? else {
        return absent();
    };
    let mut plan = suite.plan()?;
    for stream in &plan.streams {
        taken.stream(stream.stream.name.as_str())?;
    }
    let Some(mut unknown) = plan.streams.first().cloned() else {
        return skipped("no stream was given");
    };
    unknown.stream.name = "a_stream_of_nobody".into();
    plan.streams.push(unknown);
    match destination.start(&plan).await {
        Err(error) if error.kind() == ErrorKind::Config => Ok(()),
        Err(error) => failed(format!("the error is of the kind {:?}", error.kind())),
        Ok(_) => failed("it starts with a stream that it does not take"),
    }
}

pub(crate) async fn outcomes_are_exact(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let is_rejected = |(_, expected): &(Record, Expected)| *expected == Expected::Rejected;
    if writing.accepted().is_empty() || !writing.all().iter().any(is_rejected) {
        return skipped("no record that is taken, or none that is refused, was given");
    }
    let together = writing.batch();
    let alone = together.iter().map(|record| vec![record.clone()]);
    for batches in [vec![together.clone()], alone.collect()] {
        let mut destination = suite.destination_of(&writing.fresh()).await?;
        destination.start(&suite.plan()?).await?;
        let mut outcomes = Vec::new();
        for batch in batches {
            let asked = batch.len();
            let answered = destination.write(batch).await?;
            if answered.len() != asked {
                let count = answered.len();
                return failed(format!("{count} outcomes came for {asked} records"));
            }
            outcomes.extend(answered);
        }
        destination.commit(None).await?;
        for (at, ((_, expected), outcome)) in writing.all().iter().zip(&outcomes).enumerate() {
            let is_as_expected = match expected {
                Expected::Accepted => *outcome == Outcome::Accepted,
                Expected::Rejected => is_refused(outcome),
            };
            if !is_as_expected {
                return failed(format!("record {at} was to be {expected:?}: {outcome:?}"));
            }
        }
    }
    Ok(())
}

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Rejected(reason) if !reason.is_empty())
}

pub(crate) async fn reasons_hold_no_values(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let mut destination = suite.destination_of(&writing.fresh()).await?;
    destination.start(&suite.plan()?).await?;
    let outcomes = destination.write(writing.batch()).await?;
    let mut looked_for = 0;
    for ((record, _), outcome) in writing.all().iter().zip(outcomes) {
        let Outcome::Rejected(reason) = outcome else {
            continue;
        };
        let mut texts = Vec::new();
        texts_in(&parsed(record)?, &mut texts);
        looked_for += texts.len();
        if texts.iter().any(|text| reason.contains(text)) {
            return failed("a reason holds a text of its record");
        }
    }
    if looked_for == 0 {
        return skipped("no refused record has a text that is long enough to be looked for");
    }
    Ok(())
}

/// Texts that are found by chance in no sentence.
fn texts_in(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts_in(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| texts_in(value, texts)),
        _ => {}
    }
}

/// Writes all records to a new place and commits.
async fn written(suite: &Suite<'_>, writing: &Writing) -> Verdict<Access> {
    let access = writing.fresh();
    let mut destination = suite.destination_of(&access).await?;
    destination.start(&suite.plan()?).await?;
    destination.write(writing.batch()).await?;
    destination.commit(Some(&state(1))).await?;
    Ok(access)
}

fn state(position: u64) -> State {
    let mut state = State::new("testkit", 1);
    state.set_stream("testkit".into(), position.into());
    state
}

pub(crate) async fn accepted_records_are_stored(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let access = written(suite, writing).await?;
    match suite.connector.replica() {
        Some(role) => {
            let replica = role.open(access.setup(Arc::new(Ignore))?).await?;
            let accepted = writing.accepted();
            let compared = replica.compare(accepted.clone()).await?;
            if let Some(at) = compared.iter().position(|found| *found != Comparison::Same) {
                let found = &compared[at];
                return failed(format!(
                    "accepted record {at} is stored otherwise: {found:?}"
                ));
            }
            let mut stored = 0;
            for stream in writing.streams() {
                let key: Vec<_> = stream.primary_key.iter().map(String::as_str).collect();
                let rows: Vec<_> = replica.rows(&stream.name, &key).try_collect().await?;
                stored += rows.len();
            }
            match (stored, accepted.len()) {
                (stored, accepted) if stored == accepted => Ok(()),
                (stored, accepted) => failed(format!("{stored} rows for {accepted} records")),
            }
        }
        None => read_back(suite, writing, &access).await,
    }
}

/// Reads what was written with the connector's own source.
async fn read_back(suite: &Suite<'_>, writing: &Writing, access: &Access) -> Verdict {
    const WHY: &str = "it can be read back neither as a replica nor as a source";
    if suite.connector.source().is_none() {
        return skipped(WHY);
    }
    let Ok(source) = suite.source_of(access, Arc::new(Ignore)).await else {
        return skipped(WHY);
    };
    let catalog = source.discover().await?;
    let written: BTreeSet<_> = writing.accepted().into_iter().map(|r| r.stream).collect();
    if written
        .iter()
        .any(|name| catalog.stream(name.as_str()).is_err())
    {
        return skipped(WHY);
    }
    let request = ReadRequest::new(written.into_iter().map(Selection::full_refresh));
    let messages = read(&*source, request).await?;
    let stored = records(&messages).filter(|record| !record.is_removed());
    let stored = texts(stored)?;
    let accepted = writing.accepted();
    let expected = texts(accepted.iter())?;
    if let Some(lost) = expected.iter().find(|one| !stored.contains(one)) {
        return failed(format!(
            "of `{}` an accepted record is not there as written",
            lost.0
        ));
    }
    match stored.len() == expected.len() {
        true => Ok(()),
        false => failed("more is there than was accepted"),
    }
}

/// Stream and value of each, in no form that depends on spaces.
fn texts<'r>(records: impl Iterator<Item = &'r Record>) -> Verdict<Vec<(String, String)>> {
    let text = |record: &Record| Ok((record.stream.to_string(), parsed(record)?.to_string()));
    records.map(text).collect()
}

pub(crate) async fn committed_states_come_back(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    if !suite
        .connector
        .expect_destination()?
        .capabilities()
        .keeps_state
    {
        return absent();
    }
    let access = written(suite, writing).await?;
    let plan = suite.plan()?;

    let mut destination = suite.destination_of(&access).await?;
    match destination.start(&plan).await? {
        None => return failed("the state that was committed is not there"),
        Some(found) if found != state(1) => return failed("another state came back"),
        Some(_) => {}
    }
    destination.commit(None).await?;
    drop(destination);

    let mut destination = suite.destination_of(&access).await?;
    if destination.start(&plan).await? != Some(state(1)) {
        return failed("after a commit without a state, the last one is not there");
    }
    destination.commit(Some(&state(2))).await?;
    destination.write(writing.batch()).await?;
    // Dropped without a commit, as by a crash.
    drop(destination);

    let mut destination = suite.destination_of(&access).await?;
    if destination.start(&plan).await? != Some(state(2)) {
        return failed("after a crash, the state that was committed last is not there");
    }
    Ok(())
}

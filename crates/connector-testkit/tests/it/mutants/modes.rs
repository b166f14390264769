//! Write modes, streams that are added, and tombstones.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use connector_core::{
    Comparison, Outcome, Record, Replica, Result, State, StreamPlan, WriteMode, WritePlan,
};
use futures::TryStreamExt;
use serde_json::Value;

use super::destination::edit;
use crate::flaw::{Inner, Mutant};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = appends_and_upserts();
    mutants.extend(overwrites());
    mutants.extend(additions());
    mutants.extend(tombstones());
    mutants
}

/// Writes in the mode `to` what is to be written in the mode `from`.
fn instead(plan: &mut WritePlan, from: WriteMode, to: WriteMode) {
    for plan in &mut plan.streams {
        if plan.mode == from && !plan.stream.primary_key.is_empty() {
            plan.mode = to;
        }
    }
}

fn appends_and_upserts() -> Vec<Mutant> {
    vec![
        Mutant::new("upserts instead of appending")
            .plan(|plan| instead(plan, WriteMode::Append, WriteMode::Upsert)),
        Mutant::new("appends instead of upserting")
            .besides(&["last_of_a_batch_counts"])
            .plan(|plan| instead(plan, WriteMode::Upsert, WriteMode::Append)),
        Mutant::new("keeps the first version of a row").write(|inner, records| {
            Box::pin(async move {
                let count = records.len();
                let replica = inner.destination.replica().unwrap();
                let compared = replica.compare(records.clone()).await?;
                let compared = records.into_iter().zip(compared);
                let is_new = |(record, found): &(Record, Comparison)| {
                    record.is_removed() || !matches!(found, Comparison::Differs(_))
                };
                let new = compared.filter(is_new).map(|(record, _)| record);
                let mut outcomes = inner.destination.write(new.collect()).await?;
                outcomes.resize(count, Outcome::Accepted);
                Ok(outcomes)
            })
        }),
        Mutant::new("reverses a batch")
            .records(|records| records.reverse())
            .outcomes(|_, _, outcomes| outcomes.reverse()),
    ]
}

fn overwrites() -> Vec<Mutant> {
    vec![
        Mutant::new("overwrites at the commit")
            .besides(&[
                "overwrite_that_is_killed_changes_nothing",
                "overwrite_resumes",
                "added_streams_finish_nothing",
            ])
            .commit(|inner, state| {
                Box::pin(async move {
                    inner.destination.commit(state.as_ref()).await?;
                    inner.destination.finish().await
                })
            })
            .finish(|_| Box::pin(async { Ok(()) })),
        Mutant::new("overwrites nothing")
            .besides(&["overwrite_spares_other_streams"])
            .finish(|inner| {
                Box::pin(async move {
                    let replica = inner.destination.replica().unwrap();
                    if has_rows(replica).await? {
                        return Ok(());
                    }
                    inner.destination.finish().await
                })
            }),
        Mutant::new("appends instead of overwriting")
            .besides(&[
                "overwrite_that_is_killed_changes_nothing",
                "overwrite_resumes",
                "overwrite_spares_other_streams",
            ])
            .plan(|plan| instead(plan, WriteMode::Overwrite, WriteMode::Append)),
        restarting(),
        buffering(),
        Mutant::new("overwrites other streams, too").plan(|plan| {
            let overwritten = plan
                .streams
                .iter()
                .find(|plan| plan.mode == WriteMode::Overwrite);
            let Some(mut other) = overwritten.cloned() else {
                return;
            };
            other.stream.name = "jobs".into();
            if plan
                .streams
                .iter()
                .all(|plan| plan.stream.name != other.stream.name)
            {
                plan.streams.push(other);
            }
        }),
    ]
}

async fn has_rows(replica: Arc<dyn Replica>) -> Result<bool> {
    let rows: Vec<_> = replica
        .rows(&"builds".into(), &["id"])
        .try_collect()
        .await?;
    Ok(!rows.is_empty())
}

/// The next start replaces what a killed run has staged.
fn restarting() -> Mutant {
    let unfinished: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let (committed, finished) = (Arc::clone(&unfinished), Arc::clone(&unfinished));
    Mutant::new("overwrites at the next start")
        .besides(&["overwrite_resumes"])
        .commit(move |inner, state| {
            committed.lock().unwrap().insert(inner.place());
            Box::pin(async move { inner.destination.commit(state.as_ref()).await })
        })
        .finish(move |inner| {
            finished.lock().unwrap().remove(&inner.place());
            Box::pin(async move { inner.destination.finish().await })
        })
        .start(move |inner, plan| {
            let is_unfinished = unfinished.lock().unwrap().remove(&inner.place());
            Box::pin(async move {
                if is_unfinished {
                    // Where nothing was staged, this would empty the stream.
                    let mut other = inner.open().await?;
                    if other.start(&plan).await?.is_some() {
                        other.finish().await?;
                    }
                }
                inner.destination.start(&plan).await
            })
        })
}

/// What is to be overwritten is kept in memory until the end.
fn buffering() -> Mutant {
    type Buffer = Arc<Mutex<Vec<Record>>>;
    let buffer = Buffer::default();
    let (started, finished) = (Arc::clone(&buffer), Arc::clone(&buffer));
    Mutant::new("forgets what a killed sync has staged")
        .start(move |inner, plan| {
            started.lock().unwrap().clear();
            Box::pin(async move { inner.destination.start(&plan).await })
        })
        .write(move |inner, records| {
            let plans = inner.plan.iter().flat_map(|plan| &plan.streams);
            let mut plans = plans.filter(|plan| plan.mode == WriteMode::Overwrite);
            let is_buffered = plans.next().is_some();
            if is_buffered {
                buffer.lock().unwrap().extend(records.clone());
            }
            Box::pin(async move {
                if is_buffered {
                    return Ok(vec![Outcome::Accepted; records.len()]);
                }
                inner.destination.write(records).await
            })
        })
        .finish(move |inner| {
            let records = std::mem::take(&mut *finished.lock().unwrap());
            Box::pin(async move {
                inner.destination.write(records).await?;
                inner.destination.commit(None).await?;
                inner.destination.finish().await
            })
        })
}

/// Puts another destination in the place of this one: what it has not committed is lost.
async fn reopen(inner: &mut Inner, more: Option<&StreamPlan>) -> Result<Option<State>> {
    inner.destination = inner.open().await?;
    let mut plan = inner.plan.clone().unwrap();
    plan.streams.extend(more.cloned());
    inner.destination.start(&plan).await
}

fn is_known(inner: &Inner, stream: &StreamPlan) -> bool {
    let mut plans = inner.plan.iter().flat_map(|plan| &plan.streams);
    plans.any(|plan| plan.stream.name == stream.stream.name)
}

fn additions() -> Vec<Mutant> {
    vec![
        Mutant::new("forgets what was written before a stream was added").add(|inner, stream| {
            Box::pin(async move {
                if is_known(inner, &stream) {
                    return inner.destination.add_stream(&stream).await;
                }
                reopen(inner, Some(&stream)).await.map(|_| ())
            })
        }),
        Mutant::new("forgets other streams when one is added").add(|inner, stream| {
            Box::pin(async move {
                if is_known(inner, &stream) {
                    return inner.destination.add_stream(&stream).await;
                }
                inner.destination.commit(None).await?;
                let mut plan = inner.plan.clone().unwrap();
                plan.streams = vec![stream];
                inner.destination = inner.open().await?;
                inner.destination.start(&plan).await.map(|_| ())
            })
        }),
        Mutant::new("finishes when a stream is added").add(|inner, stream| {
            Box::pin(async move {
                inner.destination.finish().await?;
                inner.destination.add_stream(&stream).await
            })
        }),
        Mutant::new("forgets the records of a grown stream").add(|inner, stream| {
            Box::pin(async move {
                if is_known(inner, &stream) {
                    reopen(inner, None).await?;
                }
                inner.destination.add_stream(&stream).await
            })
        }),
        Mutant::new("drops the fields of a grown schema").records(|records| {
            edit(records, |value| {
                let fields = value.as_object_mut().unwrap();
                fields.retain(|name, _| !name.starts_with("a_new_field"));
            });
        }),
    ]
}

fn tombstones() -> Vec<Mutant> {
    vec![
        Mutant::new("ignores tombstones")
            .besides(&["removed_rows_are_not_open", "inventories_count_rows"])
            .records(|records| records.retain(|record| !record.is_removed()))
            .outcomes(|_, records, outcomes| outcomes.resize(records.len(), Outcome::Accepted)),
        staying_marked(),
        Mutant::new("rejects tombstones")
            .besides(&[
                "tombstones_of_unknown_rows_do_nothing",
                "removed_rows_are_not_open",
                "inventories_count_rows",
            ])
            .outcomes(|_, records, outcomes| {
                for (record, outcome) in records.iter().zip(outcomes) {
                    if record.is_removed() {
                        *outcome = Outcome::Rejected("it has no values".to_owned());
                    }
                }
            }),
        Mutant::new("stores a tombstone as a row").write(|inner, mut records| {
            Box::pin(async move {
                let replica = inner.destination.replica().unwrap();
                let compared = replica.compare(records.clone()).await?;
                for (record, found) in records.iter_mut().zip(compared) {
                    if found == Comparison::Absent && record.is_removed() {
                        *record = Record::new(record.stream.clone(), record.data.clone());
                    }
                }
                inner.destination.write(records).await
            })
        }),
    ]
}

/// A record whose row was marked is not written again.
fn staying_marked() -> Mutant {
    let marked: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    Mutant::new("a row stays hidden when its record returns").write(move |inner, records| {
        let mut marked = marked.lock().unwrap();
        let (place, count) = (inner.place(), records.len());
        let mut written = records;
        written.retain(|record| {
            let value: Value = serde_json::from_str(record.data.as_str()).unwrap();
            let row = format!("{place} {} {}", record.stream, value["id"]);
            if record.is_removed() {
                marked.insert(row);
                return true;
            }
            !marked.contains(&row)
        });
        Box::pin(async move {
            let mut outcomes = inner.destination.write(written).await?;
            outcomes.resize(count, Outcome::Accepted);
            Ok(outcomes)
        })
    })
}

//! Destinations that act on records.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use connector_core::{ActingDestination, JsonObject, Outcome, Record, Result, Stop};
use serde_json::Value;

use super::destination::edit;
use crate::flaw::{Inner, Mutant};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = results();
    mutants.extend(failures());
    mutants.extend(unfinished());
    mutants.extend(kills());
    mutants.extend(stops());
    mutants
}

/// The checks that count results, too.
const COUNTING: [&str; 5] = [
    "unfinished_results_are_known_and_owed",
    "results_survive_a_failed_write",
    "owed_results_survive_a_kill",
    "kills_repeat_nothing",
    "waits_can_be_dropped",
];

/// Marks the key of a record that is acted on once more.
const AGAIN: &str = "-again";

fn again(record: &Record) -> Record {
    let mut records = [record.clone()];
    edit(&mut records, |value| {
        let key = value["key"].as_str().unwrap_or_default();
        value["key"] = format!("{key}{AGAIN}").into();
    });
    let [record] = records;
    record
}

fn is_again(result: &JsonObject) -> bool {
    result.as_str().contains(AGAIN)
}

fn results() -> Vec<Mutant> {
    let everywhere = [
        &COUNTING[..],
        &["results_are_complete", "stored_results_are_forgotten"],
    ]
    .concat();
    vec![
        Mutant::new("loses the result of the last record")
            .besides(&COUNTING)
            .results(|_, results| results.retain(|one| !one.as_str().contains(r#""key":"c""#))),
        Mutant::new("acts twice on a record")
            .besides(&COUNTING)
            .write(|inner, records| {
                Box::pin(async move {
                    let twice = records.iter().map(again).collect();
                    let outcomes = inner.destination.write(records).await?;
                    inner.destination.write(twice).await?;
                    Ok(outcomes)
                })
            })
            .results(|_, results| results.retain(|result| !is_again(result))),
        Mutant::new("a result that does not fit its schema").results(|_, results| {
            edit_results(results, |value| {
                value["outcome"] = "gone with the wind".into()
            });
        }),
        Mutant::new("results without a key")
            .besides(&everywhere)
            .result_stream(|stream| stream.primary_key.clear()),
    ]
}

fn unfinished() -> Vec<Mutant> {
    vec![
        Mutant::new("no unfinished results").unfinished(Vec::clear),
        Mutant::new("an unfinished result under another key").unfinished(|results| {
            edit_results(results, |value| value["key"] = "another".into());
        }),
        Mutant::new("an unfinished result that does not fit its schema").unfinished(|results| {
            edit_results(results, |value| value["outcome"] = "who knows".into());
        }),
    ]
}

fn edit_results(results: &mut [JsonObject], edit: impl Fn(&mut Value)) {
    for result in results {
        let mut value = serde_json::from_str(result.as_str()).unwrap();
        edit(&mut value);
        *result = JsonObject::from_serialize(&value).unwrap();
    }
}

/// Forgets all that is under way, and all results.
async fn forget(acting: &mut dyn ActingDestination) -> Result<()> {
    while acting.follow().await? {}
    acting.take_results();
    Ok(())
}

async fn forget_for_good(inner: &mut Inner) -> Result<()> {
    forget(inner.destination.acting().unwrap()).await?;
    inner.destination.commit(None).await
}

/// Acts once more on what is written at these places.
fn acting_again(mutant: Mutant, places: &Places) -> Mutant {
    let places = Arc::clone(places);
    mutant
        .write(move |inner, records| {
            let is_repeated = places.lock().unwrap().contains(&inner.place());
            let places = Arc::clone(&places);
            Box::pin(async move {
                let mut written = records.clone();
                if is_repeated {
                    written = records.iter().map(again).collect();
                }
                let outcomes = inner.destination.write(written).await;
                if outcomes.is_err() {
                    places.lock().unwrap().insert(inner.place());
                }
                outcomes
            })
        })
        .results(|_, results| {
            edit_results(results, |value| {
                let key = value["key"].as_str().unwrap_or_default();
                value["key"] = key.trim_end_matches(AGAIN).into();
            });
        })
}

/// Places of a destination.
type Places = Arc<Mutex<BTreeSet<String>>>;

fn failures() -> Vec<Mutant> {
    let repeated = Places::default();
    let again = Mutant::new("acts again after a failed write");
    vec![
        Mutant::new("forgets what it did when a write fails").write(|inner, records| {
            Box::pin(async move {
                let outcomes = inner.destination.write(records).await;
                if outcomes.is_err() {
                    forget_for_good(inner).await?;
                }
                outcomes
            })
        }),
        acting_again(again, &repeated),
    ]
}

fn kills() -> Vec<Mutant> {
    vec![
        Mutant::new("owes nothing after a kill")
            .besides(&["unfinished_results_are_known_and_owed"])
            .start(|inner, plan| {
                Box::pin(async move {
                    let state = inner.destination.start(&plan).await?;
                    forget_for_good(inner).await?;
                    Ok(state)
                })
            }),
        acting_after_kill(),
        reporting_again(),
        forgetting_waits(),
    ]
}

/// Where the last run was killed before its commit, it acts again.
fn acting_after_kill() -> Mutant {
    let [dirty, repeated] = [Places::default(), Places::default()];
    let (failed, started) = (Arc::clone(&dirty), Arc::clone(&repeated));
    let committed = Arc::clone(&dirty);
    let was_dirty = Arc::clone(&dirty);
    Mutant::new("acts again after a kill")
        .start(move |inner, plan| {
            if was_dirty.lock().unwrap().remove(&inner.place()) {
                started.lock().unwrap().insert(inner.place());
            }
            Box::pin(async move { inner.destination.start(&plan).await })
        })
        .write(move |inner, records| {
            let is_repeated = repeated.lock().unwrap().contains(&inner.place());
            let dirty = Arc::clone(&failed);
            Box::pin(async move {
                let mut written = records.clone();
                if is_repeated {
                    written = records.iter().map(again).collect();
                }
                dirty.lock().unwrap().insert(inner.place());
                let outcomes = inner.destination.write(written).await;
                if outcomes.is_err() {
                    // What becomes of a failed write is for another mutant.
                    dirty.lock().unwrap().remove(&inner.place());
                }
                outcomes
            })
        })
        .commit(move |inner, state| {
            committed.lock().unwrap().remove(&inner.place());
            Box::pin(async move { inner.destination.commit(state.as_ref()).await })
        })
        .results(|_, results| {
            edit_results(results, |value| {
                let key = value["key"].as_str().unwrap_or_default();
                value["key"] = key.trim_end_matches(AGAIN).into();
            });
        })
}

fn reporting_again() -> Mutant {
    let known: Arc<Mutex<Vec<(String, JsonObject)>>> = Arc::default();
    Mutant::new("repeats stored results").results(move |setup, results| {
        let place = crate::flaw::place(setup);
        let mut known = known.lock().unwrap();
        let of_place = known.iter().filter(|(of, _)| *of == place);
        let again: Vec<_> = of_place.map(|(_, result)| result.clone()).collect();
        known.extend(results.iter().map(|result| (place.clone(), result.clone())));
        results.extend(again);
    })
}

fn forgetting_waits() -> Mutant {
    let is_waiting = Arc::new(Mutex::new(false));
    Mutant::new("loses results when the wait is dropped").follow(move |acting| {
        let is_waiting = Arc::clone(&is_waiting);
        Box::pin(async move {
            let was_dropped = std::mem::replace(&mut *is_waiting.lock().unwrap(), true);
            if was_dropped {
                forget(acting).await?;
            }
            let followed = acting.follow().await;
            *is_waiting.lock().unwrap() = false;
            followed
        })
    })
}

fn stops() -> Vec<Mutant> {
    vec![
        Mutant::new("ignores a request to stop")
            .besides(&["stop_ends_a_batch"])
            .setup(|setup| setup.stop = Stop::new()),
        Mutant::new("accepts records that it did not attempt")
            .besides(&["stop_ends_a_batch"])
            .outcomes(|_, _, outcomes| {
                for outcome in outcomes {
                    if *outcome == Outcome::NotAttempted {
                        *outcome = Outcome::Accepted;
                    }
                }
            }),
        Mutant::new("notices a stop only between batches")
            .setup(|setup| setup.stop = Stop::new())
            .write(|inner, records| {
                let is_stopped = inner.setup.stop.is_requested();
                Box::pin(async move {
                    if is_stopped {
                        return Ok(vec![Outcome::NotAttempted; records.len()]);
                    }
                    inner.destination.write(records).await
                })
            }),
    ]
}

//! `check`, plans, outcomes and states of a destination.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use connector_core::{
    AcceptedStreams, Catalog, ErrorKind, JsonObject, Outcome, Record, StreamPlan, WriteMode,
    WritePlan,
};
use connector_testkit::memory::{LAUNCHES, Memory};
use serde_json::Value;

use super::connector::touch;
use super::error;
use super::reading::is_of_nobody;
use crate::flaw::{Mutant, place};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = checks();
    mutants.extend(declarations());
    mutants.extend(outcomes());
    mutants.extend(stores());
    mutants.extend(dry_runs());
    mutants.extend(states());
    mutants
}

fn checks() -> Vec<Mutant> {
    let memory = Memory::new();
    vec![
        Mutant::new("refuses a token that works for writing").destination_check(|_, result| {
            *result = Err(error(ErrorKind::Auth));
        }),
        Mutant::new("accepts an unknown token for writing").destination_check(|setup, result| {
            if is_of_nobody(setup) {
                *result = Ok(());
            }
        }),
        Mutant::new("creates a copy to check")
            .over(&memory)
            .destination_check({
                let memory = memory.clone();
                move |setup, _| touch(&memory, setup)
            }),
    ]
}

fn declarations() -> Vec<Mutant> {
    vec![
        Mutant::new("a write mode twice").capabilities(|capabilities| {
            let modes = &mut capabilities.write_modes;
            modes.extend(modes.clone());
        }),
        Mutant::new("declares less when opened")
            .own_capabilities(|capabilities| capabilities.dry_run = false),
        Mutant::new("acts without declaring it").acts(|| true),
        Mutant::new("keeps states without declaring it")
            .capabilities(|capabilities| capabilities.keeps_state = false),
        Mutant::new("upserts a stream without a key")
            .plan(|plan| plan.streams.iter_mut().for_each(append_without_key))
            .add(|inner, mut stream| {
                append_without_key(&mut stream);
                Box::pin(async move { inner.destination.add_stream(&stream).await })
            }),
    ]
}

fn append_without_key(plan: &mut StreamPlan) {
    if plan.stream.primary_key.is_empty() {
        plan.mode = WriteMode::Append;
    }
}

/// Flaws of a destination that accepts certain streams in a certain mode.
pub(super) fn accepting_mutants() -> Vec<Mutant> {
    let is_known = |plan: &StreamPlan| plan.stream.name == LAUNCHES;
    vec![
        Mutant::new("accepts a stream with an invalid schema").accepted(|accepted| {
            if let AcceptedStreams::Only(catalog) = accepted {
                catalog.streams[0].json_schema["type"] = "word".into();
            }
        }),
        Mutant::new("does not list an accepted stream").accepted(|accepted| {
            if let AcceptedStreams::Only(catalog) = accepted {
                let mut other = catalog.streams[0].clone();
                other.name = "others".into();
                *catalog = Catalog::new([other]);
            }
        }),
        Mutant::new("starts with a stream that is not accepted")
            .plan(move |plan: &mut WritePlan| plan.streams.retain(is_known)),
        Mutant::new("adds a stream that is not accepted").add(move |inner, stream| {
            Box::pin(async move {
                if is_known(&stream) {
                    return inner.destination.add_stream(&stream).await;
                }
                Ok(())
            })
        }),
        Mutant::new("starts in any write mode").plan(|plan| {
            plan.streams
                .iter_mut()
                .for_each(|plan| plan.mode = WriteMode::Append);
        }),
        Mutant::new("adds a stream in any write mode").add(|inner, mut stream| {
            stream.mode = WriteMode::Append;
            Box::pin(async move { inner.destination.add_stream(&stream).await })
        }),
    ]
}

fn is_rejected(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Rejected(_))
}

fn outcomes() -> Vec<Mutant> {
    vec![
        Mutant::new("accepts a record that must be rejected").outcomes(|_, _, outcomes| {
            outcomes.fill(Outcome::Accepted);
        }),
        Mutant::new("no outcome for a rejected record").outcomes(|_, records, outcomes| {
            // In larger batches other checks would fail, too.
            if records.len() == 1 {
                outcomes.retain(|outcome| !is_rejected(outcome));
            }
        }),
        Mutant::new("a batch limit of zero").limit(|| 0),
        Mutant::new("an outcome for no record").outcomes(|_, records, outcomes| {
            if records.is_empty() {
                outcomes.push(Outcome::Accepted);
            }
        }),
        Mutant::new("quotes the record in the reason").outcomes(|_, records, outcomes| {
            for (record, outcome) in records.iter().zip(outcomes) {
                if let Outcome::Rejected(reason) = outcome {
                    reason.push_str(record.data.as_str());
                }
            }
        }),
    ]
}

/// The records of the batch that some are rejected of.
const LARGE: usize = 6;

fn stores() -> Vec<Mutant> {
    vec![
        Mutant::new("does not store the last record of a large batch")
            .records(|records| {
                if records.len() == LARGE {
                    records.pop();
                }
            })
            .outcomes(|_, records, outcomes| {
                if records.len() == LARGE {
                    outcomes.push(Outcome::Accepted);
                }
            }),
        Mutant::new("stores a number as text").records(|records| {
            if records.len() == LARGE {
                edit(records, |value| {
                    if value["n"].is_number() {
                        value["n"] = value["n"].to_string().into();
                    }
                });
            }
        }),
    ]
}

/// Changes records on their way.
pub(super) fn edit(records: &mut [Record], edit: impl Fn(&mut Value)) {
    for record in records.iter_mut().filter(|record| !record.is_removed()) {
        let mut value = serde_json::from_str(record.data.as_str()).unwrap();
        edit(&mut value);
        record.data = JsonObject::from_serialize(&value).unwrap();
    }
}

fn dry_runs() -> Vec<Mutant> {
    vec![
        Mutant::new("a dry run that writes").setup(|setup| setup.dry_run = false),
        Mutant::new("a dry run that keeps its state").commit(|inner, state| {
            Box::pin(async move {
                inner.destination.commit(state.as_ref()).await?;
                if !inner.setup.dry_run {
                    return Ok(());
                }
                inner.setup.dry_run = false;
                let mut real = inner.open().await?;
                if let Some(plan) = &inner.plan {
                    real.start(plan).await?;
                }
                real.commit(state.as_ref()).await
            })
        }),
        Mutant::new("a dry run that accepts anything").outcomes(|setup, _, outcomes| {
            if setup.dry_run {
                outcomes.fill(Outcome::Accepted);
            }
        }),
    ]
}

fn states() -> Vec<Mutant> {
    vec![
        forgetting(),
        Mutant::new("keeps the first state").commit(|inner, state| {
            Box::pin(async move {
                let sync = inner.plan.as_ref().map(|plan| plan.sync.clone());
                let replica = inner.destination.replica().unwrap();
                let known = replica.state(&sync.unwrap_or_default()).await?;
                let state = state.filter(|_| known.is_none());
                inner.destination.commit(state.as_ref()).await
            })
        }),
        Mutant::new("one state for all syncs").plan(|plan| plan.sync = "testkit".to_owned()),
        Mutant::new("stores records before they are committed")
            .besides(&["replicas_see_commits"])
            .write(|inner, records| {
                Box::pin(async move {
                    let outcomes = inner.destination.write(records).await?;
                    inner.destination.commit(None).await?;
                    Ok(outcomes)
                })
            }),
        Mutant::new("a state without its records")
            .besides(&["overwrite_resumes"])
            .commit(|inner, state| {
                Box::pin(async move {
                    if state.is_none() {
                        return inner.destination.commit(None).await;
                    }
                    let mut other = inner.open().await?;
                    if let Some(plan) = &inner.plan {
                        other.start(plan).await?;
                    }
                    other.commit(state.as_ref()).await
                })
            })
            .finish(|inner| {
                Box::pin(async move {
                    inner.destination.commit(None).await?;
                    inner.destination.finish().await
                })
            }),
    ]
}

/// The places whose last commit had no state have none.
fn forgetting() -> Mutant {
    let places: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let forgotten = Arc::clone(&places);
    Mutant::new("a commit without a state removes the last one")
        .commit(move |inner, state| {
            let mut places = places.lock().unwrap();
            let place = place(&inner.setup);
            if state.is_some() {
                places.remove(&place);
            } else {
                places.insert(place);
            }
            Box::pin(async move { inner.destination.commit(state.as_ref()).await })
        })
        .start(move |inner, plan| {
            let is_forgotten = forgotten.lock().unwrap().contains(&inner.place());
            Box::pin(async move {
                let state = inner.destination.start(&plan).await?;
                Ok(state.filter(|_| !is_forgotten))
            })
        })
}

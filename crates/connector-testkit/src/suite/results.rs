//! The results of a destination that acts on records.

use std::collections::BTreeMap;

use connector_core::{ActingDestination, JsonObject, Record, Stream};

use super::SyncRun;
use crate::given::Writing;
use crate::report::{Unproven, Verdict, failed};
use crate::rows::key_of;

/// Results by their keys. Of a result that is reported again, the last counts.
#[derive(Debug, Default)]
pub(crate) struct Results {
    by_key: BTreeMap<String, JsonObject>,
}

impl Results {
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &JsonObject> {
        self.by_key.values()
    }

    /// Adds the results that a run has reported since the last call.
    pub(crate) fn take(&mut self, run: &mut SyncRun) -> Verdict {
        let acting = run.acting()?;
        let stream = acting.result_stream();
        self.add(&stream, acting.take_results())
    }

    pub(crate) fn add(&mut self, stream: &Stream, results: Vec<JsonObject>) -> Verdict {
        for result in results {
            self.by_key.insert(key(stream, &result)?, result);
        }
        Ok(())
    }

    /// Whether each of them has the key of one of the others.
    pub(crate) fn are_among(&self, others: &Self) -> bool {
        let mut keys = self.by_key.keys();
        keys.all(|key| others.by_key.contains_key(key))
    }

    /// Waits until nothing is under way, and adds all results.
    pub(crate) async fn follow(&mut self, run: &mut SyncRun, writing: &Writing) -> Verdict {
        self.take(run)?;
        loop {
            if let Some(advance) = &writing.acting.advance {
                advance();
            }
            let is_more = run.acting()?.follow().await?;
            self.take(run)?;
            if !is_more {
                return Ok(());
            }
        }
    }
}

fn key(stream: &Stream, result: &JsonObject) -> Verdict<String> {
    if stream.primary_key.is_empty() {
        return failed("the stream of results has no primary key");
    }
    let record = Record::new(stream.name.clone(), result.clone());
    Ok(key_of(stream, &record)?)
}

impl SyncRun {
    pub(crate) fn acting(&mut self) -> Verdict<&mut dyn ActingDestination> {
        let why = "it declares that it acts, and reports no results";
        let acting = self.destination.acting();
        acting.ok_or_else(|| Unproven::Failed(why.to_owned()))
    }
}

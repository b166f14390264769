//! The request to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connector_core::{Event, Observer, Outcome, Stop};

use super::Place;
use crate::check::Check;
use crate::report::{Verdict, failed, skipped};
use crate::suite::SyncRun;
use crate::watcher::Watcher;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "stop_attempts_nothing_more",
        claim: "After a request to stop, no record is attempted and no request is sent.",
        mutants: &[
            "ignores a request to stop",
            "accepts records that it did not attempt",
        ],
        capability: Capability::Acting,
        run: |suite| Box::pin(stop_attempts_nothing_more(suite)),
    },
    Check {
        name: "stop_ends_a_batch",
        claim: "A request to stop during a batch lets the current record finish and attempts no other.",
        mutants: &["notices a stop only between batches"],
        capability: Capability::Acting,
        run: |suite| Box::pin(stop_ends_a_batch(suite)),
    },
];

async fn stop_attempts_nothing_more(suite: &Suite<'_>) -> Verdict {
    let place = Place::new(suite)?;
    let (stop, watcher) = (Stop::new(), Arc::new(Watcher::default()));
    let setup = place
        .access
        .watched(watcher.clone())?
        .with_stop(stop.clone());
    let mut run = SyncRun::start_with(suite, setup, &suite.plan()?).await?;
    let before = watcher.requests();
    stop.request();
    let outcomes = run.write(place.writing.accepted()).await?;
    if outcomes
        .iter()
        .any(|outcome| *outcome != Outcome::NotAttempted)
    {
        return failed(format!(
            "after a request to stop, the outcomes are {outcomes:?}"
        ));
    }
    if watcher.requests() > before || place.effects().is_some_and(|effects| effects > 0) {
        return failed("it acted after a request to stop");
    }
    Ok(())
}

/// Requests to stop at the first request.
struct StopAtRequest {
    stop: Stop,
    seen: AtomicUsize,
}

impl Observer for StopAtRequest {
    fn observe(&self, event: Event) {
        if matches!(event, Event::Request { .. }) {
            self.seen.fetch_add(1, Ordering::SeqCst);
            self.stop.request();
        }
    }
}

async fn stop_ends_a_batch(suite: &Suite<'_>) -> Verdict {
    let place = Place::new(suite)?;
    let records = place.writing.accepted();
    let stop = Stop::new();
    let observer = Arc::new(StopAtRequest {
        stop: stop.clone(),
        seen: AtomicUsize::new(0),
    });
    let setup = place
        .access
        .watched(observer.clone())?
        .with_stop(stop.clone());
    let mut run = SyncRun::start_with(suite, setup, &suite.plan()?).await?;
    if stop.is_requested() || run.destination.batch_limit() < 2 || records.len() < 2 {
        return skipped("it writes one record at a time, or sends requests before it writes");
    }
    let batch = records[..2].to_vec();
    let outcomes = run.destination.write(batch).await?;
    if observer.seen.load(Ordering::SeqCst) == 0 {
        return skipped("the destination reports no requests to its observer");
    }
    if outcomes != [Outcome::Accepted, Outcome::NotAttempted] {
        return failed(format!(
            "after a request to stop at the first request, the outcomes are {outcomes:?}"
        ));
    }
    match place.effects() {
        Some(effects) if effects > 1 => failed(format!("{effects} records took effect")),
        _ => Ok(()),
    }
}

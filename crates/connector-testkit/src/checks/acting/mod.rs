//! Records that make something happen.

mod stopping;
mod unfinished;

use std::task::{Context, Poll};

use connector_core::Stream;
use futures::task::noop_waker_ref;

use crate::check::Check;
use crate::copy::value_of;
use crate::given::{Access, Writing};
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::suite::{Results, SyncRun, state};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[&[Check]] = &[RESULTS, unfinished::CHECKS, stopping::CHECKS];

const RESULTS: &[Check] = &[
    Check {
        name: "results_are_complete",
        claim: "Each accepted record acts once and has one result in the end. Then nothing is under way.",
        mutants: &[
            "loses the result of the last record",
            "acts twice on a record",
        ],
        capability: Capability::Acting,
        run: |suite| Box::pin(results_are_complete(suite)),
    },
    Check {
        name: "results_fit_their_stream",
        claim: "The result stream has a primary key and a valid schema, and each result matches it.",
        mutants: &[
            "a result that does not fit its schema",
            "results without a key",
        ],
        capability: Capability::Acting,
        run: |suite| Box::pin(results_fit_their_stream(suite)),
    },
    Check {
        name: "results_survive_a_failed_write",
        claim: "If a write fails halfway, this run or the next reports what was done. Records that are sent again do not act twice.",
        mutants: &[
            "forgets what it did when a write fails",
            "acts again after a failed write",
        ],
        capability: Capability::Acting,
        run: |suite| Box::pin(results_survive_a_failed_write(suite)),
    },
    Check {
        name: "owed_results_survive_a_kill",
        claim: "If a run is killed after a commit, the next run reports the results that are still owed.",
        mutants: &["owes nothing after a kill"],
        capability: Capability::Acting,
        run: |suite| Box::pin(owed_results_survive_a_kill(suite)),
    },
    Check {
        name: "kills_repeat_nothing",
        claim: "If a run is killed before its commit and the records are sent again, each has a result and none acts twice.",
        mutants: &["acts again after a kill"],
        capability: Capability::Acting,
        run: |suite| Box::pin(kills_repeat_nothing(suite)),
    },
    Check {
        name: "stored_results_are_forgotten",
        claim: "The next run does not repeat results that were taken before a commit.",
        mutants: &["repeats stored results"],
        capability: Capability::Acting,
        run: |suite| Box::pin(stored_results_are_forgotten(suite)),
    },
    Check {
        name: "waits_can_be_dropped",
        claim: "Dropping the wait for results loses none.",
        mutants: &["loses results when the wait is dropped"],
        capability: Capability::Acting,
        run: |suite| Box::pin(waits_can_be_dropped(suite)),
    },
];

/// A place where nothing was done yet.
struct Place<'s> {
    suite: &'s Suite<'s>,
    writing: &'s Writing,
    access: Access,
}

impl<'s> Place<'s> {
    /// Absent if the destination does not act.
    fn new(suite: &'s Suite<'s>) -> Verdict<Self> {
        let writing = suite.acting()?;
        if writing.accepted().is_empty() {
            return skipped("no accepted record was given: use `Writing::accepts`");
        }
        let access = writing.fresh();
        Ok(Self {
            suite,
            writing,
            access,
        })
    }

    async fn start(&self) -> Verdict<SyncRun> {
        SyncRun::start(self.suite, &self.access, &self.suite.plan()?).await
    }

    /// Starts, and writes every record that is accepted.
    async fn write(&self) -> Verdict<SyncRun> {
        let mut run = self.start().await?;
        run.store(&self.writing.accepted()).await?;
        Ok(run)
    }

    /// The number of effects; `None` if the author does not count them.
    fn effects(&self) -> Option<usize> {
        let effects = self.writing.acting.effects.as_ref()?;
        Some(effects(&self.access))
    }

    /// Checks that each accepted record has one result and one effect.
    fn expect_complete(&self, results: &Results) -> Verdict {
        let expected = self.writing.accepted().len();
        let results = results.len();
        if results != expected {
            return failed(format!("{results} results for {expected} records"));
        }
        match self.effects() {
            Some(effects) if effects != expected => {
                failed(format!("{expected} records took effect {effects} times"))
            }
            _ => Ok(()),
        }
    }
}

async fn results_are_complete(suite: &Suite<'_>) -> Verdict {
    let place = Place::new(suite)?;
    let mut run = place.write().await?;
    let mut results = Results::default();
    results.follow(&mut run, place.writing).await?;
    place.expect_complete(&results)?;
    if run.acting()?.follow().await? {
        return failed("`follow` returned true after it had returned false");
    }
    run.finish(Some(&state(1))).await
}

async fn results_fit_their_stream(suite: &Suite<'_>) -> Verdict {
    let place = Place::new(suite)?;
    let mut run = place.write().await?;
    let stream = run.acting()?.result_stream();
    if stream.primary_key.is_empty() {
        return failed("the stream of results has no primary key");
    }
    let validator = validator(&stream)?;
    let mut results = Results::default();
    results.follow(&mut run, place.writing).await?;
    for result in results.iter() {
        let value = value_of(result)?;
        if let Err(error) = validator.validate(&value) {
            let at = error.instance_path();
            return failed(format!(
                "a result does not match its schema at `{at}`: {error}"
            ));
        }
        if stream
            .primary_key
            .iter()
            .any(|key| value[key.as_str()].is_null())
        {
            return failed("a result has no key");
        }
    }
    Ok(())
}

fn validator(stream: &Stream) -> Verdict<jsonschema::Validator> {
    let validator = jsonschema::draft7::new(&stream.json_schema);
    validator.map_err(|error| Unproven::Failed(format!("the schema of the results: {error}")))
}

async fn results_survive_a_failed_write(suite: &Suite<'_>) -> Verdict {
    let failures = &suite.acting()?.acting.failures;
    if failures.is_empty() {
        return skipped("no failing write was given: use `Acting::with_failure`");
    }
    for failure in failures {
        let access = (failure.prepare)();
        let place = Place {
            access,
            ..Place::new(suite)?
        };
        let mut results = Results::default();
        let mut run = place.start().await?;
        let armed = failure.arm();
        if run.write(place.writing.accepted()).await.is_ok() {
            return failed("the write did not fail");
        }
        let done = place.effects();
        results.take(&mut run)?;
        // What is broken may break the wait, too.
        results.follow(&mut run, place.writing).await.ok();
        drop(run);
        drop(armed);
        if done.is_some_and(|done| done == 0) {
            return failed("the write failed before it did anything: it must fail halfway");
        }
        let mut run = place.start().await?;
        results.follow(&mut run, place.writing).await?;
        if done.is_some_and(|done| results.len() < done) {
            let (done, results) = (done.unwrap_or_default(), results.len());
            return failed(format!(
                "{done} records took effect; {results} results were reported"
            ));
        }
        run.store(&place.writing.accepted()).await?;
        results.follow(&mut run, place.writing).await?;
        place.expect_complete(&results)?;
    }
    Ok(())
}

async fn owed_results_survive_a_kill(suite: &Suite<'_>) -> Verdict {
    suite.keeping()?;
    let place = Place::new(suite)?;
    let mut results = Results::default();
    let mut run = place.write().await?;
    // The host stores what is known, and commits.
    results.take(&mut run)?;
    run.commit(Some(&state(1))).await?;
    drop(run);

    let mut run = place.start().await?;
    if run.resumed != Some(state(1)) {
        return failed("after a kill, the last committed state is missing");
    }
    results.follow(&mut run, place.writing).await?;
    place.expect_complete(&results)
}

async fn kills_repeat_nothing(suite: &Suite<'_>) -> Verdict {
    let place = Place::new(suite)?;
    // Killed before its commit: the host has stored nothing.
    drop(place.write().await?);

    let mut run = place.write().await?;
    let mut results = Results::default();
    results.follow(&mut run, place.writing).await?;
    place.expect_complete(&results)
}

async fn stored_results_are_forgotten(suite: &Suite<'_>) -> Verdict {
    let place = Place::new(suite)?;
    let mut run = place.write().await?;
    let mut results = Results::default();
    results.follow(&mut run, place.writing).await?;
    run.finish(Some(&state(1))).await?;

    let mut run = place.start().await?;
    let mut again = Results::default();
    again.follow(&mut run, place.writing).await?;
    if again.is_empty() {
        return Ok(());
    }
    failed(format!("{} results were reported again", again.len()))
}

async fn waits_can_be_dropped(suite: &Suite<'_>) -> Verdict {
    let place = Place::new(suite)?;
    let mut run = place.write().await?;
    let mut results = Results::default();
    for polls in 1..=4 {
        poll(&mut run, polls)?;
        results.take(&mut run)?;
    }
    results.follow(&mut run, place.writing).await?;
    place.expect_complete(&results)
}

/// Begins to wait for a result, and drops the wait after some polls.
fn poll(run: &mut SyncRun, polls: usize) -> Verdict {
    let mut wait = run.acting()?.follow();
    let mut context = Context::from_waker(noop_waker_ref());
    for _ in 0..polls {
        if let Poll::Ready(followed) = wait.as_mut().poll(&mut context) {
            followed?;
            break;
        }
    }
    Ok(())
}

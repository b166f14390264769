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
        claim: "Each accepted record has one result in the end, and has done one thing; then nothing is under way.",
        mutants: &[
            "loses the result of the last record",
            "acts twice on a record",
        ],
        capability: Capability::Acting,
        run: |suite| Box::pin(results_are_complete(suite)),
    },
    Check {
        name: "results_fit_their_stream",
        claim: "The stream of results has a key and a valid schema, and each result fits it.",
        mutants: &[
            "a result that does not fit its schema",
            "results without a key",
        ],
        capability: Capability::Acting,
        run: |suite| Box::pin(results_fit_their_stream(suite)),
    },
    Check {
        name: "results_survive_a_failed_write",
        claim: "When a write fails in the middle, what was done before is reported, by this run or the next; sent again, each record is done once.",
        mutants: &[
            "forgets what it did when a write fails",
            "acts again on what a failed write did",
        ],
        capability: Capability::Acting,
        run: |suite| Box::pin(results_survive_a_failed_write(suite)),
    },
    Check {
        name: "owed_results_survive_a_kill",
        claim: "A run that is killed after its commit owes the results that it had not reported: the next one reports them.",
        mutants: &["owes nothing after a kill"],
        capability: Capability::Acting,
        run: |suite| Box::pin(owed_results_survive_a_kill(suite)),
    },
    Check {
        name: "kills_repeat_nothing",
        claim: "A run that is killed before its commit, and whose records are sent again, has each result and does nothing twice.",
        mutants: &["acts again on what a killed run did"],
        capability: Capability::Acting,
        run: |suite| Box::pin(kills_repeat_nothing(suite)),
    },
    Check {
        name: "stored_results_are_forgotten",
        claim: "Results that were taken before a commit are not reported by the next run.",
        mutants: &["reports every result again"],
        capability: Capability::Acting,
        run: |suite| Box::pin(stored_results_are_forgotten(suite)),
    },
    Check {
        name: "waits_can_be_dropped",
        claim: "To drop the wait for results loses none.",
        mutants: &["forgets what it waits for when the wait is dropped"],
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
            return skipped("no record that is accepted was given");
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

    /// How many things were done here; `None` if the author does not say.
    fn effects(&self) -> Option<usize> {
        let effects = self.writing.acting.effects.as_ref()?;
        Some(effects(&self.access))
    }

    /// Checks that each accepted record has a result, and has done one thing.
    fn expect_complete(&self, results: &Results) -> Verdict {
        let expected = self.writing.accepted().len();
        let results = results.len();
        if results != expected {
            return failed(format!("{results} results for {expected} records"));
        }
        match self.effects() {
            Some(effects) if effects != expected => {
                failed(format!("{expected} records have done {effects} things"))
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
        return failed("something is still under way, after nothing was");
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
                "a result does not fit its stream at `{at}`: {error}"
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
        return skipped("no write that fails half-way was given");
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
            return failed("a write that was to fail has come to its end");
        }
        let done = place.effects();
        results.take(&mut run)?;
        // What is broken may break the wait, too.
        results.follow(&mut run, place.writing).await.ok();
        drop(run);
        drop(armed);
        if done.is_some_and(|done| done == 0) {
            return failed("a write that was to fail half-way failed at once");
        }
        let mut run = place.start().await?;
        results.follow(&mut run, place.writing).await?;
        if done.is_some_and(|done| results.len() < done) {
            let (done, results) = (done.unwrap_or_default(), results.len());
            return failed(format!(
                "{results} results for {done} things that were done"
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
        return failed("after a kill, the state that was committed last is not there");
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
    failed(format!("{} results are reported again", again.len()))
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

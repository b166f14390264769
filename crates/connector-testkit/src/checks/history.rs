//! The history of runs.

use connector_core::{Destination, RunEnding, RunHistory, RunRecord, StreamRun};

use crate::Access;
use crate::check::Check;
use crate::report::{Unproven, Verdict, failed};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "runs_come_back_newest_first",
        claim: "Recorded runs are returned unchanged, newest first, up to the limit, from a new destination too.",
        mutants: &[
            "returns the oldest run first",
            "forgets the streams of a run",
            "ignores the limit of runs",
        ],
        capability: Capability::RunHistory,
        run: |suite| Box::pin(runs_come_back_newest_first(suite)),
    },
    Check {
        name: "runs_are_replaced_by_id",
        claim: "Recording a run again replaces the run with its id.",
        mutants: &["keeps both versions of a run"],
        capability: Capability::RunHistory,
        run: |suite| Box::pin(runs_are_replaced_by_id(suite)),
    },
];

/// A place without runs; absent if there is no history.
async fn place(suite: &Suite<'_>) -> Verdict<Access> {
    let access = suite.writing()?.fresh();
    let mut destination = suite.destination_of(&access).await?;
    let Some(history) = destination.run_history() else {
        return Err(Unproven::Absent);
    };
    match history.runs(10).await?.len() {
        0 => Ok(access),
        runs => failed(format!(
            "the history has {runs} runs before any was recorded"
        )),
    }
}

fn history(destination: &mut dyn Destination) -> Verdict<&mut dyn RunHistory> {
    let why = "a destination of the same configuration has no history";
    let history = destination.run_history();
    history.ok_or_else(|| Unproven::Failed(why.to_owned()))
}

async fn record(suite: &Suite<'_>, access: &Access, runs: &[RunRecord]) -> Verdict {
    let mut destination = suite.destination_of(access).await?;
    destination.start(&suite.plan()?).await?;
    for run in runs {
        history(&mut *destination)?.record(run).await?;
    }
    Ok(())
}

async fn expect(
    suite: &Suite<'_>,
    access: &Access,
    at_most: usize,
    expected: &[RunRecord],
) -> Verdict {
    let mut destination = suite.destination_of(access).await?;
    let found = history(&mut *destination)?.runs(at_most).await?;
    if found == expected {
        return Ok(());
    }
    let ids = |runs: &[RunRecord]| runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
    let (found, expected) = (ids(&found), ids(expected));
    failed(format!(
        "the recorded runs are {expected:?}; returned, or changed, are {found:?}"
    ))
}

/// A run with every field set.
fn run(id: &str, minute: u32) -> RunRecord {
    let started_at = format!("2026-01-31T01:{minute:02}:03Z");
    let mut run = RunRecord::new(id, "testkit", "1.2.3", started_at);
    run.ended_at = Some(format!("2026-01-31T01:{minute:02}:59Z"));
    run.ending = Some(RunEnding::Incomplete);
    run.error = Some("something could not be read\nand more".to_owned());
    let mut stream = StreamRun::new("builds");
    (stream.records, stream.removed, stream.rejected) = (7, 6, 5);
    (stream.requests, stream.bytes) = (4, 1 << 40);
    (stream.rate_limited_seconds, stream.retrying_seconds) = (1.5, 0.25);
    run.streams = vec![stream, StreamRun::new("jobs")];
    run
}

async fn runs_come_back_newest_first(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    // The order of recording differs from the order of starting.
    let [first, second, third] = [run("a", 1), run("b", 2), run("c", 3)];
    record(
        suite,
        &access,
        &[second.clone(), first.clone(), third.clone()],
    )
    .await?;
    expect(suite, &access, 2, &[third.clone(), second.clone()]).await?;
    expect(suite, &access, 10, &[third, second, first]).await
}

async fn runs_are_replaced_by_id(suite: &Suite<'_>) -> Verdict {
    let access = place(suite).await?;
    let (one, mut other) = (run("a", 1), run("b", 2));
    (other.ended_at, other.ending, other.error) = (None, None, None);
    record(suite, &access, &[other, one.clone()]).await?;
    let other = run("b", 2);
    record(suite, &access, std::slice::from_ref(&other)).await?;
    expect(suite, &access, 10, &[other, one]).await
}

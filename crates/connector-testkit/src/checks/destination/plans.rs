//! Plans that a destination cannot follow.

use connector_core::{AcceptedStreams, ErrorKind, Result, StreamPlan, WriteMode, WritePlan};

use crate::check::Check;
use crate::report::{Verdict, absent, failed};
use crate::suite::SYNC;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "unknown_streams_are_refused",
        claim: "A destination that accepts only certain streams refuses others with a configuration error, in `start` and in `add_stream`.",
        mutants: &[
            "starts with a stream that is not accepted",
            "adds a stream that is not accepted",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(unknown_streams_are_refused(suite)),
    },
    Check {
        name: "undeclared_modes_are_refused",
        claim: "A write mode that is not declared is a configuration error, in `start` and in `add_stream`.",
        mutants: &[
            "starts in any write mode",
            "adds a stream in any write mode",
        ],
        capability: Capability::Destination,
        run: |suite| Box::pin(undeclared_modes_are_refused(suite)),
    },
    Check {
        name: "upserts_need_a_key",
        claim: "Upserting a stream without a primary key is a configuration error.",
        mutants: &["upserts a stream without a key"],
        capability: Capability::Destination,
        run: |suite| Box::pin(upserts_need_a_key(suite)),
    },
];

/// A stream that is written, to make others of.
fn example(suite: &Suite<'_>) -> Verdict<StreamPlan> {
    match suite.plan()?.streams.into_iter().next() {
        Some(plan) => Ok(plan),
        None => failed("no stream was given to write"),
    }
}

async fn unknown_streams_are_refused(suite: &Suite<'_>) -> Verdict {
    let writing = suite.writing()?;
    let mut destination = suite.destination_of(&writing.fresh()).await?;
    if destination.accepted_streams().await? == AcceptedStreams::Any {
        return absent();
    }
    let mut unknown = example(suite)?;
    unknown.stream.name = "a_stream_of_nobody".into();
    expect_refused(suite, unknown, "a stream that it does not accept").await
}

async fn undeclared_modes_are_refused(suite: &Suite<'_>) -> Verdict {
    let declared = suite.declared()?.write_modes;
    let modes = [WriteMode::Append, WriteMode::Upsert, WriteMode::Overwrite];
    let undeclared: Vec<_> = modes
        .into_iter()
        .filter(|mode| !declared.contains(mode))
        .collect();
    if undeclared.is_empty() {
        return absent();
    }
    for mode in undeclared {
        let mut plan = example(suite)?;
        plan.mode = mode;
        let what = format!("the mode {mode:?}, which it does not declare");
        expect_refused(suite, plan, &what).await?;
    }
    Ok(())
}

async fn upserts_need_a_key(suite: &Suite<'_>) -> Verdict {
    if !suite.declared()?.write_modes.contains(&WriteMode::Upsert) {
        return absent();
    }
    let mut plan = example(suite)?;
    plan.mode = WriteMode::Upsert;
    plan.stream.primary_key = Vec::new();
    expect_refused(suite, plan, "an upsert without a key").await
}

/// The stream must be refused alone, beside others, and in `add_stream`.
async fn expect_refused(suite: &Suite<'_>, refused: StreamPlan, what: &str) -> Verdict {
    let writing = suite.writing()?;
    let mut plan: WritePlan = suite.plan()?;
    plan.streams
        .retain(|one| one.stream.name != refused.stream.name);
    plan.streams.push(refused.clone());
    for plan in [plan, WritePlan::new(SYNC, [refused.clone()])] {
        let mut destination = suite.destination_of(&writing.fresh()).await?;
        let started = destination.start(&plan).await;
        is_config(started, &format!("it starts with {what}"))?;
    }
    let mut destination = suite.destination_of(&writing.fresh()).await?;
    let mut plan = suite.plan()?;
    plan.streams
        .retain(|one| one.stream.name != refused.stream.name);
    destination.start(&plan).await?;
    let added = destination.add_stream(&refused).await;
    is_config(added, &format!("it adds {what}"))
}

fn is_config<T>(result: Result<T>, what: &str) -> Verdict {
    match result {
        Ok(_) => failed(what),
        Err(error) if error.kind() == ErrorKind::Config => Ok(()),
        Err(error) => failed(format!("the error has kind {:?}: {error}", error.kind())),
    }
}

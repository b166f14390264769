//! Compares a copy with Buildkite, at a cost that is low beside reading it again.
//!
//! What the state does not claim to have is not missed: builds created since, and builds that
//! changed after the moment up to which all changes were seen, are told as not synced yet. Within
//! what it claims these are compared, one file each:
//!
//! - the number of builds in [`windows`] of time; one that differs is halved until it can be listed;
//! - the [`numbers`] of each pipeline: whether one that is missing was ever given out;
//! - rows that are [`open`] with what is open;
//! - the [`attempts`] of jobs with each other, which asks for nothing;
//! - whole records, in [`samples`], and all of the [`plain`] streams.

mod attempts;
mod copy;
mod numbers;
mod open;
mod part;
mod plain;
mod report;
mod samples;
mod windows;

use std::sync::Arc;

use connector_core::{Error, ErrorKind, Replica, Result, StreamName, Verification};

use crate::inquiry::Inquiry;
use crate::pass::Pass;
use crate::state::PassState;
use crate::streams::{BUILDS, JOBS};
use copy::Copy;
use part::Part;
use report::Report;

/// Compares these streams: plain ones, and passes over the builds.
///
/// # Errors
/// Those of a read and of the replica; [`ErrorKind::Config`] if nothing was synced yet.
pub(crate) async fn verify(
    inquiry: Inquiry,
    plain: Vec<StreamName>,
    passes: Vec<PassState>,
    replica: Arc<dyn Replica>,
    samples: u32,
) -> Result<Verification> {
    if !passes.is_empty() && passes.iter().all(|pass| pass.partitions.is_empty()) {
        return Err(nothing_yet());
    }
    let mut report = Report::default();
    for stream in plain {
        plain::compare(&inquiry, &passes, &*replica, &stream, &mut report)
            .await
            .map_err(|error| error.with_context("stream", &stream))?;
    }
    for state in passes {
        let pass = inquiry.pass(state);
        let stream = pass.state.streams()[0].clone();
        verify_pass(&inquiry, &pass, &*replica, samples, &mut report)
            .await
            .map_err(|error| error.with_context("stream", stream))?;
    }
    Ok(report.finish())
}

async fn verify_pass(
    inquiry: &Inquiry,
    pass: &Arc<Pass>,
    replica: &dyn Replica,
    samples: u32,
    report: &mut Report,
) -> Result<()> {
    let mut parts = Part::all(pass, report).await?;
    if parts.is_empty() {
        return Err(nothing_yet());
    }
    let has = |name: &str| pass.state.streams().iter().any(|stream| *stream == name);
    let mut copy = Copy::default();
    if has(BUILDS) {
        copy = Copy::read(replica, &mut parts, has(JOBS), report).await?;
        for part in &mut parts {
            windows::compare(inquiry, part, &mut copy, report).await?;
            numbers::compare(inquiry, part, &copy, report).await?;
            open::compare(inquiry, part, &copy, report).await?;
        }
    }
    if has(JOBS) {
        // Where builds are still to be read, jobs may have come first.
        let has_all_builds = has(BUILDS) && !parts.iter().any(|part| part.has_gaps(BUILDS));
        attempts::compare(replica, &parts, has_all_builds.then_some(&copy), report).await?;
    }
    samples::compare(inquiry, &parts, replica, samples, report).await
}

fn nothing_yet() -> Error {
    let message = "there is nothing to compare yet: no sync under this name has saved how far it \
                   got; sync first, or name the sync that wrote the copy";
    Error::new(ErrorKind::Config, message)
}

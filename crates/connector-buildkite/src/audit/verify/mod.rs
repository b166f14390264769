//! Compares a copy with Buildkite, at a cost that is low beside reading it again.
//!
//! What the state does not claim to have is not missed: builds created since, and builds that
//! changed after the moment up to which all changes were seen, are reported as not synced yet.
//! Within what it claims, these are compared, one file each:
//!
//! - the number of builds in [`windows`] of time; a window that differs is halved until it can be
//!   listed;
//! - the [`numbers`] of each pipeline: whether one that is missing was ever given out;
//! - rows that are [`open`] with the builds that are open;
//! - the [`attempts`] of jobs with each other, without a request;
//! - whole records, in [`samples`], and all of the [`plain`] streams.

mod attempts;
mod copy;
mod numbers;
mod open;
mod partition;
mod plain;
mod report;
mod samples;
mod windows;

use std::sync::Arc;

use connector_core::{Error, ErrorKind, Replica, Result, Verification};

use super::masked::MaskedReplica;
use super::probe::CostProbe;
use crate::source::sweep::Sweep;
use crate::source::{Plan, Reader};
use crate::streams::{BUILDS, JOBS};
use copy::Copy;
use partition::AuditedPartition;
use report::Report;

/// Compares the streams of a plan.
///
/// # Errors
/// Those of a read and of the replica; [`ErrorKind::Config`] if nothing was synced yet.
pub(crate) async fn verify(
    reader: &Reader,
    plan: Plan,
    replica: Arc<dyn Replica>,
    samples: u32,
) -> Result<Verification> {
    let Plan { plain, sweeps, .. } = plan;
    if !sweeps.is_empty() && sweeps.iter().all(|sweep| sweep.partitions.is_empty()) {
        return Err(nothing_yet());
    }
    let replica = MaskedReplica {
        replica,
        mask: reader.mask().clone(),
    };
    let probe = CostProbe::new(reader, &[]);
    let mut report = Report::default();
    for stream in plain {
        plain::compare(&probe, &sweeps, &replica, &stream, &mut report)
            .await
            .map_err(|error| error.with_context("stream", &stream))?;
    }
    for state in sweeps {
        let sweep = probe.sweep(state);
        let stream = sweep.state.streams()[0].clone();
        verify_sweep(&probe, &sweep, &replica, samples, &mut report)
            .await
            .map_err(|error| error.with_context("stream", stream))?;
    }
    Ok(report.finish())
}

async fn verify_sweep(
    probe: &CostProbe,
    sweep: &Arc<Sweep>,
    replica: &dyn Replica,
    samples: u32,
    report: &mut Report,
) -> Result<()> {
    let mut partitions = AuditedPartition::all(sweep, report).await?;
    if partitions.is_empty() {
        return Err(nothing_yet());
    }
    let has = |name: &str| sweep.state.streams().iter().any(|stream| *stream == name);
    let mut copy = Copy::default();
    if has(BUILDS) {
        copy = Copy::read(replica, &mut partitions, has(JOBS), report).await?;
        for partition in &mut partitions {
            windows::compare(probe, partition, &mut copy, report).await?;
            numbers::compare(probe, partition, &copy, report).await?;
            open::compare(probe, partition, &copy, report).await?;
        }
        open::compare_others(sweep, &copy, report).await?;
    }
    if has(JOBS) {
        // Where builds have not been read yet, their jobs may be there already.
        let has_gaps = |partition: &AuditedPartition| partition.has_gaps(BUILDS);
        let has_all_builds = has(BUILDS) && !partitions.iter().any(has_gaps);
        let copy = has_all_builds.then_some(&copy);
        attempts::compare(replica, &partitions, copy, report).await?;
    }
    samples::compare(probe, &partitions, replica, samples, report).await
}

fn nothing_yet() -> Error {
    let message = "there is nothing to compare yet: no sync of this name has saved its progress; \
                   sync first, or pass the name of the sync that wrote the copy";
    Error::new(ErrorKind::Config, message)
}

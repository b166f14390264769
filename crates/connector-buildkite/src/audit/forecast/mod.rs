//! What a read will cost, estimated from a few small requests.
//!
//! The requests of a read follow from how many builds there are. So a forecast goes through the
//! partitions as [`Partition`](crate::source::sweep::partition::Partition) does, with counts instead
//! of lists, and with lists without jobs where it matters which builds there are. One page of the
//! newest builds shows how large builds are and how many jobs they have.

mod limits;
mod partition;
mod plain;
mod sample;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, Forecast, Result, StreamForecast, StreamName};

use super::probe::CostProbe;
use crate::error::explain;
use crate::source::lists::tree::Tree;
use crate::source::state::SweepState;
use crate::source::sweep::{PartitionRef, Sweep};
use crate::source::{Plan, Reader};
use crate::streams::JOBS;
use partition::Cost;
use plain::Measured;
use sample::Sample;

/// What is said of streams that are lists.
const OF_LISTS: &str = "one request for each list; its records are not estimated";

/// What reading the streams of a plan will cost.
///
/// # Errors
/// Those of a read.
pub(crate) async fn forecast(reader: &Reader, plan: Plan) -> Result<Forecast> {
    let mut forecaster = Forecaster {
        probe: CostProbe::new(reader, &plan.sweeps),
        streams: Vec::new(),
        by_organization: BTreeMap::new(),
        page_time: Duration::ZERO,
    };
    for stream in plan.plain {
        forecaster.plain(stream, &plan.sweeps).await?;
    }
    for sweep in plan.sweeps {
        forecaster.sweep(sweep).await?;
    }
    for tree in plan.trees {
        forecaster.tree(&tree).await?;
    }
    forecaster.expect_access().await?;
    Ok(forecaster.finish())
}

struct Forecaster {
    probe: CostProbe,
    streams: Vec<StreamForecast>,
    /// Requests that count towards the limit of an organization, by its slug.
    by_organization: BTreeMap<String, u64>,
    /// How long a full page takes.
    page_time: Duration,
}

impl Forecaster {
    async fn plain(&mut self, stream: StreamName, sweeps: &[SweepState]) -> Result<()> {
        let measured = plain::measure(&self.probe, sweeps, &stream).await;
        let Measured {
            requests,
            records,
            bytes,
            by_organization,
        } = measured.map_err(|error| error.with_context("stream", &stream))?;
        for (organization, requests) in by_organization {
            self.count_towards(&organization, requests);
        }
        let forecast = StreamForecast::new(stream);
        self.streams
            .push(forecast.with_numbers(requests, records, bytes));
        Ok(())
    }

    async fn sweep(&mut self, state: SweepState) -> Result<()> {
        let sweep = self.probe.sweep(state);
        let stream = sweep.state.streams()[0].clone();
        let in_stream = |error: Error| error.with_context("stream", &stream);
        let (cost, sample) = self.estimate(&sweep).await.map_err(in_stream)?;
        self.page_time = self.page_time.max(sample.elapsed);
        for (index, stream) in sweep.state.streams().iter().enumerate() {
            let builds = cost.builds.get(stream).copied().unwrap_or_default();
            let (records, bytes) = sample.scaled(stream, builds);
            let lists = sample.scaled_lists(stream, builds);
            self.count_towards(&sample.organization, lists);
            let own = if index == 0 { cost.requests } else { 0 };
            let requests = own.saturating_add(lists);
            let is_list = sweep.scope.list(stream).is_some();
            let note = if is_list {
                Some(OF_LISTS.to_owned())
            } else {
                note(stream, index, &cost, &sample)
            };
            let forecast = StreamForecast::new(stream.clone());
            let forecast = forecast.with_numbers(requests, records, bytes);
            self.streams.push(forecast.with_note(note));
        }
        Ok(())
    }

    /// Lists that are not below builds: how many there are is known, what they hold is not.
    async fn tree(&mut self, tree: &Tree) -> Result<()> {
        let lists = self.probe.trees().count_lists(tree).await?;
        for (stream, parent) in tree.parents_of_streams() {
            let (requests, note) = match parent {
                None => (lists, OF_LISTS.to_owned()),
                Some(parent) => (0, format!("one request more for each record of {parent}")),
            };
            let forecast = StreamForecast::new(stream).with_numbers(requests, 0, 0);
            self.streams.push(forecast.with_note(Some(note)));
        }
        Ok(())
    }

    /// A token that opens nothing must not be told that nothing costs nothing.
    async fn expect_access(&self) -> Result<()> {
        if self.probe.requests() == 0 {
            self.probe.client.access_token().await.map_err(explain)?;
        }
        Ok(())
    }

    /// What all partitions cost, and a page of the largest.
    async fn estimate(&mut self, sweep: &Arc<Sweep>) -> Result<(Cost, Sample)> {
        let before = self.probe.requests();
        let partitions = sweep.partitions().await?;
        let mut total = Cost {
            requests: self.probe.requests() - before,
            ..Cost::default()
        };
        let mut largest: Option<(u64, PartitionRef)> = None;
        for partition in partitions {
            let cost = partition::estimate(&self.probe, sweep, partition.clone()).await?;
            self.count_towards(&partition.organization, cost.requests);
            let builds = cost.builds.values().max().copied().unwrap_or_default();
            if largest.as_ref().is_none_or(|(most, _)| builds > *most) {
                largest = Some((builds, partition));
            }
            total.add(cost);
        }
        let sample = match largest {
            Some((1.., partition)) => Sample::read(sweep, partition).await?,
            _ => Sample::default(),
        };
        Ok((total, sample))
    }

    fn count_towards(&mut self, organization: &str, requests: u64) {
        let count = self.by_organization.entry(organization.to_owned());
        *count.or_default() += requests;
    }

    fn finish(self) -> Forecast {
        let requests = self.streams.iter().map(|stream| stream.requests).sum();
        let known = limits::known(&self.probe.client, &self.by_organization);
        let waiting = limits::waiting(&known, requests, &self.by_organization);
        let at_once = u32::try_from(self.probe.max_concurrency).unwrap_or(u32::MAX);
        let pages = u32::try_from(requests).unwrap_or(u32::MAX);
        let working = self.page_time.saturating_mul(pages) / at_once.max(1);
        Forecast::new(self.streams, waiting.max(working)).with_limits(limits::sentences(&known))
    }
}

/// What the numbers of a stream are based on.
fn note(stream: &StreamName, index: usize, cost: &Cost, sample: &Sample) -> Option<String> {
    let mut notes = Vec::new();
    if index > 0 {
        notes.push("comes with builds".to_owned());
    }
    if *stream == JOBS && sample.builds > 0 {
        notes.push(format!(
            "estimated from the newest {} builds",
            sample.builds
        ));
    }
    if index == 0 {
        notes.extend(cost.notes.iter().cloned());
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}

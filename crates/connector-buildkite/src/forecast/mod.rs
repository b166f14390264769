//! What a read will cost, reckoned from a few small requests.
//!
//! The requests of a read follow from how many builds there are. So a forecast goes through the
//! partitions as [`Partition`](crate::pass::partition::Partition) does, with counts where that has
//! lists, and with lists without jobs where it matters which builds there are. How large builds
//! are, and how many jobs they have, one page of the newest shows.

mod limits;
mod partition;
mod sample;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, Forecast, Record, Result, StreamForecast, StreamName};
use futures::stream::{StreamExt, TryStreamExt};

use crate::error::explain;
use crate::inquiry::Inquiry;
use crate::pass::Pass;
use crate::pipelines::pipelines_of;
use crate::scope::Identified;
use crate::scope::Selected;
use crate::state::PassState;
use crate::streams::{JOBS, ORGANIZATIONS, organization_record, pipeline_record};
use partition::Cost;
use sample::Sample;

/// Items of a page.
const PAGE: usize = 100;

/// What reading these streams will cost: plain ones, and passes over the builds.
///
/// # Errors
/// Those of a read.
pub(crate) async fn forecast(
    inquiry: Inquiry,
    plain: Vec<StreamName>,
    passes: Vec<PassState>,
) -> Result<Forecast> {
    let mut forecaster = Forecaster {
        inquiry,
        passes,
        streams: Vec::new(),
        by_organization: BTreeMap::new(),
        page_time: Duration::ZERO,
    };
    for stream in plain {
        forecaster.plain(stream).await?;
    }
    for state in forecaster.passes.clone() {
        forecaster.pass(state).await?;
    }
    Ok(forecaster.finish())
}

struct Forecaster {
    inquiry: Inquiry,
    passes: Vec<PassState>,
    streams: Vec<StreamForecast>,
    /// Requests that count towards the limit of an organization, by its slug.
    by_organization: BTreeMap<String, u64>,
    /// How long a full page takes.
    page_time: Duration,
}

/// Some of a stream's records, and how many there are in all.
#[derive(Default)]
struct Measured {
    requests: u64,
    records: u64,
    bytes: u64,
}

impl Forecaster {
    async fn plain(&mut self, stream: StreamName) -> Result<()> {
        let measured = match stream.as_str() {
            ORGANIZATIONS => self.organizations().await,
            _ => self.pipelines().await,
        };
        let measured = measured.map_err(|error| error.with_context("stream", &stream))?;
        let forecast = StreamForecast::new(stream);
        let Measured {
            requests,
            records,
            bytes,
        } = measured;
        self.streams
            .push(forecast.with_numbers(requests, records, bytes));
        Ok(())
    }

    /// They are few: what reading them costs is what it costs here.
    async fn organizations(&self) -> Result<Measured> {
        let before = self.inquiry.asked();
        let Inquiry { scope, client, .. } = &self.inquiry;
        let objects = scope.organization_objects(client).await?;
        let records = objects.iter().map(|named| organization_record(&named.raw));
        Measured::of(self.inquiry.asked() - before, records)
    }

    async fn pipelines(&mut self) -> Result<Measured> {
        let before = self.inquiry.asked();
        let Inquiry { scope, client, .. } = &self.inquiry;
        if let Some(selected) = scope.selected(client).await? {
            let record = |s: &Selected| pipeline_record(&s.pipeline.raw, &s.organization);
            return Measured::of(self.inquiry.asked() - before, selected.iter().map(record));
        }
        let organizations = scope.organizations(client).await?;
        let mut measured = Measured {
            requests: self.inquiry.asked() - before,
            ..Measured::default()
        };
        for organization in organizations {
            let of_organization = self.pipelines_of(&organization).await?;
            self.count_towards(&organization, of_organization.requests);
            measured.requests += of_organization.requests;
            measured.records += of_organization.records;
            measured.bytes += of_organization.bytes;
        }
        Ok(measured)
    }

    /// Where builds have been read before, all are needed: those that were renamed are read again.
    async fn pipelines_of(&self, organization: &str) -> Result<Measured> {
        let is_known = |pass: &PassState| pass.coverage(organization, None).is_some();
        let at_most = match self.passes.iter().any(is_known) {
            true => usize::MAX,
            false => PAGE,
        };
        let before = self.inquiry.asked();
        let Inquiry { client, scope, .. } = &self.inquiry;
        let list = pipelines_of(client, scope, organization.to_owned());
        let records: Vec<_> = list.take(at_most).try_collect().await?;
        let (read, asked) = (records.len() as u64, self.inquiry.asked() - before);
        let mut measured = Measured::of(asked, records.into_iter().map(Ok))?;
        if read == PAGE as u64 {
            let path = ["v2", "organizations", organization, "pipelines"];
            let count = client.count(&path).await.map_err(explain)?.unwrap_or(read);
            measured.requests = count.div_ceil(PAGE as u64);
            measured.records = count;
            measured.bytes = measured.bytes * count / read;
        }
        Ok(measured)
    }

    async fn pass(&mut self, state: PassState) -> Result<()> {
        let pass = self.inquiry.pass(state);
        let stream = pass.state.streams()[0].clone();
        let in_stream = |error: Error| error.with_context("stream", &stream);
        let (cost, sample) = self.reckon(&pass).await.map_err(in_stream)?;
        self.page_time = self.page_time.max(sample.elapsed);
        for (index, stream) in pass.state.streams().iter().enumerate() {
            let builds = cost.builds.get(stream).copied().unwrap_or_default();
            let (records, bytes) = sample.scaled(stream, builds);
            let requests = if index == 0 { cost.requests } else { 0 };
            let note = note(stream, index, &cost, &sample);
            let forecast = StreamForecast::new(stream.clone());
            let forecast = forecast.with_numbers(requests, records, bytes);
            self.streams.push(forecast.with_note(note));
        }
        Ok(())
    }

    /// What all partitions cost, and a page of the largest.
    async fn reckon(&mut self, pass: &Arc<Pass>) -> Result<(Cost, Sample)> {
        let before = self.inquiry.asked();
        let partitions = pass.partitions().await?;
        let mut total = Cost {
            requests: self.inquiry.asked() - before,
            ..Cost::default()
        };
        let mut largest: Option<(u64, String, Option<Identified>)> = None;
        for (_, organization, pipeline) in partitions {
            let cost =
                partition::reckon(&self.inquiry, pass, &organization, pipeline.clone()).await?;
            self.count_towards(&organization, cost.requests);
            let builds = cost.builds.values().max().copied().unwrap_or_default();
            if largest.as_ref().is_none_or(|(most, ..)| builds > *most) {
                largest = Some((builds, organization, pipeline));
            }
            total.add(cost);
        }
        let sample = match largest {
            Some((1.., organization, pipeline)) => {
                Sample::read(pass, organization, pipeline).await?
            }
            _ => Sample::default(),
        };
        Ok((total, sample))
    }

    fn count_towards(&mut self, organization: &str, requests: u64) {
        *self
            .by_organization
            .entry(organization.to_owned())
            .or_default() += requests;
    }

    fn finish(self) -> Forecast {
        let requests = self.streams.iter().map(|stream| stream.requests).sum();
        let known = limits::known(&self.inquiry.client, &self.by_organization);
        let waiting = limits::waiting(&known, requests, &self.by_organization);
        let at_once = u32::try_from(self.inquiry.max_concurrency).unwrap_or(u32::MAX);
        let pages = u32::try_from(requests).unwrap_or(u32::MAX);
        let working = self.page_time.saturating_mul(pages) / at_once.max(1);
        Forecast::new(self.streams, waiting.max(working)).with_limits(limits::sentences(&known))
    }
}

impl Measured {
    fn of(requests: u64, records: impl Iterator<Item = Result<Record>>) -> Result<Self> {
        let mut measured = Self {
            requests,
            ..Self::default()
        };
        for record in records {
            measured.records += 1;
            measured.bytes += record?.data.as_str().len() as u64;
        }
        Ok(measured)
    }
}

/// What the numbers of a stream rest on.
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

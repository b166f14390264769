//! What `organizations` and `pipelines` cost. They are few: what reading them costs is what it
//! costs here.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_core::{Record, Result, StreamName};
use futures::stream::{StreamExt, TryStreamExt};

use super::super::probe::CostProbe;
use crate::connection::PAGE;
use crate::error::explain;
use crate::source::plain::{organizations, pipelines_of};
use crate::source::scope::SelectedPipeline;
use crate::source::state::SweepState;
use crate::streams::{ORGANIZATIONS, pipeline_record};

/// Some records of a stream, and what reading all of it costs.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) requests: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Requests for each organization.
    pub(super) by_organization: BTreeMap<String, u64>,
}

/// What one of the two streams costs.
pub(super) async fn measure(
    probe: &CostProbe,
    sweeps: &[SweepState],
    stream: &StreamName,
) -> Result<Measured> {
    if *stream == ORGANIZATIONS {
        let before = probe.requests();
        let records = organizations(probe.client.clone(), Arc::clone(&probe.scope));
        let records: Vec<_> = records.try_collect().await?;
        return Ok(Measured::new(probe.requests() - before, &records));
    }
    pipelines(probe, sweeps).await
}

async fn pipelines(probe: &CostProbe, sweeps: &[SweepState]) -> Result<Measured> {
    let before = probe.requests();
    let CostProbe { scope, client, .. } = probe;
    if let Some(selected) = scope.selected(client).await? {
        let record = |one: &SelectedPipeline| pipeline_record(&one.pipeline.raw, &one.organization);
        let records: Vec<_> = selected.iter().map(record).collect::<Result<_>>()?;
        return Ok(Measured::new(probe.requests() - before, &records));
    }
    let organizations = scope.organizations(client).await?;
    let mut measured = Measured {
        requests: probe.requests() - before,
        ..Measured::default()
    };
    for organization in organizations {
        let part = of_organization(probe, sweeps, &organization).await?;
        measured.requests += part.requests;
        measured.records += part.records;
        measured.bytes += part.bytes;
        measured.by_organization.insert(organization, part.requests);
    }
    Ok(measured)
}

/// Where builds have been read before, all pipelines are needed: the builds of renamed ones are
/// read again. Otherwise one page and a count are enough.
async fn of_organization(
    probe: &CostProbe,
    sweeps: &[SweepState],
    organization: &str,
) -> Result<Measured> {
    let is_known = |sweep: &SweepState| sweep.coverage(organization, None).is_some();
    let needs_all = sweeps.iter().any(is_known);
    let at_most = if needs_all { usize::MAX } else { PAGE as usize };
    let before = probe.requests();
    let CostProbe { client, scope, .. } = probe;
    let list = pipelines_of(client, scope, organization.to_owned());
    let records: Vec<_> = list.take(at_most).try_collect().await?;
    let read = records.len() as u64;
    let mut measured = Measured::new(probe.requests() - before, &records);
    if read == PAGE {
        let path = ["v2", "organizations", organization, "pipelines"];
        let count = client.count(&path).await.map_err(explain)?.unwrap_or(read);
        measured.requests = count.div_ceil(PAGE);
        measured.records = count;
        measured.bytes = measured.bytes.saturating_mul(count) / read;
    }
    Ok(measured)
}

impl Measured {
    fn new(requests: u64, records: &[Record]) -> Self {
        let bytes = records.iter().map(|record| record.data.as_str().len());
        Self {
            requests,
            records: records.len() as u64,
            bytes: bytes.sum::<usize>() as u64,
            ..Self::default()
        }
    }
}

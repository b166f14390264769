//! What a read reads, in its order.

use std::sync::Arc;

use connector_core::{Catalog, ReadRequest, Result, StreamName, SyncMode};

use super::lists::tree::Tree;
use super::state::{CONNECTOR, OpenRowsOfCopy, SweepState, VERSION};
use crate::config::Config;
use crate::streams::{BUILDS, JOBS, ListStream, ORGANIZATIONS, PIPELINES};

/// What a read reads, in its order.
pub(crate) struct Plan {
    /// `organizations` and `pipelines`.
    pub(crate) plain: Vec<StreamName>,
    /// Sweeps over the builds: one, unless their streams are read in different modes.
    pub(crate) sweeps: Vec<SweepState>,
    /// Lists that are declared, and what is below them.
    pub(crate) trees: Vec<Tree>,
}

impl Plan {
    /// What `request` asks for.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) for an unknown stream or a mode that
    /// it does not have; [`ErrorKind::State`](connector_core::ErrorKind::State) for a state that
    /// cannot be resumed from.
    pub(crate) fn new(
        request: &ReadRequest,
        catalog: &Catalog,
        declared: &[Arc<ListStream>],
        config: &Config,
    ) -> Result<Self> {
        for selection in &request.streams {
            let stream = catalog.stream(selection.stream.as_str())?;
            stream.expect_mode(selection.mode)?;
        }
        // Even if none of these streams has a state: another connector may have made it, or a newer
        // version.
        if let Some(state) = &request.state {
            state.expect(CONNECTOR, VERSION)?;
        }
        let is_asked = |name: &&StreamName| {
            let mut selections = request.streams.iter();
            selections.any(|selection| selection.stream == **name)
        };
        let names = catalog.streams.iter().map(|stream| &stream.name);
        let (swept, others): (Vec<_>, Vec<_>) =
            (names.filter(is_asked).cloned()).partition(|name| is_swept(name, declared));
        let (plain, listed): (Vec<_>, Vec<_>) =
            (others.into_iter()).partition(|name| *name == ORGANIZATIONS || *name == PIPELINES);
        Ok(Self {
            plain,
            sweeps: sweeps(request, &swept, config)?,
            trees: Tree::all(declared, &listed),
        })
    }

    /// The stream that is read first.
    pub(crate) fn first_stream(&self) -> Option<StreamName> {
        let swept = self.sweeps.iter().flat_map(SweepState::streams).cloned();
        let listed = self.trees.iter().flat_map(Tree::streams);
        self.plain.iter().cloned().chain(swept).chain(listed).next()
    }
}

/// One sweep for each mode.
fn sweeps(
    request: &ReadRequest,
    streams: &[StreamName],
    config: &Config,
) -> Result<Vec<SweepState>> {
    let mut sweeps = Vec::new();
    for mode in [SyncMode::Incremental, SyncMode::FullRefresh] {
        let is_of_mode = |name: &&StreamName| {
            let mut selections = request.streams.iter();
            selections.any(|selection| selection.stream == **name && selection.mode == mode)
        };
        let streams: Vec<_> = streams.iter().filter(is_of_mode).cloned().collect();
        if !streams.is_empty() {
            let sweep = SweepState::new(config.remote(), mode, streams, config.created_from()?);
            let open_rows = OpenRowsOfCopy::new(&request.open_rows);
            let sweep = sweep.with_open_rows(open_rows);
            sweeps.push(sweep.resume(request.state.as_ref())?);
        }
    }
    Ok(sweeps)
}

/// Builds and jobs are read by one sweep, and so are the lists below them.
fn is_swept(name: &StreamName, declared: &[Arc<ListStream>]) -> bool {
    let is_below = |list: &Arc<ListStream>| list.stream.name == *name && list.is_below_builds();
    *name == BUILDS || *name == JOBS || declared.iter().any(is_below)
}

//! Partitions whose organization or pipeline went away: what is open in the copy is marked.

use std::sync::Arc;

use connector_core::Result;
use futures::stream::{self, BoxStream, StreamExt};

use super::item::{Item, Page};
use super::partition::Partition;
use super::search::{PIPELINE_REMOVED, tombstones};
use super::{PartitionRef, Sweep};
use crate::source::scope::PipelineRef;
use crate::source::state::Coverage;

/// The organization was deleted, or is hidden from the token. The answer is the same for both.
const ORGANIZATION_REMOVED: &str = "organization_deleted_or_hidden";

/// A partition that is no longer there.
pub(super) struct LostPartition {
    key: String,
    reason: &'static str,
}

impl Sweep {
    /// The partitions that the copy has, that the settings still ask for, and that are not among
    /// those that are read because they are no longer there.
    ///
    /// # Errors
    /// Those of a read.
    pub(super) async fn lost(&self, read: &[PartitionRef]) -> Result<Vec<LostPartition>> {
        let mut lost = Vec::new();
        let visible = self.scope.organizations(&self.client).await?;
        for key in self.state.keys() {
            let (organization, slug) = match key.split_once('/') {
                Some((organization, slug)) => (organization, Some(slug)),
                None => (key.as_str(), None),
            };
            let is_wanted = self.scope.wants_organization(organization)
                && (self.scope.wants_pipeline(slug) || self.scope.is_absent(organization));
            if !is_wanted || read.iter().any(|partition| partition.key() == key) {
                continue;
            }
            let is_visible = visible.iter().any(|known| known == organization)
                || self
                    .scope
                    .has_organization(&self.client, organization)
                    .await?;
            let reason = match (is_visible, slug) {
                (false, _) => ORGANIZATION_REMOVED,
                (true, Some(_)) if read.iter().all(|partition| partition.pipeline.is_some()) => {
                    PIPELINE_REMOVED
                }
                // A part of the organization, which is read whole, or will be the next time.
                (true, _) => continue,
            };
            lost.push(LostPartition { key, reason });
        }
        Ok(lost)
    }

    /// Reads a partition. If its organization turns out to be absent, what is open is marked.
    pub(super) fn read_or_lose(
        self: Arc<Self>,
        partition: PartitionRef,
    ) -> BoxStream<'static, Result<Item>> {
        let items = Partition::new(Arc::clone(&self), partition.clone()).read();
        let items = items.flat_map(move |item| {
            let is_absent = self.scope.is_absent(&partition.organization);
            let items = match item {
                Err(_) if is_absent => {
                    let (key, reason) = (partition.key(), ORGANIZATION_REMOVED);
                    self.lose(LostPartition { key, reason })
                }
                item => vec![item],
            };
            stream::iter(items)
        });
        items.boxed()
    }

    /// The news of what was open in a partition. It is said once; afterwards only of rows that the
    /// host says are not marked.
    pub(super) fn lose(&self, lost: LostPartition) -> Vec<Result<Item>> {
        let LostPartition { key, reason } = lost;
        let known = self.state.partitions.get(&key).cloned();
        let mut coverage = known.unwrap_or_else(|| Coverage::nothing(self.state.created_from));
        let besides = match key.split_once('/') {
            None => self.state.open_besides(&key, None),
            Some((organization, slug)) => {
                let mut ids = coverage
                    .pipelines
                    .iter()
                    .filter(|(_, known)| *known == slug);
                let id = ids.next().map(|(id, _)| id.clone()).unwrap_or_default();
                let slug = slug.to_owned();
                self.state
                    .open_besides(organization, Some(&PipelineRef { id, slug }))
            }
        };
        let unmarked = if coverage.is_lost {
            besides.clone()
        } else {
            let mut all = coverage.clone();
            all.add_open(besides.clone());
            all.open
        };
        coverage.add_open(besides);
        coverage.is_lost = true;
        coverage.is_carried = false;
        let streams = self.state.streams().iter().cloned().collect();
        let records = unmarked.iter();
        let records = records.flat_map(|(id, build)| tombstones(&streams, id, build, reason));
        let page = Page {
            partition: key,
            coverage: (!coverage.is_nothing()).then(|| Box::new(coverage)),
            builds_read: 0,
            builds_left: 0,
        };
        vec![Ok(Item::Records(records.collect())), Ok(Item::Page(page))]
    }
}

//! One real page of the newest builds: how large they are, and how long it takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use buildkite_client::Listed;
use connector_core::{Result, StreamName};

use crate::source::sweep::listing::BuildFilter;
use crate::source::sweep::partition::Partition;
use crate::source::sweep::{PartitionRef, Sweep};

/// What a page showed.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) builds: u64,
    /// The organization that it is of.
    pub(super) organization: String,
    /// Records of each stream, and their bytes.
    sizes: BTreeMap<StreamName, (u64, u64)>,
    /// The lists below these builds, of each stream: at least one request each.
    lists: BTreeMap<StreamName, u64>,
    pub(super) elapsed: Duration,
}

impl Sample {
    /// Reads the newest page of a partition.
    ///
    /// # Errors
    /// Those of a read.
    pub(super) async fn read(sweep: &Arc<Sweep>, partition: PartitionRef) -> Result<Self> {
        let mut sample = Self {
            organization: partition.organization.clone(),
            ..Self::default()
        };
        let partition = Partition::new(Arc::clone(sweep), partition);
        let (listing, streams) = (&partition.listing, partition.streams());
        let mut list = listing.list(BuildFilter {
            streams: streams.clone(),
            from: sweep.state.created_from,
            ..BuildFilter::default()
        });
        let began = Instant::now();
        while let Some(listed) = listing.next(&mut list).await? {
            let Listed::Build(build) = listed else { break };
            sample.builds += 1;
            for list in build
                .parent
                .iter()
                .flat_map(|it| it.lists(&sweep.scope, &streams))
            {
                *sample.lists.entry(list.stream().clone()).or_default() += 1;
            }
            for record in build.records {
                let (records, bytes) = sample.sizes.entry(record.stream).or_default();
                *records += 1;
                *bytes += record.data.as_str().len() as u64;
            }
        }
        sample.elapsed = began.elapsed();
        Ok(sample)
    }

    /// Records and bytes that this many builds have of a stream.
    pub(super) fn scaled(&self, stream: &StreamName, builds: u64) -> (u64, u64) {
        let (records, bytes) = self.sizes.get(stream).copied().unwrap_or_default();
        (self.scale(records, builds), self.scale(bytes, builds))
    }

    /// Lists of a stream below this many builds.
    pub(super) fn scaled_lists(&self, stream: &StreamName, builds: u64) -> u64 {
        let lists = self.lists.get(stream).copied().unwrap_or_default();
        self.scale(lists, builds)
    }

    fn scale(&self, measured: u64, builds: u64) -> u64 {
        let scaled = u128::from(measured) * u128::from(builds);
        let scaled = scaled.checked_div(u128::from(self.builds));
        u64::try_from(scaled.unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

//! One real page of the newest builds: how large they are, and how long it takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use buildkite_client::Listed;
use connector_core::{Result, StreamName};

use crate::pass::Pass;
use crate::pass::lists::Which;
use crate::pass::partition::Partition;
use crate::scope::Identified;

/// What a page showed.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) builds: u64,
    /// Of each stream: records and their bytes.
    sizes: BTreeMap<StreamName, (u64, u64)>,
    pub(super) elapsed: Duration,
}

impl Sample {
    /// Reads the newest page of a partition.
    ///
    /// # Errors
    /// Those of a read.
    pub(super) async fn read(
        pass: &Arc<Pass>,
        organization: String,
        pipeline: Option<Identified>,
    ) -> Result<Self> {
        let partition = Partition::new(Arc::clone(pass), organization, pipeline);
        let lists = &partition.lists;
        let mut list = lists.list(Which {
            streams: partition.streams(),
            from: pass.state.created_from,
            ..Which::default()
        });
        let mut sample = Self::default();
        let began = Instant::now();
        while let Some(listed) = lists.next(&mut list).await? {
            let Listed::Build(found) = listed else { break };
            sample.builds += 1;
            for record in found.records {
                let (records, bytes) = sample.sizes.entry(record.stream).or_default();
                *records += 1;
                *bytes += record.data.as_str().len() as u64;
            }
        }
        sample.elapsed = began.elapsed();
        Ok(sample)
    }

    /// Records and bytes that so many builds have of a stream.
    pub(super) fn scaled(&self, stream: &StreamName, builds: u64) -> (u64, u64) {
        let (records, bytes) = self.sizes.get(stream).copied().unwrap_or_default();
        let scale = |measured: u64| match self.builds {
            0 => 0,
            sampled => (u128::from(measured) * u128::from(builds) / u128::from(sampled)) as u64,
        };
        (scale(records), scale(bytes))
    }
}

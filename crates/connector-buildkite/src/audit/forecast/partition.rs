//! What reading one partition costs: the steps of [`Partition`], with counts in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkite_client::Listed;
use chrono::{DateTime, Utc};
use connector_core::{Result, StreamName};

use super::super::probe::CostProbe;
use crate::connection::PAGE;
use crate::error::in_stream;
use crate::source::state::Gap;
use crate::source::sweep::listing::BuildFilter;
use crate::source::sweep::partition::Partition;
use crate::source::sweep::search::OpenBuildSearch;
use crate::source::sweep::windows::PAGES_WORTH_CUTTING;
use crate::source::sweep::{PartitionRef, Sweep};

/// The new builds on a page, except the first: each begins with a build that has been read.
const FURTHER: u64 = PAGE - 1;
/// Up to this many pages of a list are read; a longer one is counted.
const MOST_PAGES: u64 = 10;
/// Requests for builds that were open and are in no list. The rest is estimated.
const MOST_SOUGHT: u64 = 20;

/// What reading one or several partitions costs.
#[derive(Debug, Default)]
pub(super) struct Cost {
    pub(super) requests: u64,
    /// How many builds each stream gets.
    pub(super) builds: BTreeMap<StreamName, u64>,
    /// What is not exact.
    pub(super) notes: BTreeSet<String>,
}

/// What reading a partition will cost.
///
/// # Errors
/// Those of a read.
pub(super) async fn estimate(
    probe: &CostProbe,
    sweep: &Arc<Sweep>,
    partition: PartitionRef,
) -> Result<Cost> {
    let estimator = Estimator {
        probe,
        partition: Partition::new(Arc::clone(sweep), partition),
        cost: Cost::default(),
    };
    estimator.estimate().await
}

impl Cost {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        for (stream, builds) in other.builds {
            *self.builds.entry(stream).or_default() += builds;
        }
        self.notes.extend(other.notes);
    }

    fn add_builds(&mut self, streams: &BTreeSet<StreamName>, builds: u64) {
        for stream in streams {
            let count = self.builds.entry(stream.clone()).or_default();
            *count = count.saturating_add(builds);
        }
    }
}

struct Estimator<'a> {
    probe: &'a CostProbe,
    partition: Partition,
    cost: Cost,
}

impl Estimator<'_> {
    async fn estimate(mut self) -> Result<Cost> {
        let is_first = self.partition.coverage.is_nothing();
        let since = self.partition.coverage.new_since();
        let before = self.probe.requests();
        self.partition.note_listed_pipelines().await?;
        self.cost.requests += self.probe.requests() - before;
        self.newest(since, is_first).await?;
        if let Some(since) = since.filter(|_| !is_first) {
            for filter in self.partition.changed_since(since) {
                self.changed(filter).await?;
            }
        }
        for gap in self.partition.windows.gaps() {
            self.gap(gap).await?;
        }
        self.sought().await?;
        Ok(self.cost)
    }

    /// New builds are listed where something is known already: they show what was open before, and
    /// pipelines that were renamed.
    async fn newest(&mut self, since: Option<DateTime<Utc>>, is_first: bool) -> Result<()> {
        let filter = BuildFilter {
            from: since,
            ..BuildFilter::default()
        };
        let builds = if is_first {
            self.count(filter).await?
        } else {
            self.look_through(filter).await?.1
        };
        if pages(builds) > MOST_PAGES {
            // Those that were not seen are among them.
            let unseen = &mut self.partition.unseen;
            unseen.retain(|_, build| since.is_some_and(|since| build.created_at < since));
        }
        self.add_window(&self.partition.streams(), builds);
        Ok(())
    }

    /// Builds that changed are listed if that may show some that were open. Otherwise they are
    /// counted.
    async fn changed(&mut self, filter: BuildFilter) -> Result<()> {
        let (pages, builds) = if self.partition.unseen.is_empty() {
            let builds = self.count(filter).await?;
            (pages(builds), builds)
        } else {
            self.look_through(filter).await?
        };
        if pages > MOST_PAGES && !self.partition.unseen.is_empty() {
            self.partition.unseen.clear();
            self.note("assumes that builds that were open are in a list that is too long to read");
        }
        self.cost.requests += pages;
        self.cost.add_builds(&self.partition.streams(), builds);
        Ok(())
    }

    /// Pages and builds of a list, read without jobs.
    async fn look_through(&mut self, filter: BuildFilter) -> Result<(u64, u64)> {
        let streams = self.partition.streams();
        let listing = self.partition.listing.clone();
        let mut list = listing.list(without_jobs(filter.clone()));
        let (mut read, mut builds) = (0, 0);
        while let Some(listed) = listing.next(&mut list).await? {
            match listed {
                Listed::Build(build) => {
                    builds += 1;
                    self.partition.note_build(build, &streams);
                }
                Listed::Unusable(_) => builds += 1,
                Listed::Page(page) => {
                    read += 1;
                    if read == MOST_PAGES && !page.is_end {
                        let builds = self.count(filter).await?;
                        return Ok((pages(builds), builds));
                    }
                }
            }
        }
        Ok((read, builds))
    }

    /// Builds that were open before and are in no list are looked for as in a read.
    async fn sought(&mut self) -> Result<()> {
        let sought = std::mem::take(&mut self.partition.unseen);
        let mut left: BTreeSet<_> = sought.keys().cloned().collect();
        let listing = self.partition.listing.clone();
        let slugs = self.partition.coverage.pipelines.clone();
        let mut search = OpenBuildSearch::new(&listing, &[], sought, slugs);
        let before = self.probe.requests();
        let mut found = 0;
        while let Some(mut list) = search.next_list().await? {
            while let Some(listed) = listing.next(&mut list).await? {
                if let Listed::Build(build) = listed {
                    found += 1;
                    search.found(&build.id);
                    left.remove(&build.id);
                }
            }
            if self.probe.requests() - before >= MOST_SOUGHT {
                self.cost.requests += left.len().saturating_sub(search.removed().count()) as u64;
                self.note("counts one request for each build that was open and is in no list");
                break;
            }
        }
        self.cost.requests += self.probe.requests() - before;
        self.cost.add_builds(&self.partition.streams(), found);
        Ok(())
    }

    async fn gap(&mut self, gap: Gap) -> Result<()> {
        let mut pipeline = None;
        if let Some(id) = &gap.pipeline {
            pipeline = self.slug_of(id).await?;
            if pipeline.is_none() {
                return Ok(());
            }
        }
        let filter = BuildFilter {
            pipeline,
            from: gap.from,
            to: Some(gap.to),
            ..BuildFilter::default()
        };
        let builds = self.count(filter).await?;
        self.add_window(&gap.streams, builds);
        if gap.pipeline.is_none() && gap.streams == self.partition.streams() {
            let is_in = |at| gap.from.is_none_or(|from| from <= at) && at < gap.to;
            let unseen = &mut self.partition.unseen;
            unseen.retain(|_, build| !is_in(build.created_at));
        }
        Ok(())
    }

    /// The slug that a pipeline has now; `None` if it was removed.
    async fn slug_of(&mut self, id: &str) -> Result<Option<String>> {
        let before = self.probe.requests();
        let Partition {
            listing, coverage, ..
        } = &self.partition;
        let slug = listing.slug_of(id, coverage.pipelines.get(id)).await;
        let slug = slug.map_err(in_stream(&listing.stream))?;
        self.cost.requests += self.probe.requests() - before;
        Ok(slug)
    }

    /// A window of this many builds, read side by side if it is large. Each cut ends another list,
    /// and so leaves another page that is not full.
    fn add_window(&mut self, streams: &BTreeSet<StreamName>, builds: u64) {
        let halves = builds.saturating_sub(PAGE) / (PAGES_WORTH_CUTTING * PAGE);
        let cuts = halves.min(self.probe.max_concurrency as u64 - 1);
        self.cost.requests += pages(builds) + cuts;
        self.cost.add_builds(streams, builds);
    }

    /// How many builds a list has; a page of them if the server does not tell.
    async fn count(&mut self, filter: BuildFilter) -> Result<u64> {
        let count = self.partition.listing.count(without_jobs(filter)).await?;
        if count.is_none() {
            self.note("the server does not tell how many builds there are: it may be far more");
        }
        Ok(count.unwrap_or(PAGE))
    }

    fn note(&mut self, note: &str) {
        self.cost.notes.insert(note.to_owned());
    }
}

fn without_jobs(filter: BuildFilter) -> BuildFilter {
    BuildFilter {
        streams: BTreeSet::new(),
        ..filter
    }
}

/// How many pages a list of this many builds has.
fn pages(builds: u64) -> u64 {
    1 + builds.saturating_sub(PAGE).div_ceil(FURTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_but_the_first_repeats_a_build() {
        for (builds, expected) in [
            (0, 1),
            (100, 1),
            (101, 2),
            (199, 2),
            (200, 3),
            (20_000, 203),
        ] {
            assert_eq!(pages(builds), expected, "{builds}");
        }
    }
}

//! What reading one partition costs: the steps of [`Partition`], with counts in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkite_client::Listed;
use chrono::{DateTime, Utc};
use connector_core::{Result, StreamName};

use crate::inquiry::Inquiry;
use crate::pass::Pass;
use crate::pass::lists::Which;
use crate::pass::partition::Partition;
use crate::pass::unseen::Search;
use crate::scope::Identified;
use crate::state::Gap;

/// Builds on a page.
const PAGE: u64 = 100;
/// The same but for the first page: each begins with a build that has been read.
const FURTHER: u64 = PAGE - 1;
/// Where lists are read, so many of their pages; longer ones are counted.
const MOST_PAGES: u64 = 10;
/// Requests for builds that were open and have been seen nowhere; the rest is estimated.
const MOST_SOUGHT: u64 = 20;

/// What reading a partition, or several, costs.
#[derive(Debug, Default)]
pub(super) struct Cost {
    pub(super) requests: u64,
    /// How many builds each stream gets.
    pub(super) builds: BTreeMap<StreamName, u64>,
    /// What could not be told exactly.
    pub(super) notes: BTreeSet<String>,
}

/// What reading a partition will cost.
///
/// # Errors
/// Those of a read.
pub(super) async fn reckon(
    inquiry: &Inquiry,
    pass: &Arc<Pass>,
    organization: &str,
    pipeline: Option<Identified>,
) -> Result<Cost> {
    let reckoner = Reckoner {
        inquiry,
        worth_cutting: pass.rules.worth_cutting,
        partition: Partition::new(Arc::clone(pass), organization.to_owned(), pipeline),
        cost: Cost::default(),
    };
    reckoner.reckon().await
}

impl Cost {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        for (stream, builds) in other.builds {
            *self.builds.entry(stream).or_default() += builds;
        }
        self.notes.extend(other.notes);
    }

    fn builds(&mut self, streams: &BTreeSet<StreamName>, builds: u64) {
        for stream in streams {
            *self.builds.entry(stream.clone()).or_default() += builds;
        }
    }
}

struct Reckoner<'a> {
    inquiry: &'a Inquiry,
    worth_cutting: u64,
    partition: Partition,
    cost: Cost,
}

impl Reckoner<'_> {
    async fn reckon(mut self) -> Result<Cost> {
        let is_first = self.partition.coverage.is_nothing();
        let since = self.partition.since();
        let before = self.inquiry.asked();
        self.partition.note_pipelines_read().await?;
        self.cost.requests += self.inquiry.asked() - before;
        self.newest(since, is_first).await?;
        if let Some(since) = since.filter(|_| !is_first) {
            for which in self.partition.changed_since(since) {
                self.changed(which).await?;
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
        let which = Which {
            from: since,
            ..Which::default()
        };
        let builds = match is_first {
            true => self.count(which).await?,
            false => self.look_through(which).await?.1,
        };
        if pages(builds) > MOST_PAGES {
            // Those that were not looked at are there as well.
            let unseen = &mut self.partition.unseen;
            unseen.retain(|_, build| since.is_some_and(|since| build.created_at < since));
        }
        self.window(&self.partition.streams(), builds);
        Ok(())
    }

    /// Builds that changed are listed if that may show some that were open, and counted otherwise.
    async fn changed(&mut self, which: Which) -> Result<()> {
        let (pages, builds) = match self.partition.unseen.is_empty() {
            true => {
                let builds = self.count(which).await?;
                (pages(builds), builds)
            }
            false => self.look_through(which).await?,
        };
        if pages > MOST_PAGES && !self.partition.unseen.is_empty() {
            self.partition.unseen.clear();
            self.note("builds that were open were taken to be in a list that is too long to read");
        }
        self.cost.requests += pages;
        self.cost.builds(&self.partition.streams(), builds);
        Ok(())
    }

    /// Pages and builds of a list, read without jobs.
    async fn look_through(&mut self, which: Which) -> Result<(u64, u64)> {
        let streams = self.partition.streams();
        let lists = self.partition.lists.clone();
        let mut list = lists.list(without_jobs(which.clone()));
        let (mut read, mut builds) = (0, 0);
        while let Some(listed) = lists.next(&mut list).await? {
            match listed {
                Listed::Build(found) => {
                    builds += 1;
                    self.partition.take(found, &streams);
                }
                Listed::Unusable(_) => builds += 1,
                Listed::Page(page) => {
                    read += 1;
                    if read == MOST_PAGES && !page.is_end {
                        let builds = self.count(which).await?;
                        return Ok((pages(builds), builds));
                    }
                }
            }
        }
        Ok((read, builds))
    }

    /// What was open before and is in no list is looked for as a read does it.
    async fn sought(&mut self) -> Result<()> {
        let sought = std::mem::take(&mut self.partition.unseen);
        let mut left: BTreeSet<_> = sought.keys().cloned().collect();
        let lists = self.partition.lists.clone();
        let slugs = self.partition.coverage.pipelines.clone();
        let mut search = Search::new(&lists, &[], sought, slugs);
        let before = self.inquiry.asked();
        let mut found = 0;
        while let Some(mut list) = search.next_list().await? {
            while let Some(listed) = lists.next(&mut list).await? {
                if let Listed::Build(build) = listed {
                    found += 1;
                    search.found(&build.id);
                    left.remove(&build.id);
                }
            }
            if self.inquiry.asked() - before >= MOST_SOUGHT {
                self.cost.requests += left.len().saturating_sub(search.gone().count()) as u64;
                self.note("builds that were open and are in no list were counted one request each");
                break;
            }
        }
        self.cost.requests += self.inquiry.asked() - before;
        self.cost.builds(&self.partition.streams(), found);
        Ok(())
    }

    async fn gap(&mut self, gap: Gap) -> Result<()> {
        let pipeline = match &gap.pipeline {
            None => None,
            Some(id) => {
                let before = self.inquiry.asked();
                let slug = self.partition.slug_of(id).await?;
                self.cost.requests += self.inquiry.asked() - before;
                match slug {
                    None => return Ok(()),
                    slug => slug,
                }
            }
        };
        let which = Which {
            pipeline,
            from: gap.from,
            to: Some(gap.to),
            ..Which::default()
        };
        let builds = self.count(which).await?;
        self.window(&gap.streams, builds);
        if gap.pipeline.is_none() && gap.streams == self.partition.streams() {
            let is_in = |at| gap.from.is_none_or(|from| from <= at) && at < gap.to;
            let unseen = &mut self.partition.unseen;
            unseen.retain(|_, build| !is_in(build.created_at));
        }
        Ok(())
    }

    /// A window of so many builds, read side by side if it is large. Each cut ends another list,
    /// and so leaves another page that is not full.
    fn window(&mut self, streams: &BTreeSet<StreamName>, builds: u64) {
        let halves = builds.saturating_sub(PAGE) / self.worth_cutting.max(1);
        let cuts = halves.min(self.inquiry.max_concurrency as u64 - 1);
        self.cost.requests += pages(builds) + cuts;
        self.cost.builds(streams, builds);
    }

    /// How many builds a list has; a page of them if the server does not tell.
    async fn count(&mut self, which: Which) -> Result<u64> {
        let lists = &self.partition.lists;
        let query = lists.query(without_jobs(which));
        match lists.client.count_builds(&query).await {
            Ok(Some(count)) => Ok(count),
            Ok(None) => {
                self.note("the server does not tell how many builds there are: it may be far more");
                Ok(PAGE)
            }
            Err(error) => Err(lists.explain(error).await),
        }
    }

    fn note(&mut self, note: &str) {
        self.cost.notes.insert(note.to_owned());
    }
}

fn without_jobs(which: Which) -> Which {
    Which {
        streams: BTreeSet::new(),
        ..which
    }
}

/// How many pages a list of so many builds has.
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

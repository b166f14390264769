//! Where the copy will be after all parts: the end of a divided read.
//!
//! The order of the requests matters. The pipelines come first: one that becomes visible after that
//! is not known to the end, and the next read reads all of it. Then the newest builds tell the
//! moment that the end answers for. Then come the builds that are open: each that ends before
//! it is listed ends after that moment, and the next read sees it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use buildkite_client::{Listed, ListingProgress};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Error, ErrorKind, Result};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::cuts::cut;
use super::gaps::gaps;
use crate::error::explain;
use crate::source::overlap;
use crate::source::scope::{NO_SLUG, PipelineRef, Slugs};
use crate::source::state::{Coverage, Cut, Cuts, OpenBuild, SweepEnd, SweepState};
use crate::source::sweep::build::{ReadBuild, Settledness};
use crate::source::sweep::listing::{BuildFilter, Listing};
use crate::source::sweep::marks::{OPEN_OR_BLOCKED, mark};
use crate::source::sweep::{PartitionRef, Sweep};
use crate::streams::OPEN_STATES;

/// Blocked builds alone.
const BLOCKED: &[&str] = &["blocked"];

/// The end of a sweep that is divided into up to `at_most` parts.
///
/// # Errors
/// Those of a read.
pub(crate) async fn plan_end(sweep: Sweep, at_most: NonZeroUsize) -> Result<SweepEnd> {
    let partitions = sweep.partitions().await?;
    let (mut state, mut cuts) = (sweep.state.clone(), Cuts::new());
    state.partitions.clear();
    let max_concurrency = sweep.max_concurrency;
    let sweep = Arc::new(sweep);
    let planned = stream::iter(partitions)
        .map(|partition| plan_partition(Arc::clone(&sweep), partition, at_most))
        .buffer_unordered(max_concurrency);
    let planned: Vec<_> = planned.try_collect().await?;
    for (key, coverage, own_cuts) in planned.into_iter().flatten() {
        state.partitions.insert(key.clone(), coverage);
        cuts.insert(key, own_cuts);
    }
    // What is not there now stays known: the next read that is not divided marks what is open.
    for (key, known) in &sweep.state.partitions {
        let organization = key.split_once('/').map_or(key.as_str(), |(of, _)| of);
        let partitions = &mut state.partitions;
        if !partitions.contains_key(key) && !partitions.contains_key(organization) {
            let is_carried = true;
            let carried = Coverage {
                is_carried,
                ..known.clone()
            };
            partitions.insert(key.clone(), carried);
        }
    }
    Ok(SweepEnd { state, cuts })
}

/// The end of a partition; `None` if there is nothing to read.
async fn plan_partition(
    sweep: Arc<Sweep>,
    partition: PartitionRef,
    at_most: NonZeroUsize,
) -> Result<Option<(String, Coverage, Vec<Cut>)>> {
    let key = partition.key();
    let before = sweep
        .state
        .coverage(&partition.organization, partition.pipeline.as_ref());
    let planner = Planner {
        listing: sweep.listing(&partition),
        before: before.unwrap_or_else(|| Coverage::nothing(sweep.state.created_from)),
        state: &sweep.state,
        latest: None,
        newest_created: None,
        seen_slugs: BTreeMap::new(),
    };
    let in_stream = |error: Error| error.with_context("stream", &sweep.state.streams()[0]);
    let planned = planner.plan(&partition, at_most).await.map_err(in_stream)?;
    Ok(planned.map(|(coverage, cuts)| (key, coverage, cuts)))
}

struct Planner<'a> {
    listing: Listing,
    /// What the copy has before.
    before: Coverage,
    state: &'a SweepState,
    /// The latest time that the server wrote into a build read so far.
    latest: Option<DateTime<Utc>>,
    /// When the newest build was created.
    newest_created: Option<DateTime<Utc>>,
    /// The pipelines of builds read so far.
    seen_slugs: Slugs,
}

impl Planner<'_> {
    async fn plan(
        mut self,
        partition: &PartitionRef,
        at_most: NonZeroUsize,
    ) -> Result<Option<(Coverage, Vec<Cut>)>> {
        let listed = self.list_pipelines(partition).await?;
        let (first, page) = self.newest().await?;
        self.before.expect_past(first.server_time)?;
        let mut end = Coverage {
            missing: Vec::new(),
            open: BTreeMap::new(),
            listed: BTreeMap::new(),
            is_lost: false,
            is_carried: false,
            ..self.before.clone()
        };
        // The clock of the answers may be behind that of the builds. All that is there is read.
        let top = mark(&first, self.latest).max(self.newest_created);
        end.top = end.top.max(top.unwrap_or(end.top));
        if end.is_nothing() {
            return Ok(None);
        }
        end.blocked_are_open |= self.blocked_have_no_end().await?;
        end.open = self.open(end.blocked_are_open).await?;
        self.keep_finished(&mut end.open).await?;
        if let Some(mark) = mark(&first, self.latest) {
            end.synced = end.synced.max(mark);
        }
        end.pipelines = self.pipelines(listed).await?;
        self.keep_of_removed(&mut end);
        // The lists of the planning leave jobs out.
        for (id, build) in &mut end.open {
            let known = self.before.open.get(id);
            build.jobs = known.map(|known| known.jobs.clone()).unwrap_or_default();
        }
        let streams = self.state.streams().iter().cloned().collect();
        let gaps = gaps(&self.before, &end, &streams);
        let cuts = cut(&self.listing, &gaps, page, at_most).await?;
        Ok(Some((end, cuts)))
    }

    /// All pipelines; `None` if the token may not list them.
    async fn list_pipelines(&self, partition: &PartitionRef) -> Result<Option<Slugs>> {
        if let Some(pipeline) = &partition.pipeline {
            let PipelineRef { id, slug } = pipeline.clone();
            return Ok(Some([(id, slug)].into()));
        }
        let Listing { client, scope, .. } = &self.listing;
        let listed = scope.list_pipelines(client, &partition.organization).await;
        match listed {
            Ok(listed) => Ok(Some(listed)),
            Err(error) if error.kind() == ErrorKind::Permission => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(scope.unknown(client, &partition.organization).await)
            }
            Err(error) => Err(error),
        }
    }

    /// The first page of the newest builds, and how many it holds.
    async fn newest(&mut self) -> Result<(ListingProgress, u64)> {
        let mut list = self.listing.list(BuildFilter {
            from: self.state.created_from,
            ..BuildFilter::default()
        });
        let mut builds = 0;
        while let Some(listed) = self.listing.next(&mut list).await? {
            match listed {
                Listed::Build(build) => {
                    builds += 1;
                    let created_at = Some(build.build.created_at);
                    self.newest_created = self.newest_created.max(created_at);
                    self.note(&build);
                }
                Listed::Unusable(_) => builds += 1,
                Listed::Page(page) => return Ok((page, builds)),
            }
        }
        let message = "a list ended without an end of its page";
        Err(Error::new(ErrorKind::Internal, message))
    }

    /// Whether blocked builds have no end on this server, as far as one page shows.
    async fn blocked_have_no_end(&mut self) -> Result<bool> {
        if self.before.blocked_are_open {
            return Ok(true);
        }
        let mut list = self.listing.list(self.of_states(BLOCKED));
        while let Some(Listed::Build(build)) = self.listing.next(&mut list).await? {
            self.note(&build);
            if build.settledness == Settledness::BlockedWithoutEnd {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The builds that are open now.
    async fn open(&mut self, with_blocked: bool) -> Result<BTreeMap<String, OpenBuild>> {
        let states = if with_blocked {
            OPEN_OR_BLOCKED
        } else {
            OPEN_STATES
        };
        let mut list = self.listing.list(self.of_states(states));
        let mut open = BTreeMap::new();
        while let Some(listed) = self.listing.next(&mut list).await? {
            if let Listed::Build(build) = listed {
                self.note(&build);
                if build.settledness != Settledness::Settled {
                    open.insert(build.id, build.build);
                }
            }
        }
        Ok(open)
    }

    /// Builds that were open at the last read and have finished since stay listed: until the parts
    /// are read, the copy has them as open.
    async fn keep_finished(&mut self, open: &mut BTreeMap<String, OpenBuild>) -> Result<()> {
        let is_unseen = |(id, _): &(&String, &OpenBuild)| !open.contains_key(*id);
        let unseen = self.before.open.iter().filter(is_unseen);
        let mut unseen: BTreeMap<_, _> = unseen
            .map(|(id, build)| (id.clone(), build.clone()))
            .collect();
        let times = || unseen.values().map(|build| build.created_at);
        let (Some(from), Some(to)) = (times().min(), times().max()) else {
            return Ok(());
        };
        let mut list = self.listing.list(BuildFilter {
            from: Some(from),
            to: Some(to + TimeDelta::seconds(1)),
            finished_from: Some(self.before.synced - overlap::FINISHED),
            ..BuildFilter::default()
        });
        while !unseen.is_empty()
            && let Some(listed) = self.listing.next(&mut list).await?
        {
            if let Listed::Build(build) = listed {
                self.note(&build);
                open.extend(unseen.remove_entry(&build.id));
            }
        }
        Ok(())
    }

    /// The pipelines that the end knows.
    async fn pipelines(&self, listed: Option<Slugs>) -> Result<Slugs> {
        let Some(mut pipelines) = listed else {
            let mut known = self.before.pipelines.clone();
            known.extend(self.seen_slugs.clone());
            return Ok(known);
        };
        let Listing {
            client,
            organization,
            scope,
            ..
        } = &self.listing;
        for (id, slug) in &self.before.pipelines {
            if pipelines.contains_key(id) {
                continue;
            }
            // Lists that are paged by number may leave one out.
            let is_there = slug != NO_SLUG
                && scope
                    .has_pipeline(client, organization, id, slug)
                    .await
                    .map_err(explain)?;
            let slug = if is_there { slug } else { NO_SLUG };
            pipelines.insert(id.clone(), slug.to_owned());
        }
        Ok(pipelines)
    }

    /// Open builds of a pipeline that was removed since the last read stay listed: it may be hidden
    /// only for now.
    fn keep_of_removed(&self, end: &mut Coverage) {
        let has_slug = |slugs: &Slugs, id: &str| slugs.get(id).is_some_and(|slug| slug != NO_SLUG);
        for (id, build) in &self.before.open {
            let pipeline = &build.pipeline;
            if has_slug(&self.before.pipelines, pipeline) && !has_slug(&end.pipelines, pipeline) {
                end.open.insert(id.clone(), build.clone());
            }
        }
    }

    fn of_states(&self, states: &'static [&'static str]) -> BuildFilter {
        BuildFilter {
            from: self.state.created_from,
            states,
            ..BuildFilter::default()
        }
    }

    fn note(&mut self, build: &ReadBuild) {
        self.latest = self.latest.max(Some(build.latest));
        if let Some(id) = &build.pipeline_id {
            let slug = build.pipeline_slug.clone();
            self.seen_slugs.insert(id.clone(), slug);
        }
    }
}

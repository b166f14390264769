//! One partition, from its first request to its last.
//!
//! Nothing in the API tells that a build changed, and finished is not final (API facts 9.3). So a
//! read lists, in this order:
//!
//! 1. what is **new**: created since the last read, less an overlap. Only the first page; the rest
//!    is a gap like any other;
//! 2. what is **open now**, of the builds created before: it may have been finished before;
//! 3. what **finished since** the last read, of the same builds, less an overlap;
//! 4. the **gaps**, newest first, see [`Windows`];
//! 5. what was **open before** and has not been seen since, see [`OpenBuildSearch`].
//!
//! The order of 2 and 3 matters: a build that has ended before 2 reaches it has an end when 3 does.
//! A build that changes after it was read ends, or is open, after this read began, so the next
//! read sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_stream::try_stream;
use buildkite_client::{Error as ClientError, Listed, LowerBound};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use connector_core::{Error, ErrorKind, Result, StreamName};
use futures::stream::{BoxStream, StreamExt};

use super::item::{Item, Page};
use super::listing::{BuildFilter, BuildList, Listing};
use super::search::OpenBuildSearch;
use super::windows::{FromWindow, Windows};
use super::{PartitionRef, Sweep};
use crate::source::overlap;
use crate::source::scope::Slugs;
use crate::source::state::{Coverage, Gap, OpenBuild, UnusableBuild};

/// A pipeline that is not found this many times in one read is given up.
pub(crate) const MOST_TRIES: u32 = 3;

/// A partition that is being read.
pub(crate) struct Partition {
    pub(super) sweep: Arc<Sweep>,
    key: String,
    pub(crate) listing: Listing,
    /// What the copy has; its gaps are those of `windows`.
    pub(crate) coverage: Coverage,
    pub(crate) windows: Windows,
    /// Builds that were open when the read began and have not been seen since.
    pub(crate) unseen: BTreeMap<String, OpenBuild>,
    /// Builds that earlier reads could not use, to be tried again.
    unusable_before: Vec<UnusableBuild>,
    /// When the build before the next one of a list was created.
    pub(super) newer: Option<DateTime<Utc>>,
    /// Earlier reads have read what was created before this, apart from gaps.
    pub(super) known_before: Option<DateTime<Utc>>,
    /// How many times pipelines, by id, were not found under the slug they should have.
    not_found: BTreeMap<String, u32>,
    /// The latest time that the server wrote into a build read so far.
    pub(super) latest: Option<DateTime<Utc>>,
    pub(super) builds_read: u64,
}

impl Partition {
    pub(crate) fn new(sweep: Arc<Sweep>, partition: PartitionRef) -> Self {
        let key = partition.key();
        let listing = sweep.listing(&partition);
        let PartitionRef {
            organization,
            pipeline,
        } = partition;
        let known = sweep.state.coverage(&organization, pipeline.as_ref());
        let mut coverage = known.unwrap_or_else(|| Coverage::nothing(sweep.state.created_from));
        let besides = sweep.state.open_besides(&organization, pipeline.as_ref());
        coverage.add_open(besides);
        let mut partition = Self {
            windows: Windows::new(coverage.missing.clone(), sweep.max_concurrency),
            key,
            listing,
            unseen: coverage.open.clone(),
            unusable_before: coverage.unusable.clone(),
            newer: None,
            known_before: coverage.new_since().filter(|_| !coverage.is_nothing()),
            coverage,
            not_found: BTreeMap::new(),
            latest: None,
            builds_read: 0,
            sweep,
        };
        if let Some(pipeline) = pipeline {
            partition.note_selected_pipeline(&pipeline);
        }
        partition
    }

    /// Reads all of it.
    pub(crate) fn read(mut self) -> BoxStream<'static, Result<Item>> {
        let items = try_stream! {
            let (is_first, since) = (self.coverage.is_nothing(), self.coverage.new_since());
            self.note_listed_pipelines().await?;
            self.open_newest(since);
            let first = loop {
                match self.windows.next().await {
                    Some(FromWindow::Build(build, streams)) => {
                        for item in self.take(build, &streams) {
                            yield item;
                        }
                    }
                    Some(FromWindow::Unusable(unusable, after)) => self.note_unusable(&unusable, after),
                    Some(FromWindow::Page(page)) => break page,
                    Some(FromWindow::Failed(_, error)) => Err(self.listing.explain(error).await)?,
                    None => Err(ended())?,
                }
            };
            self.begin(&first)?;
            yield self.page(0);

            if let Some(since) = since.filter(|_| !is_first) {
                for filter in self.changed_since(since) {
                    let mut list = self.listing.list(filter);
                    while let Some(listed) = self.listing.next(&mut list).await? {
                        for item in self.take_listed(listed) {
                            yield item;
                        }
                    }
                }
                self.has_seen_changes(&first);
                yield self.page(0);
            }

            self.fill_windows();
            while let Some(read) = self.windows.next().await {
                match read {
                    FromWindow::Build(build, streams) => {
                        for item in self.take(build, &streams) {
                            yield item;
                        }
                    }
                    FromWindow::Unusable(unusable, after) => self.note_unusable(&unusable, after),
                    FromWindow::Page(_) => {
                        self.fill_windows();
                        yield self.page(0);
                    }
                    FromWindow::Failed(gap, error) => {
                        self.try_again(*gap, error).await?;
                        self.fill_windows();
                    }
                }
            }

            for unusable in std::mem::take(&mut self.unusable_before) {
                let mut list = self.list_again(&unusable);
                while let Some(listed) = self.listing.next(&mut list).await? {
                    if matches!(listed, Listed::Page(_)) {
                        if unusable.created_at.is_some() { continue } else { break }
                    }
                    for item in self.take_listed(listed) {
                        yield item;
                    }
                }
            }

            let mut search = self.search();
            while let Some(mut list) = search.next_list().await? {
                while let Some(listed) = self.listing.next(&mut list).await? {
                    search.note(&listed);
                    for item in self.take_listed(listed) {
                        yield item;
                    }
                }
            }
            yield self.forget(&search);
            yield self.page(0);
        };
        items.boxed()
    }

    pub(crate) fn streams(&self) -> BTreeSet<StreamName> {
        self.sweep.state.streams().iter().cloned().collect()
    }

    fn open_newest(&mut self, since: Option<DateTime<Utc>>) {
        let gap = Gap {
            streams: self.streams(),
            pipeline: None,
            from: since,
            to: DateTime::<Utc>::MAX_UTC,
        };
        let lower_bound = LowerBound::default();
        let list = self.listing.list(BuildFilter {
            streams: gap.streams.clone(),
            from: since,
            lower_bound: lower_bound.clone(),
            ..BuildFilter::default()
        });
        self.windows.open(gap, lower_bound, list);
    }

    /// Looks for what was open before and has not been seen since.
    fn search(&mut self) -> OpenBuildSearch {
        let unseen = std::mem::take(&mut self.unseen);
        let slugs = self.coverage.pipelines.clone();
        OpenBuildSearch::new(&self.listing, self.sweep.state.streams(), unseen, slugs)
    }

    /// Builds that were removed are no longer looked for. A pipeline that comes back is read again.
    fn forget(&mut self, search: &OpenBuildSearch) -> Item {
        for id in search.removed() {
            self.coverage.open.remove(id);
        }
        for id in search.removed_pipelines() {
            self.note_removed_pipeline(id);
        }
        Item::Records(search.records())
    }

    /// Begins to read as many gaps as there is room for.
    fn fill_windows(&mut self) {
        while let Some(gap) = self.windows.next_gap() {
            let lower_bound = LowerBound::default();
            let list = open_gap(&self.listing, &gap, &lower_bound, &self.coverage.pipelines);
            self.windows.open(gap, lower_bound, list);
        }
    }

    /// A pipeline that is not found under its slug may just have got another one. If it is not
    /// found for good it is given up; should it come back, it is read.
    async fn try_again(&mut self, gap: Gap, error: ClientError) -> Result<()> {
        let is_missing = matches!(error, ClientError::NotFound { .. });
        let Some(id) = gap.pipeline.clone().filter(|_| is_missing) else {
            return Err(self.listing.explain(error).await);
        };
        let tries = self.not_found.entry(id.clone()).or_default();
        *tries += 1;
        if *tries == MOST_TRIES {
            self.give_up(&id);
            return Ok(());
        }
        self.sweep.scope.forget_pipelines();
        self.windows.add(gap);
        Ok(())
    }

    /// A page ended: this is what the copy has now.
    pub(super) fn page(&mut self, left: u64) -> Item {
        self.place_unusable();
        self.coverage.missing = self.windows.gaps();
        for gap in &mut self.coverage.missing {
            // What lies above is new to the next read anyway.
            gap.to = gap.to.min(self.coverage.top + TimeDelta::milliseconds(1));
        }
        let missing = &mut self.coverage.missing;
        missing.retain(|gap| gap.from.is_none_or(|from| from < gap.to));
        let is_known = !self.coverage.is_nothing();
        if is_known {
            let read_again = self.coverage.top.min(self.coverage.synced);
            let read_again = read_again - (overlap::CREATED + overlap::FINISHED);
            self.coverage.forget_listed_before(read_again);
        }
        Item::Page(Page {
            partition: self.key.clone(),
            coverage: is_known.then(|| Box::new(self.coverage.clone())),
            builds_read: self.builds_read,
            builds_left: left.saturating_add(self.windows.left()),
        })
    }
}

/// The list of a gap, of a partition whose pipelines are known by these slugs.
pub(crate) fn open_gap(
    listing: &Listing,
    gap: &Gap,
    lower_bound: &LowerBound,
    slugs: &Slugs,
) -> BuildList {
    let filter = BuildFilter {
        streams: gap.streams.clone(),
        from: gap.from,
        // A server that cuts times to the second must not cut builds off.
        to: Some(second_after(gap.to)),
        lower_bound: lower_bound.clone(),
        ..BuildFilter::default()
    };
    match &gap.pipeline {
        None => listing.list(filter),
        Some(id) => listing.list_pipeline(filter, id.clone(), slugs.get(id).cloned()),
    }
}

fn ended() -> Error {
    let message = "a list ended without an end of its page";
    Error::new(ErrorKind::Internal, message)
}

/// The first whole second after a moment.
fn second_after(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at) + TimeDelta::seconds(1)
}

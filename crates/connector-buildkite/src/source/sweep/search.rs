//! Builds that were open and are in no list of what is new, open or finished: they were skipped,
//! did not run, or were removed.

use std::collections::{BTreeMap, BTreeSet};

use buildkite_client::{Error as ClientError, Listed};
use chrono::TimeDelta;
use connector_core::{Record, Result, StreamName};

use super::build::ReadBuild;
use super::listing::{BuildFilter, BuildList, Listing};
use crate::connection::PAGE;
use crate::source::scope::Slugs;
use crate::source::state::OpenBuild;
use crate::streams::{BUILDS, JOBS, removed};

/// States that a build may come to without an end (API facts 22).
const STATES_WITHOUT_END: &[&str] = &["skipped", "not_run", "canceled"];
/// From this number of builds on it may pay to request all builds of these states together.
const MANY: usize = 4;
/// A list of this length holds a build if there is one: times may be cut to the second.
pub(crate) const MOMENT: TimeDelta = TimeDelta::seconds(1);

/// The API has the pipeline, but not the build: its retention time is over (API facts 5.3).
const AGED_OUT: &str = "aged_out";
/// The API does not even have the pipeline: it was deleted, or is hidden from the token. The answer
/// is the same for both (API facts 2.4).
pub(super) const PIPELINE_REMOVED: &str = "pipeline_deleted_or_hidden";

/// Looks for builds one by one, or for many at once where that is cheaper.
pub(crate) struct OpenBuildSearch {
    listing: Listing,
    streams: BTreeSet<StreamName>,
    left: BTreeMap<String, OpenBuild>,
    has_requested_many: bool,
    /// The build that the last list was for.
    current: Option<(String, OpenBuild)>,
    /// The builds that were removed, each with the reason.
    removed: Vec<(String, OpenBuild, &'static str)>,
    /// The pipelines that are known.
    slugs: Slugs,
    /// Why builds of a pipeline are removed, by its id.
    reasons: BTreeMap<String, &'static str>,
}

impl OpenBuildSearch {
    pub(crate) fn new(
        listing: &Listing,
        streams: &[StreamName],
        unseen: BTreeMap<String, OpenBuild>,
        slugs: Slugs,
    ) -> Self {
        Self {
            listing: listing.clone(),
            streams: streams.iter().cloned().collect(),
            left: unseen,
            has_requested_many: false,
            current: None,
            removed: Vec::new(),
            slugs,
            reasons: BTreeMap::new(),
        }
    }

    /// The next list to read; `None` once every build was found or is known to be removed.
    pub(crate) async fn next_list(&mut self) -> Result<Option<BuildList>> {
        if let Some((id, build)) = self.current.take() {
            let reason = self.reason(&build).await?;
            self.removed.push((id, build, reason));
        }
        if !std::mem::replace(&mut self.has_requested_many, true)
            && let Some(filter) = self.many().await?
        {
            return Ok(Some(self.listing.list(filter)));
        }
        while let Some((id, build)) = self.left.pop_first() {
            if self.reasons.get(&build.pipeline) == Some(&PIPELINE_REMOVED) {
                self.removed.push((id, build, PIPELINE_REMOVED));
                continue;
            }
            let filter = BuildFilter {
                from: Some(build.created_at),
                to: Some(build.created_at + MOMENT),
                ..self.filter()
            };
            self.current = Some((id, build));
            return Ok(Some(self.listing.list(filter)));
        }
        Ok(None)
    }

    /// An item of a list, whatever the list is for. An unusable build that does not tell its id
    /// may be the one that is looked for.
    pub(crate) fn note(&mut self, listed: &Listed<ReadBuild>) {
        match listed {
            Listed::Build(build) => self.found(&build.id),
            Listed::Unusable(unusable) => match &unusable.id {
                Some(id) => self.found(id),
                None => self.current = None,
            },
            Listed::Page(_) => {}
        }
    }

    /// A build was found.
    pub(crate) fn found(&mut self, id: &str) {
        self.left.remove(id);
        if self.current.as_ref().is_some_and(|(known, _)| known == id) {
            self.current = None;
        }
    }

    /// The ids of the builds that were removed.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &str> {
        self.removed.iter().map(|(id, ..)| id.as_str())
    }

    /// The ids of pipelines that were removed.
    pub(crate) fn removed_pipelines(&self) -> impl Iterator<Item = &str> {
        let reasons = self.reasons.iter();
        let removed = reasons.filter(|(_, reason)| **reason == PIPELINE_REMOVED);
        removed.map(|(id, _)| id.as_str())
    }

    /// The news of the builds that were removed and of their jobs, for the copy.
    pub(crate) fn records(&self) -> Vec<Record> {
        let removed = self.removed.iter();
        removed
            .flat_map(|(id, build, reason)| tombstones(&self.streams, id, build, reason))
            .collect()
    }

    fn filter(&self) -> BuildFilter {
        BuildFilter {
            streams: self.streams.clone(),
            ..BuildFilter::default()
        }
    }

    /// All builds that ended without an end, created at the time of those that are left, if
    /// requesting them costs less than requesting each.
    async fn many(&self) -> Result<Option<BuildFilter>> {
        let times = || self.left.values().map(|build| build.created_at);
        let (Some(from), Some(to)) = (times().min(), times().max()) else {
            return Ok(None);
        };
        if self.left.len() < MANY {
            return Ok(None);
        }
        let filter = BuildFilter {
            from: Some(from),
            to: Some(to + MOMENT),
            states: STATES_WITHOUT_END,
            ..self.filter()
        };
        let count = self.listing.count(filter.clone()).await?;
        let is_cheaper = |count: &u64| count.div_ceil(PAGE) < self.left.len() as u64;
        Ok(count.filter(is_cheaper).map(|_| filter))
    }

    /// Why a build is no longer there.
    async fn reason(&mut self, build: &OpenBuild) -> Result<&'static str> {
        let id = &build.pipeline;
        if let Some(reason) = self.reasons.get(id) {
            return Ok(reason);
        }
        let known = self.slugs.get(id);
        let reason = match self.listing.slug_of(id, known).await {
            Ok(Some(_)) => AGED_OUT,
            // The answer left the id of its pipeline out.
            Ok(None) if self.listing.lists_slug(id) => AGED_OUT,
            Ok(None) => PIPELINE_REMOVED,
            Err(ClientError::Forbidden { .. }) if known.is_none() => AGED_OUT,
            Err(error) => return Err(self.listing.explain(error).await),
        };
        self.reasons.insert(id.clone(), reason);
        Ok(reason)
    }
}

/// The news that a build was removed, and its jobs with it, for these streams.
pub(super) fn tombstones(
    streams: &BTreeSet<StreamName>,
    id: &str,
    build: &OpenBuild,
    reason: &'static str,
) -> Vec<Record> {
    let of_build = streams
        .get(BUILDS)
        .map(|stream| removed(stream.clone(), id, reason));
    let of_jobs = streams.get(JOBS).into_iter().flat_map(|stream| {
        let jobs = build.jobs.iter();
        jobs.map(|job| removed(stream.clone(), job, reason))
    });
    of_build.into_iter().chain(of_jobs).collect()
}

//! Builds that were open and do not show up in any list of what is new, open or finished: they
//! were skipped, did not run, or are there no more.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use connector_core::{Record, Result, StreamName};

use super::lists::{List, Lists, Which};
use crate::pipelines::key;
use crate::state::OpenBuild;
use crate::streams::BUILDS;

/// States that a build may come to without an end (API facts 22).
const WITHOUT_END: &[&str] = &["skipped", "not_run", "canceled"];
/// From so many on it may pay to ask for all builds of these states together.
const MANY: usize = 3;
/// Builds a page.
const PAGE: u64 = 100;
/// A list that holds a build if there is one: times may be cut to the second.
const MOMENT: TimeDelta = TimeDelta::seconds(1);

/// The API has the pipeline, but not the build: its retention time is over (API facts 5.3).
const AGED_OUT: &str = "aged_out";
/// The API has not even the pipeline: it was deleted, or is hidden from the token. It gives the
/// same answer to both (API facts 2.4).
const PIPELINE_GONE: &str = "pipeline_deleted_or_hidden";

/// Looks for builds one by one, or many at once where that is cheaper.
pub(crate) struct Search {
    lists: Lists,
    streams: BTreeSet<StreamName>,
    left: BTreeMap<String, OpenBuild>,
    asked_for_many: bool,
    /// The one that the last list was about.
    sought: Option<(String, OpenBuild)>,
    gone: Vec<(String, &'static str)>,
    /// The slug of each pipeline known, by its id.
    slugs: BTreeMap<String, String>,
    /// What became of pipelines of which a build is gone, by id.
    pipelines: BTreeMap<String, &'static str>,
}

impl Search {
    pub(crate) fn new(
        lists: &Lists,
        streams: &[StreamName],
        unseen: BTreeMap<String, OpenBuild>,
        slugs: BTreeMap<String, String>,
    ) -> Self {
        Self {
            lists: lists.clone(),
            streams: streams.iter().cloned().collect(),
            left: unseen,
            asked_for_many: false,
            sought: None,
            gone: Vec::new(),
            slugs,
            pipelines: BTreeMap::new(),
        }
    }

    /// The next list to read; `None` once every build was found or is gone.
    pub(crate) async fn next_list(&mut self) -> Result<Option<List>> {
        if let Some((id, build)) = self.sought.take() {
            let why = self.why_gone(&build).await?;
            self.gone.push((id, why));
        }
        if !std::mem::replace(&mut self.asked_for_many, true)
            && let Some(which) = self.many().await?
        {
            return Ok(Some(self.lists.list(which)));
        }
        while let Some((id, build)) = self.left.pop_first() {
            match self.pipelines.get(&build.pipeline) {
                Some(&PIPELINE_GONE) => self.gone.push((id, PIPELINE_GONE)),
                _ => {
                    let which = Which {
                        from: Some(build.created_at),
                        to: Some(build.created_at + MOMENT),
                        ..self.which()
                    };
                    self.sought = Some((id, build));
                    return Ok(Some(self.lists.list(which)));
                }
            }
        }
        Ok(None)
    }

    /// A build was found.
    pub(crate) fn found(&mut self, id: &str) {
        self.left.remove(id);
        if self.sought.as_ref().is_some_and(|(sought, _)| sought == id) {
            self.sought = None;
        }
    }

    /// The ids of those that are gone.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &str> {
        self.gone.iter().map(|(id, _)| id.as_str())
    }

    /// The ids of pipelines that are gone.
    pub(crate) fn gone_pipelines(&self) -> Vec<&str> {
        let gone = self
            .pipelines
            .iter()
            .filter(|(_, why)| **why == PIPELINE_GONE);
        gone.map(|(id, _)| id.as_str()).collect()
    }

    /// What the copy is to be told of those that are gone.
    pub(crate) fn records(&self) -> Vec<Record> {
        let Some(stream) = self.streams.get(BUILDS) else {
            return Vec::new();
        };
        let record =
            |(id, why): &(String, &'static str)| Record::removed(stream.clone(), key(id), *why);
        self.gone.iter().map(record).collect()
    }

    fn which(&self) -> Which {
        Which {
            streams: self.streams.clone(),
            ..Which::default()
        }
    }

    /// All builds that ended without an end, in the time of those that are sought, if asking for
    /// them costs less than asking for each.
    async fn many(&self) -> Result<Option<Which>> {
        let times = || self.left.values().map(|build| build.created_at);
        let (Some(from), Some(to)) = (times().min(), times().max()) else {
            return Ok(None);
        };
        if self.left.len() <= MANY {
            return Ok(None);
        }
        let which = Which {
            from: Some(from),
            to: Some(to + MOMENT),
            states: WITHOUT_END,
            ..self.which()
        };
        let query = self.lists.query(which.clone());
        let count = match self.lists.client.count_builds(&query).await {
            Ok(count) => count,
            Err(error) => return Err(self.lists.explain(error).await),
        };
        let is_cheaper = |count: &u64| count.div_ceil(PAGE) < self.left.len() as u64;
        Ok(count.filter(is_cheaper).map(|_| which))
    }

    async fn why_gone(&mut self, build: &OpenBuild) -> Result<&'static str> {
        if let Some(why) = self.pipelines.get(&build.pipeline) {
            return Ok(why);
        }
        let Lists {
            client,
            organization,
            scope,
            ..
        } = &self.lists;
        let id = &build.pipeline;
        let why = match self.slugs.get(id) {
            None => AGED_OUT,
            known => match scope.slug_of(client, organization, id, known).await {
                Ok(Some(_)) => AGED_OUT,
                Ok(None) => PIPELINE_GONE,
                Err(error) => return Err(self.lists.explain(error).await),
            },
        };
        self.pipelines.insert(build.pipeline.clone(), why);
        Ok(why)
    }
}

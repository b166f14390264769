//! One partition, from its first request to its last.
//!
//! Nothing in the API tells that a build changed, and finished is not final (API facts 9.3). So a
//! sync reads, in this order:
//!
//! 1. what is **new**: created since the last sync, less an overlap. Only the first page; what
//!    is left of it is a gap like any other;
//! 2. what is **open now**, of the builds created before: it may have been finished before;
//! 3. what **finished since** the last sync, of the same, less an overlap;
//! 4. the **gaps**, newest first, see [`Windows`];
//! 5. what was **open before** and has not been seen since, see [`Search`].
//!
//! The order of 2 and 3 matters: a build that has ended when 2 passes it has an end when 3 does.
//! Whatever changes behind the back of this sync ends, or is open, after it began: the next one
//! sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_stream::try_stream;
use buildkite_client::{Error as ClientError, Listed, LowerBound};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use connector_core::{Error, ErrorKind, Record, Result, StreamName};
use futures::stream::{BoxStream, StreamExt};

use super::Pass;
use super::found::{Found, Standing};
use super::lists::{Lists, Which};
use super::unseen::Search;
use super::windows::{FromWindow, Windows};
use crate::lists::children::ParentBuild;
use crate::scope::Identified;
use crate::state::{Coverage, Gap, OpenBuild, Version};

/// A pipeline that is not found so often in one sync is given up.
const MOST_TRIES: u32 = 2;

/// What a partition yields.
pub(crate) enum Step {
    /// A build with its jobs, and what it is the parent of.
    Build(Vec<Record>, Option<Children>),
    /// Builds that are there no more.
    Gone(Vec<Record>),
    /// All records before this have been yielded.
    Page {
        /// What the copy has of the partition now; absent for nothing.
        coverage: Option<Box<Coverage>>,
        /// About how many builds are left to read.
        left: u64,
    },
}

/// The lists that are read for a build.
pub(crate) struct Children {
    pub(crate) build: Box<ParentBuild>,
    pub(crate) streams: BTreeSet<StreamName>,
}

/// A partition being read.
pub(crate) struct Partition {
    pub(super) pass: Arc<Pass>,
    pub(crate) lists: Lists,
    /// What the copy has; its gaps are those of `windows`.
    pub(crate) coverage: Coverage,
    pub(crate) windows: Windows,
    /// Builds that were open when the sync began and have not been seen since.
    pub(crate) unseen: BTreeMap<String, OpenBuild>,
    /// What was created before this has been read by earlier syncs, apart from gaps.
    pub(super) known_before: Option<DateTime<Utc>>,
    /// How often pipelines, by id, were not found under the slug they should have.
    sought: BTreeMap<String, u32>,
    /// The latest time that the server wrote into a build read so far.
    pub(super) latest: Option<DateTime<Utc>>,
}

impl Partition {
    pub(crate) fn new(pass: Arc<Pass>, organization: String, pipeline: Option<Identified>) -> Self {
        let known = pass.state.coverage(&organization, pipeline.as_ref());
        let coverage = known.unwrap_or_else(|| Coverage::nothing(pass.state.created_from));
        let lists = Lists {
            client: pass.client.clone(),
            scope: Arc::clone(&pass.scope),
            rules: pass.rules,
            organization,
            pipeline: pipeline.as_ref().map(|selected| selected.slug.clone()),
            stream: pass.state.streams()[0].clone(),
        };
        let mut partition = Self {
            windows: Windows::new(
                coverage.missing.clone(),
                pass.max_concurrency,
                pass.rules.worth_cutting,
            ),
            pass,
            lists,
            unseen: coverage.open.clone(),
            coverage,
            known_before: None,
            sought: BTreeMap::new(),
            latest: None,
        };
        if !partition.coverage.is_nothing() {
            partition.known_before = partition.since();
        }
        if let Some(Identified { id, slug }) = pipeline {
            partition.note_selected_pipeline(&id, &slug);
        }
        partition
    }

    /// All of it.
    pub(crate) fn read(mut self) -> BoxStream<'static, Result<Step>> {
        let steps = try_stream! {
            let is_first = self.coverage.is_nothing();
            let since = self.since();
            self.note_pipelines_read().await?;
            self.open_newest(since);
            let first = loop {
                match self.windows.next().await {
                    Some(FromWindow::Build(found, gap)) => yield self.take(found, &gap.streams),
                    Some(FromWindow::Page(page)) => break page,
                    Some(FromWindow::Failed(_, error)) => Err(self.lists.explain(error).await)?,
                    None => Err(ended())?,
                }
            };
            self.begin(&first)?;
            yield self.page(0);

            if let Some(since) = since.filter(|_| !is_first) {
                for which in self.changed_since(since) {
                    let mut list = self.lists.list(which);
                    while let Some(listed) = self.lists.next(&mut list).await? {
                        match listed {
                            Listed::Build(found) => yield self.take(found, &self.streams()),
                            Listed::Unusable(unusable) => Err(self.lists.explain(unusable.into_error()).await)?,
                            Listed::Page(page) => yield self.page(page.estimate.unwrap_or(0)),
                        }
                    }
                }
                self.has_seen_changes(&first);
                yield self.page(0);
            }

            self.fill();
            while let Some(read) = self.windows.next().await {
                match read {
                    FromWindow::Build(found, gap) => yield self.take(found, &gap.streams),
                    FromWindow::Page(_) => {
                        self.fill();
                        yield self.page(0);
                    }
                    FromWindow::Failed(gap, error) => {
                        self.try_again(*gap, error).await?;
                        self.fill();
                    }
                }
            }

            let mut search = self.search();
            while let Some(mut list) = search.next_list().await? {
                while let Some(listed) = self.lists.next(&mut list).await? {
                    match listed {
                        Listed::Build(found) => {
                            search.found(&found.id);
                            yield self.take(found, &self.streams());
                        }
                        Listed::Unusable(unusable) => Err(self.lists.explain(unusable.into_error()).await)?,
                        Listed::Page(_) => yield self.page(0),
                    }
                }
            }
            yield self.forget(&search);
            yield self.page(0);
        };
        steps.boxed()
    }

    pub(crate) fn streams(&self) -> BTreeSet<StreamName> {
        self.pass.state.streams().iter().cloned().collect()
    }

    fn open_newest(&mut self, since: Option<DateTime<Utc>>) {
        let gap = Gap {
            streams: self.streams(),
            pipeline: None,
            from: since,
            to: DateTime::<Utc>::MAX_UTC,
        };
        let lower_bound = LowerBound::default();
        let list = self.lists.list(Which {
            streams: gap.streams.clone(),
            from: since,
            lower_bound: lower_bound.clone(),
            ..Which::default()
        });
        self.windows.open(gap, lower_bound, list);
    }

    /// Looks for what was open before and has not been seen since.
    fn search(&mut self) -> Search {
        let unseen = match self.pass.rules.open_before {
            true => std::mem::take(&mut self.unseen),
            false => BTreeMap::new(),
        };
        let pipelines = self.coverage.pipelines.clone();
        Search::new(&self.lists, self.pass.state.streams(), unseen, pipelines)
    }

    /// Builds that are there no more are looked for no more; a pipeline that comes back is read
    /// again.
    fn forget(&mut self, search: &Search) -> Step {
        for id in search.gone() {
            self.coverage.open.remove(id);
        }
        let gone = search.gone_pipelines();
        gone.iter().for_each(|id| self.vanish(id));
        Step::Gone(search.records())
    }

    /// Begins to read as many gaps as there is room for.
    fn fill(&mut self) {
        while let Some(gap) = self.windows.next_gap() {
            let lower_bound = LowerBound::default();
            let which = Which {
                streams: gap.streams.clone(),
                from: gap.from,
                // A server that cuts times to the second must not cut builds off.
                to: Some(second_after(gap.to)),
                lower_bound: lower_bound.clone(),
                ..Which::default()
            };
            let list = match &gap.pipeline {
                None => self.lists.list(which),
                Some(id) => {
                    let known = self.coverage.pipelines.get(id).cloned();
                    self.lists.list_pipeline(which, id.clone(), known)
                }
            };
            self.windows.open(gap, lower_bound, list);
        }
    }

    /// A pipeline that is not found under its slug may have got another one just now. If it is
    /// not found for good it is given up: should it come back, it is read.
    async fn try_again(&mut self, gap: Gap, error: ClientError) -> Result<()> {
        let ClientError::NotFound { .. } = error else {
            return Err(self.lists.explain(error).await);
        };
        let Some(id) = gap.pipeline.clone() else {
            return Err(self.lists.explain(error).await);
        };
        let tries = self.sought.entry(id.clone()).or_default();
        *tries += 1;
        if *tries > MOST_TRIES {
            self.give_up(&id);
            return Ok(());
        }
        self.pass.scope.forget_pipelines();
        self.windows.add(gap);
        Ok(())
    }

    /// A build was read, for these streams.
    pub(crate) fn take(&mut self, found: Found, streams: &BTreeSet<StreamName>) -> Step {
        self.latest = self.latest.max(Some(found.latest));
        let id = found.id.clone();
        if let Some(id) = &found.pipeline_id {
            self.note_pipeline_of_build(id, &found.pipeline_slug, &found.build);
        }
        let is_for_all = streams.len() == self.pass.state.streams().len();
        if is_for_all {
            self.unseen.remove(&found.id);
        }
        match found.standing {
            // Another stream may have it open still.
            Standing::Settled if !is_for_all => {}
            Standing::Settled => drop(self.coverage.open.remove(&found.id)),
            standing => {
                self.coverage.blocked_are_open |= standing == Standing::BlockedWithoutEnd;
                self.coverage.open.insert(found.id, found.build);
            }
        }
        let version = Version {
            print: found.parent.as_ref().map_or(0, |parent| parent.print),
            latest: found.latest,
        };
        let is_settled = found.standing == Standing::Settled;
        let children = found.parent.map(|build| Children {
            streams: self.unlisted(streams, &id, is_settled.then_some(version)),
            build,
        });
        Step::Build(found.records, children)
    }

    /// The streams whose lists of a build are to be read: all, or of a finished build those that
    /// have not been read of this version.
    fn unlisted(
        &mut self,
        streams: &BTreeSet<StreamName>,
        id: &str,
        version: Option<Version>,
    ) -> BTreeSet<StreamName> {
        let lists = streams
            .iter()
            .filter(|stream| self.pass.scope.list(stream).is_some());
        let mut to_list = BTreeSet::new();
        for stream in lists {
            let listed = self.coverage.listed.entry(stream.clone()).or_default();
            let known = match version {
                Some(version) => listed.insert(id.to_owned(), version),
                None => listed.remove(id),
            };
            if known.is_none() || known != version {
                to_list.insert(stream.clone());
            }
        }
        to_list
    }

    /// A page ended: this is what the copy has now.
    fn page(&mut self, left: u64) -> Step {
        self.coverage.missing = match self.pass.rules.notes_what_is_left {
            true => self.windows.gaps(),
            false => Vec::new(),
        };
        for gap in &mut self.coverage.missing {
            // What lies above is new to the next sync anyway.
            gap.to = gap.to.min(self.coverage.top + TimeDelta::milliseconds(1));
        }
        let missing = &mut self.coverage.missing;
        missing.retain(|gap| gap.from.is_none_or(|from| from < gap.to));
        let is_known = !self.coverage.is_nothing();
        if is_known {
            let rules = &self.pass.rules;
            let met_again = self.coverage.top.min(self.coverage.synced);
            let overlap = rules.overlap + rules.finish_overlap;
            self.coverage.forget_listed_before(met_again - overlap);
        }
        Step::Page {
            coverage: is_known.then(|| Box::new(self.coverage.clone())),
            left: left + self.windows.left(),
        }
    }
}

fn ended() -> Error {
    Error::new(
        ErrorKind::Internal,
        "a list ended without an end of its page",
    )
}

/// The first whole second behind a moment.
fn second_after(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at) + TimeDelta::seconds(1)
}

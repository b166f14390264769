//! What a partition takes from the builds that it reads.

use std::collections::BTreeSet;

use buildkite_client::{Listed, Unusable};
use chrono::{DateTime, Utc};
use connector_core::{Event, Record, StreamName};

use super::build::{ReadBuild, Settledness};
use super::item::Item;
use super::listing::{BuildFilter, BuildList};
use super::partition::Partition;
use super::search::MOMENT;
use crate::source::lists::children::ChildList;
use crate::source::overlap;
use crate::source::state::{OpenBuild, UnusableBuild, Version};

impl Partition {
    /// An item of a list that is read for all streams.
    pub(super) fn take_listed(
        &mut self,
        listed: Listed<ReadBuild>,
    ) -> impl Iterator<Item = Item> + use<> {
        let (taken, page) = match listed {
            Listed::Build(build) => {
                self.newer = Some(build.build.created_at);
                (Some(self.take(build, &self.streams())), None)
            }
            Listed::Unusable(unusable) => {
                self.note_unusable(&unusable, self.newer);
                (None, None)
            }
            Listed::Page(page) => {
                self.newer = self.newer.filter(|_| !page.is_end);
                (None, Some(self.page(page.estimate.unwrap_or(0))))
            }
        };
        taken.into_iter().flatten().chain(page)
    }

    /// A build was read, for these streams: its records, and the lists to read for it.
    pub(crate) fn take(
        &mut self,
        build: ReadBuild,
        streams: &BTreeSet<StreamName>,
    ) -> impl Iterator<Item = Item> + use<> {
        self.builds_read += 1;
        let (records, lists) = self.note_build(build, streams);
        let records = Item::Records(records);
        [records]
            .into_iter()
            .chain(lists.into_iter().map(Item::List))
    }

    pub(crate) fn note_build(
        &mut self,
        build: ReadBuild,
        streams: &BTreeSet<StreamName>,
    ) -> (Vec<Record>, Vec<ChildList>) {
        self.latest = self.latest.max(Some(build.latest));
        if let Some(id) = &build.pipeline_id {
            self.note_pipeline_of_build(id, &build.pipeline_slug, &build.build);
        }
        let is_for_all = streams.len() == self.sweep.state.streams().len();
        if is_for_all {
            self.unseen.remove(&build.id);
            let unusable = &mut self.coverage.unusable;
            unusable.retain(|known| known.id.as_ref() != Some(&build.id));
        }
        let is_settled = build.settledness == Settledness::Settled;
        let lists = build.parent.map_or_else(Vec::new, |parent| {
            let version = Version {
                checksum: parent.checksum,
                latest: build.latest,
            };
            let version = is_settled.then_some(version);
            let streams = self.not_listed(streams, &build.id, version);
            parent.lists(&self.sweep.scope, &streams)
        });
        if !is_settled {
            self.coverage.blocked_are_open |= build.settledness == Settledness::BlockedWithoutEnd;
            self.note_open(build.id, build.build);
        } else if is_for_all {
            // Otherwise another stream may still have it open.
            self.coverage.open.remove(&build.id);
        }
        (build.records, lists)
    }

    /// The streams whose lists of a build are to be read: all, or of a finished build those that
    /// have not been read in this version.
    fn not_listed(
        &mut self,
        streams: &BTreeSet<StreamName>,
        id: &str,
        version: Option<Version>,
    ) -> BTreeSet<StreamName> {
        let lists = streams
            .iter()
            .filter(|stream| self.sweep.scope.list(stream).is_some());
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

    /// What is known of its jobs stays known if this read is not about jobs.
    fn note_open(&mut self, id: String, mut build: OpenBuild) {
        let open = &mut self.coverage.open;
        if build.jobs.is_empty()
            && let Some(known) = open.remove(&id)
        {
            build.jobs = known.jobs;
        }
        open.insert(id, build);
    }

    /// A build cannot be used: the user hears it, and it is tried again by the next read. It is
    /// there, so it does not count as removed.
    pub(super) fn note_unusable(&mut self, unusable: &Unusable, after: Option<DateTime<Utc>>) {
        if let Some(id) = &unusable.id {
            self.unseen.remove(id);
        }
        let build = UnusableBuild::new(unusable, after);
        if self.coverage.unusable.contains(&build) {
            return;
        }
        let stream = &self.listing.stream;
        let message = format!("{}; the next sync tries it again", sentence(unusable));
        self.sweep.observer.observe(Event::Notice {
            stream: Some(stream.clone()),
            message,
        });
        let refusals = &self.sweep.children.refusals;
        self.sweep
            .state
            .streams()
            .iter()
            .for_each(|stream| refusals.note_incomplete(stream));
        self.coverage.unusable.push(build);
    }

    /// One that tells no time is looked for at the end of what has been read.
    pub(super) fn place_unusable(&mut self) {
        let end = self.coverage.top + overlap::CREATED;
        let placeless =
            |build: &&mut UnusableBuild| (build.created_at, build.after) == (None, None);
        if !self.coverage.is_nothing() {
            let unusable = self.coverage.unusable.iter_mut();
            unusable
                .filter(placeless)
                .for_each(|build| build.after = Some(end));
        }
    }

    /// The list that holds a build that could not be used: of its moment, or else what follows the
    /// build before it, in which it is on the first page.
    pub(super) fn list_again(&mut self, unusable: &UnusableBuild) -> BuildList {
        self.coverage.unusable.retain(|known| known != unusable);
        let last = unusable.created_at.or(unusable.after);
        self.listing.list(BuildFilter {
            streams: self.streams(),
            from: unusable.created_at,
            to: last.map(|at| at + MOMENT),
            ..BuildFilter::default()
        })
    }
}

/// `/v2/…: the build #12 of web cannot be used: its number is a text`.
fn sentence(unusable: &Unusable) -> String {
    let Unusable {
        path,
        position,
        number,
        pipeline_slug,
        reason,
        ..
    } = unusable;
    let build = match (number, pipeline_slug) {
        (Some(number), Some(slug)) => format!("the build {slug} #{number}"),
        (Some(number), None) => format!("a build #{number}"),
        (None, Some(slug)) => format!("a build of {slug}, number {position} of its page,"),
        (None, None) => format!("the build that is number {position} of its page"),
    };
    format!("{path}: {build} cannot be used and is left out: {reason}")
}

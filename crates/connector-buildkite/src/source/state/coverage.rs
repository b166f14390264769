//! What the copy has of one partition: an organization, or a selected pipeline.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use connector_core::StreamName;
use serde::{Deserialize, Serialize};

use super::unusable::UnusableBuild;
use crate::source::overlap;
use crate::source::scope::Slugs;
use crate::streams::JOBS;

/// What the copy has of one partition.
///
/// Two things hold at every checkpoint. Every build created in `created_from..top`, apart from
/// what is `missing`, has been yielded as it was at `synced` or later. And each of these builds is
/// in `open` if it can still change by itself in the version that was yielded last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// The lower end; absent for none.
    pub(crate) created_from: Option<DateTime<Utc>>,
    /// The upper end.
    pub(crate) top: DateTime<Utc>,
    /// All changes before this moment have been seen.
    pub(crate) synced: DateTime<Utc>,
    /// What has not been read yet.
    pub(crate) missing: Vec<Gap>,
    /// Builds that were not finished when they were read, by id.
    pub(crate) open: BTreeMap<String, OpenBuild>,
    /// On this server builds have no end while they are blocked.
    pub(crate) blocked_are_open: bool,
    /// The pipelines that are known. Another slug shows that a pipeline was renamed; the slug of
    /// a removed one is empty.
    pub(crate) pipelines: Slugs,
    /// Finished builds that the next sync will read again, for each stream of lists below builds.
    /// If such a build has not changed, its lists are not read again.
    pub(crate) listed: BTreeMap<StreamName, BTreeMap<String, Version>>,
    /// Builds whose text could not be used: they are tried again.
    pub(crate) unusable: Vec<UnusableBuild>,
    /// Its organization or pipeline went away, and the builds in `open` are marked. They stay
    /// listed, because they are looked for should it come back.
    pub(crate) is_lost: bool,
    /// The divided read whose end this is does not read the partition: it is not there now.
    pub(crate) is_carried: bool,
}

/// The version of a build whose lists were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    /// A checksum of the build and of the ends of its jobs.
    pub(crate) checksum: u32,
    /// The latest time that the server wrote into it.
    pub(crate) latest: DateTime<Utc>,
}

/// An interval of creation times that has not been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gap {
    /// The streams that miss it.
    pub(crate) streams: BTreeSet<StreamName>,
    /// The id of the one pipeline whose builds are missing; absent for all of the partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pipeline: Option<String>,
    /// The lower end; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<DateTime<Utc>>,
    /// The upper end, not included.
    pub(crate) to: DateTime<Utc>,
}

/// A build that can still change by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenBuild {
    /// The id of its pipeline; its slug if the answer left the pipeline out.
    pub(crate) pipeline: String,
    /// Its number there.
    pub(crate) number: u64,
    /// When it was created.
    pub(crate) created_at: DateTime<Utc>,
    /// The ids of its jobs, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) jobs: Vec<String>,
}

impl Coverage {
    /// Nothing yet.
    pub(crate) fn nothing(created_from: Option<DateTime<Utc>>) -> Self {
        Self {
            created_from,
            top: DateTime::<Utc>::MIN_UTC,
            synced: DateTime::<Utc>::MIN_UTC,
            missing: Vec::new(),
            open: BTreeMap::new(),
            blocked_are_open: false,
            pipelines: BTreeMap::new(),
            listed: BTreeMap::new(),
            unusable: Vec::new(),
            is_lost: false,
            is_carried: false,
        }
    }

    /// Whether nothing has been read yet.
    pub(crate) fn is_nothing(&self) -> bool {
        self.top == DateTime::<Utc>::MIN_UTC
    }

    /// Joins what several streams have of one partition; `None` if no stream has anything.
    pub(crate) fn join(
        parts: Vec<(StreamName, Option<Self>)>,
        created_from: Option<DateTime<Utc>>,
    ) -> Option<Self> {
        let known = || parts.iter().filter_map(|(_, part)| part.as_ref());
        let mut joined = Self {
            created_from,
            top: known().map(|part| part.top).max()?,
            synced: known().map(|part| part.synced).min()?,
            missing: Vec::new(),
            open: BTreeMap::new(),
            blocked_are_open: known().any(|part| part.blocked_are_open),
            pipelines: known().flat_map(|part| part.pipelines.clone()).collect(),
            listed: known().flat_map(|part| part.listed.clone()).collect(),
            unusable: Vec::new(),
            is_lost: known().all(|part| part.is_lost),
            is_carried: known().all(|part| part.is_carried),
        };
        for part in known() {
            joined.add_open(part.open.clone());
            joined.add_unusable(part.unusable.clone());
        }
        for (stream, part) in parts {
            let gap = |from, to| Gap {
                streams: [stream.clone()].into(),
                pipeline: None,
                from,
                to,
            };
            let Some(mut part) = part else {
                joined.add(gap(created_from, joined.top));
                continue;
            };
            part.reach(created_from, gap);
            for (id, slug) in &joined.pipelines {
                if part.pipelines.get(id) != Some(slug) {
                    part.missing.push(Gap {
                        pipeline: Some(id.clone()),
                        ..gap(created_from, part.top)
                    });
                }
            }
            if part.top < joined.top {
                let from = created_from.max(Some(part.top - overlap::CREATED));
                part.missing.push(gap(from, joined.top));
            }
            part.missing.into_iter().for_each(|gap| joined.add(gap));
        }
        Some(joined)
    }

    /// Moves the lower end. Below a lower one everything is missing; what lies below a higher one
    /// is given up.
    fn reach(
        &mut self,
        created_from: Option<DateTime<Utc>>,
        gap: impl Fn(Option<DateTime<Utc>>, DateTime<Utc>) -> Gap,
    ) {
        if let Some(had) = self.created_from
            && created_from.is_none_or(|from| from < had)
        {
            self.missing.push(gap(created_from, had));
        }
        if let Some(from) = created_from {
            self.open.retain(|_, build| build.created_at >= from);
            self.missing.retain(|gap| gap.to > from);
            for gap in &mut self.missing {
                gap.from = gap.from.max(created_from);
            }
        }
        self.created_from = created_from;
    }

    /// Adds builds that can still change. What is known of their jobs stays known.
    pub(crate) fn add_open(&mut self, builds: BTreeMap<String, OpenBuild>) {
        for (id, build) in builds {
            match self.open.entry(id) {
                Entry::Vacant(vacant) => _ = vacant.insert(build),
                Entry::Occupied(known) => {
                    let known = &mut known.into_mut().jobs;
                    let more = build.jobs.into_iter();
                    let more: Vec<_> = more.filter(|job| !known.contains(job)).collect();
                    known.extend(more);
                }
            }
        }
    }

    /// Adds builds whose text could not be used, each once.
    pub(crate) fn add_unusable(&mut self, builds: Vec<UnusableBuild>) {
        for build in builds {
            if !self.unusable.contains(&build) {
                self.unusable.push(build);
            }
        }
    }

    /// Adds a gap; several streams that miss the same interval share one.
    pub(crate) fn add(&mut self, gap: Gap) {
        let is_same = |known: &&mut Gap| {
            known.pipeline == gap.pipeline && known.from == gap.from && known.to == gap.to
        };
        match self.missing.iter_mut().find(is_same) {
            Some(known) => known.streams.extend(gap.streams),
            None => self.missing.push(gap),
        }
    }

    /// The intervals before `end` that have been read of all pipelines for any of `streams`, oldest
    /// first: what lies between the gaps.
    pub(crate) fn read_before(
        &self,
        end: DateTime<Utc>,
        streams: &BTreeSet<StreamName>,
    ) -> Vec<(Option<DateTime<Utc>>, DateTime<Utc>)> {
        let mut gaps: Vec<_> = (self.missing.iter())
            .filter(|gap| gap.pipeline.is_none() && gap.streams.is_superset(streams))
            .map(|gap| (gap.from, gap.to))
            .collect();
        gaps.sort_unstable();
        let mut read = Vec::new();
        let mut from = self.created_from;
        for (gap_from, gap_to) in gaps {
            if let Some(to) = gap_from
                && from.is_none_or(|from| from < to.min(end))
            {
                read.push((from, to.min(end)));
            }
            from = from.max(Some(gap_to));
        }
        if from.is_none_or(|from| from < end) {
            read.push((from, end));
        }
        read
    }

    /// What it has of the pipeline with this id.
    pub(crate) fn of_pipeline(&self, id: &str) -> Self {
        let mut part = self.clone();
        part.open.retain(|_, build| build.pipeline == id);
        part.pipelines.retain(|known, _| known == id);
        let is_its = |gap: &Gap| gap.pipeline.as_deref().is_none_or(|known| known == id);
        part.missing.retain(is_its);
        part
    }

    /// What one stream has: only its own gaps are missing.
    pub(crate) fn of_stream(&self, stream: &StreamName) -> Self {
        let mut part = self.clone();
        part.missing.retain(|gap| gap.streams.contains(stream));
        part.listed.retain(|listed, _| listed == stream);
        if stream != JOBS {
            part.open.values_mut().for_each(|build| build.jobs.clear());
        }
        part
    }

    /// About how long the JSON form of what one stream has is: two ids, a number and a time for
    /// each open build; an id for each job, pipeline and build whose lists were read.
    pub(crate) fn about_bytes(&self) -> usize {
        let jobs: usize = self.open.values().map(|build| build.jobs.len()).sum();
        let listed: usize = self.listed.values().map(BTreeMap::len).sum();
        120 * self.open.len() + 40 * jobs + 60 * (self.pipelines.len() + listed)
    }

    /// Forgets versions of builds that no sync will read again.
    pub(crate) fn forget_listed_before(&mut self, before: DateTime<Utc>) {
        for listed in self.listed.values_mut() {
            listed.retain(|_, listed| listed.latest >= before);
        }
        self.listed.retain(|_, listed| !listed.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-01-01T{hour:02}:00:00Z").parse().unwrap()
    }

    fn coverage(from: Option<u32>, top: u32) -> Coverage {
        Coverage {
            created_from: from.map(at),
            top: at(top),
            synced: at(top),
            ..Coverage::nothing(None)
        }
    }

    fn join(
        builds: Option<Coverage>,
        jobs: Option<Coverage>,
        from: Option<u32>,
    ) -> Option<Coverage> {
        let parts = vec![("builds".into(), builds), ("jobs".into(), jobs)];
        Coverage::join(parts, from.map(at))
    }

    /// Streams, lower and upper end.
    type Missing<'a> = (Vec<&'a str>, Option<DateTime<Utc>>, DateTime<Utc>);

    fn gaps(coverage: &Coverage) -> Vec<Missing<'_>> {
        let missing = coverage.missing.iter().map(|gap| {
            let streams = gap.streams.iter().map(StreamName::as_str).collect();
            (streams, gap.from, gap.to)
        });
        missing.collect()
    }

    #[test]
    fn streams_that_have_the_same_miss_nothing() {
        let joined = join(Some(coverage(None, 9)), Some(coverage(None, 9)), None).unwrap();
        assert_eq!(joined, coverage(None, 9));
        assert_eq!(join(None, None, None), None);
    }

    #[test]
    fn what_has_been_read_lies_between_the_gaps() {
        let mut had = coverage(Some(1), 9);
        let gap = |from, to| Gap {
            streams: ["builds".into()].into(),
            pipeline: None,
            from: Some(at(from)),
            to: at(to),
        };
        let builds = ["builds".into()].into();
        assert_eq!(had.read_before(at(8), &builds), [(Some(at(1)), at(8))]);
        had.missing = vec![gap(5, 6), gap(1, 3), gap(7, 9)];
        assert_eq!(
            had.read_before(at(8), &builds),
            [(Some(at(3)), at(5)), (Some(at(6)), at(7))]
        );
        let both = ["builds".into(), "jobs".into()].into();
        assert_eq!(had.read_before(at(8), &both), [(Some(at(1)), at(8))]);
    }

    #[test]
    fn a_new_stream_misses_everything_and_the_other_nothing() {
        let joined = join(Some(coverage(None, 9)), None, None).unwrap();
        assert_eq!(gaps(&joined), [(vec!["jobs"], None, at(9))]);
    }

    #[test]
    fn a_stream_that_fell_behind_misses_what_the_other_has() {
        let joined = join(Some(coverage(None, 9)), Some(coverage(None, 4)), None).unwrap();
        let overlap = overlap::CREATED;
        assert_eq!(
            gaps(&joined),
            [(vec!["jobs"], Some(at(4) - overlap), at(9))]
        );
        assert_eq!(joined.synced, at(4));
    }

    #[test]
    fn an_earlier_start_is_missing_for_all_and_a_later_one_gives_up_what_lies_before() {
        let had = || Some(coverage(Some(5), 9));
        let earlier = join(had(), had(), Some(2)).unwrap();
        assert_eq!(
            gaps(&earlier),
            [(vec!["builds", "jobs"], Some(at(2)), at(5))]
        );
        let without_start = join(had(), had(), None).unwrap();
        assert_eq!(
            gaps(&without_start),
            [(vec!["builds", "jobs"], None, at(5))]
        );

        let later = join(Some(earlier.clone()), Some(earlier), Some(3)).unwrap();
        assert_eq!(gaps(&later), [(vec!["builds", "jobs"], Some(at(3)), at(5))]);
        assert_eq!(later.created_from, Some(at(3)));
    }
}

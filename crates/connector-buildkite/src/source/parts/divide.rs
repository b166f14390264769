//! Divides a request, given its end. Nothing is requested.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{Error, ErrorKind, ReadRequest, Result, StreamName, SyncMode};
use serde_json::Value;

use super::form::{Changes, Part, SweepPiece, TreePiece};
use super::gaps::gaps;
use super::group::group;
use crate::connection::PAGE;
use crate::source::lists::tree::Tree;
use crate::source::overlap;
use crate::source::plan::Plan;
use crate::source::scope::{NO_SLUG, PipelineRef, Slugs};
use crate::source::state::{Coverage, Cut, Gap, OpenBuild, SweepEnd, SweepState};
use crate::source::sweep::PartitionRef;
use crate::streams::{PIPELINES, Parent};

/// The most open builds of a piece.
const OPEN_PER_PIECE: usize = 100;
/// A tree of lists of pipelines is divided into at most this many pieces.
const MOST_SHARDS: usize = 8;
/// What a piece counts whose cost is not known, in pages.
const UNKNOWN_WEIGHT: u64 = 5;

/// A piece on its way into a part.
enum Piece {
    Plain(StreamName, BTreeMap<String, Slugs>),
    Tree(TreePiece),
    Sweep(SweepPiece),
}

/// The parts of a request: read requests that together are exactly the request up to `ends`, the
/// ends of its sweeps.
///
/// # Errors
/// [`ErrorKind::Internal`] if a part has no JSON form; [`ErrorKind::State`] for an end that names a
/// partition that cannot be.
pub(crate) fn divide(
    request: &ReadRequest,
    plan: &Plan,
    ends: &[SweepEnd],
    base_url: &str,
    at_most: NonZeroUsize,
) -> Result<Vec<ReadRequest>> {
    let mut pieces = Vec::new();
    for stream in &plan.plain {
        let mut removed = BTreeMap::new();
        if *stream == PIPELINES {
            let sweeps = plan.sweeps.iter().zip(ends);
            removed.extend(sweeps.flat_map(|(before, end)| removed_pipelines(before, &end.state)));
        }
        pieces.push((1, Piece::Plain(stream.clone(), removed)));
    }
    for (before, end) in plan.sweeps.iter().zip(ends) {
        pieces.extend(sweep_pieces(before, end)?);
    }
    for tree in &plan.trees {
        pieces.extend(tree_pieces(tree, at_most));
    }
    let groups = group(pieces, at_most).into_iter();
    groups
        .map(|pieces| part_of(request, pieces, base_url))
        .collect()
}

/// The read request that reads these pieces.
fn part_of(request: &ReadRequest, pieces: Vec<Piece>, base_url: &str) -> Result<ReadRequest> {
    let mut part = Part::new(base_url);
    for piece in pieces {
        match piece {
            Piece::Plain(stream, removed) => {
                part.plain.insert(stream);
                part.removed_pipelines.extend(removed);
            }
            Piece::Tree(tree) => part.trees.push(tree),
            Piece::Sweep(sweep) => part.sweeps.push(sweep),
        }
    }
    let streams = part.streams();
    let selections = request.streams.iter().cloned();
    let selections = selections.filter(|selection| streams.contains(&selection.stream));
    let partition: Value = serde_json::to_value(&part).map_err(|error| {
        Error::new(ErrorKind::Internal, "a part has no JSON form").with_source(error)
    })?;
    let part = ReadRequest::new(selections).with_partition(partition);
    Ok(part.with_readers(request.readers))
}

/// Pipelines that were there before and are not at the end, by organization.
fn removed_pipelines(
    before: &SweepState,
    end: &SweepState,
) -> impl Iterator<Item = (String, Slugs)> + use<> {
    let mut removed = BTreeMap::new();
    for (organization, known) in before.pipelines() {
        let now = end.partitions.get(&organization);
        let is_removed = |id: &String, slug: &String| {
            let now = now.and_then(|end| end.pipelines.get(id));
            slug != NO_SLUG && now.is_some_and(|slug| slug == NO_SLUG)
        };
        let known = known.into_iter().filter(|(id, slug)| is_removed(id, slug));
        let known: Slugs = known.collect();
        if !known.is_empty() {
            removed.insert(organization, known);
        }
    }
    removed.into_iter()
}

/// The pieces of a tree: lists of pipelines are divided by their pipelines.
fn tree_pieces(tree: &Tree, at_most: NonZeroUsize) -> Vec<(u64, Piece)> {
    let shards = match tree.list.parent {
        Parent::Pipeline => u32::try_from(at_most.get().min(MOST_SHARDS)).unwrap_or(1),
        _ => 1,
    };
    let piece = |shard| TreePiece {
        root: tree.list.stream.name.clone(),
        streams: tree.streams(),
        shards,
        shard,
    };
    (0..shards)
        .map(|shard| (UNKNOWN_WEIGHT, Piece::Tree(piece(shard))))
        .collect()
}

fn sweep_pieces(before: &SweepState, end: &SweepEnd) -> Result<Vec<(u64, Piece)>> {
    let mut pieces = Vec::new();
    let read = end.state.partitions.iter();
    for (key, coverage) in read.filter(|(_, coverage)| !coverage.is_carried) {
        let partition = partition_of(key, coverage)?;
        let known = before.coverage(&partition.organization, partition.pipeline.as_ref());
        let divider = Divider {
            mode: end.state.mode(),
            streams: end.state.streams().iter().cloned().collect(),
            before: known.unwrap_or_else(|| Coverage::nothing(end.state.created_from)),
            end: coverage,
            cuts: end.cuts.get(key).map_or(&[], Vec::as_slice),
            partition,
        };
        let own = divider.pieces().into_iter();
        pieces.extend(own.map(|(weight, piece)| (weight, Piece::Sweep(piece))));
    }
    Ok(pieces)
}

/// The partition of that name in states: `acme`, `acme/web`.
fn partition_of(key: &str, end: &Coverage) -> Result<PartitionRef> {
    let Some((organization, slug)) = key.split_once('/') else {
        return Ok(PartitionRef {
            organization: key.to_owned(),
            pipeline: None,
        });
    };
    let mut pipelines = end.pipelines.iter();
    let pipeline = pipelines.find(|(_, known)| *known == slug);
    let (id, slug) = pipeline.ok_or_else(|| {
        let message =
            "the given end does not know the id of a pipeline; divide the read without it";
        Error::new(ErrorKind::State, message).with_context("partition", key)
    })?;
    Ok(PartitionRef {
        organization: organization.to_owned(),
        pipeline: Some(PipelineRef {
            id: id.clone(),
            slug: slug.clone(),
        }),
    })
}

/// Divides one partition.
struct Divider<'a> {
    mode: SyncMode,
    streams: BTreeSet<StreamName>,
    partition: PartitionRef,
    before: Coverage,
    end: &'a Coverage,
    cuts: &'a [Cut],
}

impl Divider<'_> {
    /// Its pieces, each with about the number of its pages.
    fn pieces(&self) -> Vec<(u64, SweepPiece)> {
        let gaps = gaps(&self.before, self.end, &self.streams).into_iter();
        let windows = gaps.flat_map(|gap| self.windows(gap));
        let windows = windows.map(|(weight, window)| (weight, self.window_piece(window)));
        windows.chain(self.change_pieces()).collect()
    }

    /// A gap, divided where the end is cut.
    fn windows(&self, gap: Gap) -> Vec<(u64, Gap)> {
        if gap.pipeline.is_some() {
            return vec![(UNKNOWN_WEIGHT, gap)];
        }
        let is_inside = |cut: &&Cut| {
            let is_later = |at| gap.from.is_none_or(|from| from < at);
            cut.from.is_some_and(|at| is_later(at) && at < gap.to)
        };
        let begins = self.cuts.iter().filter(is_inside).map(|cut| cut.from);
        let begins: Vec<_> = [gap.from].into_iter().chain(begins).collect();
        let ends = begins.iter().skip(1).copied().flatten().chain([gap.to]);
        let window = |(from, to): (&Option<DateTime<Utc>>, DateTime<Utc>)| {
            let window = Gap {
                from: *from,
                to,
                ..gap.clone()
            };
            (self.weight(*from), window)
        };
        begins.iter().zip(ends).map(window).collect()
    }

    /// About how many pages the window has that begins there.
    fn weight(&self, from: Option<DateTime<Utc>>) -> u64 {
        let mut cuts = self.cuts.iter();
        let builds = cuts
            .find(|cut| cut.from == from)
            .map_or(0, |cut| cut.builds);
        1 + builds / PAGE
    }

    fn window_piece(&self, window: Gap) -> SweepPiece {
        let is_for_all = window.pipeline.is_none() && window.streams == self.streams;
        let is_new = window.from >= self.before.new_since();
        let is_in = |at| window.from.is_none_or(|from| from <= at) && at < window.to;
        let mut piece = self.piece(window.from, window.to, window.pipeline.as_ref());
        // Older ones belong to the pieces of changes.
        if is_for_all && is_new && !self.before.is_nothing() {
            piece.open_before = self.open_before(is_in);
        }
        piece.windows = vec![window];
        self.with_slugs(piece)
    }

    /// What changed, of the builds created before those that are new. Each piece looks for some of
    /// the builds that were open.
    fn change_pieces(&self) -> Vec<(u64, SweepPiece)> {
        let since = self
            .before
            .new_since()
            .filter(|_| !self.before.is_nothing());
        let Some(since) = since.filter(|since| self.before.created_from < Some(*since)) else {
            return Vec::new();
        };
        let mut times: Vec<_> = (self.before.open.values())
            .map(|build| build.created_at)
            .filter(|at| *at < since)
            .collect();
        times.sort_unstable();
        let mut begins: Vec<_> = times.chunks(OPEN_PER_PIECE).map(|chunk| chunk[0]).collect();
        begins.dedup();
        let begins = begins.into_iter().skip(1).map(Some);
        let begins: Vec<_> = [self.before.created_from]
            .into_iter()
            .chain(begins)
            .collect();
        let ends = begins.iter().skip(1).copied().flatten().chain([since]);
        let pieces = begins.iter().zip(ends);
        pieces
            .map(|(from, to)| (UNKNOWN_WEIGHT, self.change_piece(*from, to)))
            .collect()
    }

    fn change_piece(&self, from: Option<DateTime<Utc>>, to: DateTime<Utc>) -> SweepPiece {
        let is_in = |at| from.is_none_or(|from| from <= at) && at < to;
        let mut piece = self.piece(from, to, None);
        piece.changes = Some(Changes {
            from,
            to,
            finished_from: self.before.synced - overlap::FINISHED,
            with_blocked: self.before.blocked_are_open || self.end.blocked_are_open,
        });
        piece.open_before = self.open_before(is_in);
        self.with_slugs(piece)
    }

    /// A piece that reads nothing yet, for builds created in an interval, perhaps of one pipeline.
    fn piece(
        &self,
        from: Option<DateTime<Utc>>,
        to: DateTime<Utc>,
        pipeline: Option<&String>,
    ) -> SweepPiece {
        // Times may be cut to the second.
        let margin = TimeDelta::seconds(2);
        let is_near = |at| from.is_none_or(|from| from - margin <= at) && at < to + margin;
        let slug = pipeline.and_then(|id| self.end.pipelines.get(id));
        let is_of = |of: &String| pipeline.is_none_or(|id| id == of) || slug == Some(of);
        let open = self.end.open.iter();
        let open = open.filter(|(_, build)| is_near(build.created_at) && is_of(&build.pipeline));
        let read_again = self.end.missing.iter();
        let read_again = read_again.filter(|gap| gap.pipeline.is_none());
        SweepPiece {
            mode: self.mode,
            streams: self.streams.clone(),
            partition: self.partition.clone(),
            windows: Vec::new(),
            changes: None,
            open_before: BTreeMap::new(),
            open_at_end: open.map(|(id, _)| id.clone()).collect(),
            open_since: read_again.filter_map(|gap| gap.from).min(),
            slugs: Slugs::new(),
        }
    }

    fn open_before(&self, is_in: impl Fn(DateTime<Utc>) -> bool) -> BTreeMap<String, OpenBuild> {
        let open = self.before.open.iter();
        let open = open.filter(|(_, build)| is_in(build.created_at));
        open.map(|(id, build)| (id.clone(), build.clone()))
            .collect()
    }

    /// Adds the pipelines that the piece needs.
    fn with_slugs(&self, mut piece: SweepPiece) -> SweepPiece {
        let of_windows = piece.windows.iter().filter_map(|gap| gap.pipeline.as_ref());
        let of_builds = piece.open_before.values().map(|build| &build.pipeline);
        let slug = |id: &String| Some((id.clone(), self.end.pipelines.get(id)?.clone()));
        piece.slugs = of_windows.chain(of_builds).filter_map(slug).collect();
        piece
    }
}

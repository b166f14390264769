//! Reads the builds of a part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_stream::try_stream;
use buildkite_client::{Error as ClientError, Listed, LowerBound};
use connector_core::{Message, Result, StreamName, SyncMode};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::form::SweepPiece;
use crate::error::in_stream;
use crate::source::state::{Gap, OpenBuild};
use crate::source::sweep::Sweep;
use crate::source::sweep::build::{ReadBuild, Settledness};
use crate::source::sweep::item::Item;
use crate::source::sweep::listing::{BuildFilter, Listing};
use crate::source::sweep::marks::OPEN_OR_BLOCKED;
use crate::source::sweep::partition::{MOST_TRIES, open_gap};
use crate::source::sweep::search::OpenBuildSearch;
use crate::source::sweep::windows::{FromWindow, Windows};
use crate::streams::OPEN_STATES;

/// Reads the builds of a part.
pub(crate) struct PartReader(pub(crate) Arc<Sweep>);

/// A piece that is being read.
struct PieceReader {
    sweep: Arc<Sweep>,
    piece: SweepPiece,
    listing: Listing,
    windows: Windows,
    /// Builds that were open before and have not been seen.
    unseen: BTreeMap<String, OpenBuild>,
    /// How many times pipelines, by id, were not found.
    not_found: BTreeMap<String, u32>,
}

impl PartReader {
    /// The records of these pieces.
    pub(crate) fn read(self, pieces: Vec<SweepPiece>) -> BoxStream<'static, Result<Message>> {
        let (max_concurrency, children) = (self.0.max_concurrency, self.0.children.clone());
        let items = stream::iter(pieces)
            .map(move |piece| PieceReader::new(Arc::clone(&self.0), piece).read())
            .flatten_unordered(max_concurrency);
        let items = items
            .map_ok(move |item| item.resolve(children.clone()))
            .try_buffered(max_concurrency);
        let messages = items.map_ok(|item| {
            let records = match item {
                Item::Records(records) => records,
                Item::List(_) | Item::Page(_) => Vec::new(),
            };
            stream::iter(
                records
                    .into_iter()
                    .map(|record| Ok(Message::Record(record))),
            )
        });
        messages.try_flatten().boxed()
    }
}

impl PieceReader {
    fn new(sweep: Arc<Sweep>, piece: SweepPiece) -> Self {
        Self {
            listing: sweep.listing(&piece.partition),
            windows: Windows::new(piece.windows.clone(), sweep.max_concurrency),
            unseen: piece.open_before.clone(),
            not_found: BTreeMap::new(),
            piece,
            sweep,
        }
    }

    fn read(mut self) -> BoxStream<'static, Result<Item>> {
        let items = try_stream! {
            self.fill_windows();
            while let Some(read) = self.windows.next().await {
                match read {
                    FromWindow::Build(build, streams) => {
                        for item in self.take(build, &streams) {
                            yield item;
                        }
                    }
                    FromWindow::Unusable(unusable, _) => {
                        _ = self.take_listed(Listed::Unusable(unusable))?;
                    }
                    FromWindow::Page(_) => {}
                    FromWindow::Failed(gap, error) => self.try_again(*gap, error).await?,
                }
                self.fill_windows();
            }
            for filter in self.changes() {
                let mut list = self.listing.list(filter);
                while let Some(listed) = self.listing.next(&mut list).await? {
                    for item in self.take_listed(listed)? {
                        yield item;
                    }
                }
            }
            let mut search = self.search();
            while let Some(mut list) = search.next_list().await? {
                while let Some(listed) = self.listing.next(&mut list).await? {
                    search.note(&listed);
                    for item in self.take_listed(listed)? {
                        yield item;
                    }
                }
            }
            yield Item::Records(search.records());
        };
        items.boxed()
    }

    fn fill_windows(&mut self) {
        while let Some(gap) = self.windows.next_gap() {
            let lower_bound = LowerBound::default();
            let list = open_gap(&self.listing, &gap, &lower_bound, &self.piece.slugs);
            self.windows.open(gap, lower_bound, list);
        }
    }

    /// A pipeline that is not found under its slug may just have got another one. One that was
    /// removed has no builds to read; should it come back, the next read reads them.
    async fn try_again(&mut self, gap: Gap, error: ClientError) -> Result<()> {
        let is_missing = matches!(error, ClientError::NotFound { .. });
        let Some(id) = gap.pipeline.clone().filter(|_| is_missing) else {
            return Err(self.listing.explain(error).await);
        };
        let tries = self.not_found.entry(id).or_default();
        *tries += 1;
        if *tries < MOST_TRIES {
            self.sweep.scope.forget_pipelines();
            self.windows.add(gap);
        }
        Ok(())
    }

    /// What is open now, and then what finished: a build that ends before it is listed as open is
    /// listed as finished.
    fn changes(&self) -> Vec<BuildFilter> {
        let Some(changes) = &self.piece.changes else {
            return Vec::new();
        };
        let all = BuildFilter {
            streams: self.piece.streams.clone(),
            from: changes.from,
            to: Some(changes.to),
            ..BuildFilter::default()
        };
        let states = if changes.with_blocked {
            OPEN_OR_BLOCKED
        } else {
            OPEN_STATES
        };
        let open_now = BuildFilter {
            states,
            ..all.clone()
        };
        let finished = BuildFilter {
            finished_from: Some(changes.finished_from),
            ..all
        };
        vec![open_now, finished]
    }

    fn search(&mut self) -> OpenBuildSearch {
        let streams: Vec<_> = self.piece.streams.iter().cloned().collect();
        let unseen = std::mem::take(&mut self.unseen);
        OpenBuildSearch::new(&self.listing, &streams, unseen, self.piece.slugs.clone())
    }

    /// A part cannot change the end, so it cannot leave a build for the next read: one that cannot
    /// be used fails it.
    fn take_listed(&mut self, listed: Listed<ReadBuild>) -> Result<Vec<Item>> {
        match listed {
            Listed::Build(build) => {
                let streams = self.piece.streams.clone();
                Ok(self.take(build, &streams))
            }
            Listed::Unusable(unusable) => {
                Err(in_stream(&self.listing.stream)(unusable.into_error()))
            }
            Listed::Page(_) => Ok(Vec::new()),
        }
    }

    /// A build was read, for these streams: its records, and the lists to read for it.
    fn take(&mut self, build: ReadBuild, streams: &BTreeSet<StreamName>) -> Vec<Item> {
        if *streams == self.piece.streams {
            self.unseen.remove(&build.id);
        }
        if !self.is_covered(&build) {
            return Vec::new();
        }
        let lists = build.parent.map(|parent| {
            let is_list = |stream: &&StreamName| self.sweep.scope.list(stream).is_some();
            let lists = streams.iter().filter(is_list).cloned().collect();
            parent.lists(&self.sweep.scope, &lists)
        });
        let lists = lists.into_iter().flatten().map(Item::List);
        [Item::Records(build.records)]
            .into_iter()
            .chain(lists)
            .collect()
    }

    /// Whether the end answers for this version of a build. If it is open and the end does not list
    /// it, it has changed since: the next read finds it.
    fn is_covered(&self, build: &ReadBuild) -> bool {
        let piece = &self.piece;
        let is_read_again = |since| build.build.created_at >= since;
        piece.mode == SyncMode::FullRefresh
            || build.settledness == Settledness::Settled
            || piece.open_at_end.contains(&build.id)
            || piece.open_since.is_some_and(is_read_again)
    }
}

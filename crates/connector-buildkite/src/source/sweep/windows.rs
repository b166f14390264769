//! Gaps that are read side by side, and those that wait for their turn, newest first.
//!
//! A window is a gap whose list is being read: it shrinks from the top with every page. If a page
//! ends while no gap waits and there is room for another window, a window with many builds left is
//! cut in two, at the time where half of its builds should be left. So a small gap costs no more
//! requests than its pages, and a large one keeps all connections busy to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkite_client::{Error as ClientError, Listed, ListingProgress, LowerBound, Unusable};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::StreamName;
use futures::stream::{BoxStream, SelectAll, StreamExt};

use super::build::ReadBuild;
use super::listing::BuildList;
use crate::source::state::Gap;

/// A window with fewer pages left is not cut.
pub(crate) const PAGES_WORTH_CUTTING: u64 = 10;

/// An item of a window, with the number of the window.
type Numbered = (usize, Result<Listed<ReadBuild>, ClientError>);

/// All gaps of a partition.
pub(crate) struct Windows {
    max_open: usize,
    lists: SelectAll<BoxStream<'static, Numbered>>,
    open: BTreeMap<usize, Window>,
    waiting: Vec<Gap>,
    opened: usize,
}

struct Window {
    gap: Gap,
    /// Those of the gap.
    streams: Arc<BTreeSet<StreamName>>,
    lower_bound: LowerBound,
    /// When the newest build read was created.
    newest: Option<DateTime<Utc>>,
    /// When the last build read was created.
    last: Option<DateTime<Utc>>,
    /// How many builds were read, and how many of them on the current page.
    read: u64,
    read_on_page: u64,
    /// About how many are left.
    left: u64,
}

/// What a window yields.
pub(crate) enum FromWindow {
    /// A build, and the streams that it is read for.
    Build(ReadBuild, Arc<BTreeSet<StreamName>>),
    /// A build that cannot be used, and when the build before it was created.
    Unusable(Unusable, Option<DateTime<Utc>>),
    Page(ListingProgress),
    /// It could not be read to its end, and is closed.
    Failed(Box<Gap>, ClientError),
}

impl Windows {
    /// These gaps wait; up to `max_open` are read at the same time.
    pub(crate) fn new(waiting: Vec<Gap>, max_open: usize) -> Self {
        Self {
            max_open,
            lists: SelectAll::new(),
            open: BTreeMap::new(),
            waiting,
            opened: 0,
        }
    }

    /// Adds a gap that waits.
    pub(crate) fn add(&mut self, gap: Gap) {
        self.waiting.push(gap);
    }

    /// Begins to read a gap.
    pub(crate) fn open(&mut self, gap: Gap, lower_bound: LowerBound, list: BuildList) {
        let number = self.opened;
        self.opened += 1;
        self.lists
            .push(list.map(move |listed| (number, listed)).boxed());
        let window = Window {
            streams: Arc::new(gap.streams.clone()),
            gap,
            lower_bound,
            newest: None,
            last: None,
            read: 0,
            read_on_page: 0,
            left: 0,
        };
        self.open.insert(number, window);
    }

    /// The newest gap that waits, if there is room for it.
    pub(crate) fn next_gap(&mut self) -> Option<Gap> {
        if self.open.len() >= self.max_open {
            return None;
        }
        let newest = (0..self.waiting.len()).max_by_key(|index| self.waiting[*index].to)?;
        Some(self.waiting.swap_remove(newest))
    }

    /// The next item of any window; `None` once all have been read to their end.
    pub(crate) async fn next(&mut self) -> Option<FromWindow> {
        while let Some((number, listed)) = self.lists.next().await {
            let Some(window) = self.open.get_mut(&number) else {
                continue;
            };
            return Some(match listed {
                Ok(Listed::Build(build)) => {
                    window.newest.get_or_insert(build.build.created_at);
                    window.last = Some(build.build.created_at);
                    window.read += 1;
                    window.read_on_page += 1;
                    FromWindow::Build(build, Arc::clone(&window.streams))
                }
                Ok(Listed::Page(page)) => {
                    self.end_page(number, &page);
                    FromWindow::Page(page)
                }
                Ok(Listed::Unusable(unusable)) => FromWindow::Unusable(unusable, window.last),
                Err(error) => {
                    let gap = Box::new(window.gap.clone());
                    self.open.remove(&number);
                    FromWindow::Failed(gap, error)
                }
            });
        }
        None
    }

    /// Everything that has not been read yet.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        let open = self.open.values().map(|window| &window.gap);
        open.chain(&self.waiting).cloned().collect()
    }

    /// About how many builds are left in the windows.
    pub(crate) fn left(&self) -> u64 {
        let left = self.open.values().map(|window| window.left);
        left.fold(0, u64::saturating_add)
    }

    /// A page of a window ended: the window is smaller now, or closed, or cut in two.
    fn end_page(&mut self, number: usize, page: &ListingProgress) {
        if page.is_end {
            self.open.remove(&number);
            return;
        }
        let has_room = self.waiting.is_empty() && self.open.len() < self.max_open;
        let Some(window) = self.open.get_mut(&number) else {
            return;
        };
        if window.end_page(page) && has_room {
            let older = window.cut();
            self.waiting.extend(older);
        }
    }
}

impl Window {
    /// Whether enough pages are left to cut it in two.
    fn end_page(&mut self, page: &ListingProgress) -> bool {
        let on_page = std::mem::take(&mut self.read_on_page);
        if let Some(to) = page.remaining_to {
            self.gap.to = self.gap.from.map_or(to, |from| to.max(from));
        }
        self.left = page.estimate.unwrap_or_default();
        on_page > 0 && self.left >= PAGES_WORTH_CUTTING.saturating_mul(on_page)
    }

    /// Gives up the older half; `None` if nobody can tell where that begins.
    fn cut(&mut self) -> Option<Gap> {
        let millis_read = (self.newest? - self.gap.to).num_milliseconds();
        let half = millis_read as f64 / self.read as f64 * self.left as f64 / 2.0;
        let half = TimeDelta::try_milliseconds(half as i64)?;
        let middle = self.gap.to.checked_sub_signed(half)?;
        if middle >= self.gap.to || self.gap.from.is_some_and(|from| middle <= from) {
            return None;
        }
        let older = Gap {
            to: middle,
            ..self.gap.clone()
        };
        self.lower_bound.raise(middle);
        self.gap.from = Some(middle);
        self.left /= 2;
        Some(older)
    }
}

//! Gaps being read side by side, and those that wait their turn, newest first.
//!
//! A window is a gap whose listing is under way: it shrinks from the top with every page. When one
//! has come to the end of a page, there is room for another and nothing waits, it is cut in two
//! if much is left of it, at the time where half of its builds should be left. So a small gap
//! costs no request more than its pages, and a large one keeps all connections busy to its end.

use std::collections::BTreeMap;

use buildkite_client::{Error as ClientError, Listed, ListingProgress, LowerBound};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{BoxStream, SelectAll, StreamExt};

use super::found::Found;
use super::lists::List;
use crate::state::Gap;

/// Of a window, by its number.
type Numbered = (usize, Result<Listed<Found>, ClientError>);

/// All gaps of a partition.
pub(crate) struct Windows {
    at_most: usize,
    /// A window with fewer builds left is not cut.
    worth_cutting: u64,
    lists: SelectAll<BoxStream<'static, Numbered>>,
    open: BTreeMap<usize, Window>,
    waiting: Vec<Gap>,
    opened: usize,
}

struct Window {
    gap: Gap,
    lower_bound: LowerBound,
    /// When the newest build read was created.
    newest: Option<DateTime<Utc>>,
    /// How many builds were read.
    read: u64,
    /// About how many are left.
    left: u64,
}

/// What a window yields.
pub(crate) enum FromWindow {
    /// A build, and the gap that it is of.
    Build(Found, Gap),
    Page(ListingProgress),
    /// It could not be read further, and is closed.
    Failed(Box<Gap>, ClientError),
}

impl Windows {
    /// With these gaps waiting; so many are read at the same time.
    pub(crate) fn new(waiting: Vec<Gap>, at_most: usize, worth_cutting: u64) -> Self {
        Self {
            at_most,
            worth_cutting,
            lists: SelectAll::new(),
            open: BTreeMap::new(),
            waiting,
            opened: 0,
        }
    }

    /// Lets another gap wait.
    pub(crate) fn add(&mut self, gap: Gap) {
        self.waiting.push(gap);
    }

    /// Begins to read a gap.
    pub(crate) fn open(&mut self, gap: Gap, lower_bound: LowerBound, list: List) {
        let number = self.opened;
        self.opened += 1;
        self.lists
            .push(list.map(move |listed| (number, listed)).boxed());
        let window = Window {
            gap,
            lower_bound,
            newest: None,
            read: 0,
            left: 0,
        };
        self.open.insert(number, window);
    }

    /// The newest gap that waits, if there is room for it.
    pub(crate) fn next_gap(&mut self) -> Option<Gap> {
        if self.open.len() >= self.at_most {
            return None;
        }
        let newest = (0..self.waiting.len()).max_by_key(|index| self.waiting[*index].to)?;
        Some(self.waiting.swap_remove(newest))
    }

    /// What comes next out of any of them; `None` once all have been read to their end.
    pub(crate) async fn next(&mut self) -> Option<FromWindow> {
        while let Some((number, listed)) = self.lists.next().await {
            let Some(window) = self.open.get_mut(&number) else {
                continue;
            };
            return Some(match listed {
                Ok(Listed::Build(found)) => {
                    window.newest.get_or_insert(found.build.created_at);
                    window.read += 1;
                    FromWindow::Build(found, window.gap.clone())
                }
                Ok(Listed::Page(page)) => {
                    self.page(number, &page);
                    FromWindow::Page(page)
                }
                Ok(Listed::Unusable(unusable)) => {
                    let gap = Box::new(window.gap.clone());
                    self.open.remove(&number);
                    FromWindow::Failed(gap, unusable.into_error())
                }
                Err(error) => {
                    let gap = Box::new(window.gap.clone());
                    self.open.remove(&number);
                    FromWindow::Failed(gap, error)
                }
            });
        }
        None
    }

    /// All that is still to be read.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        let open = self.open.values().map(|window| &window.gap);
        open.chain(&self.waiting).cloned().collect()
    }

    /// About how many builds are left in the windows.
    pub(crate) fn left(&self) -> u64 {
        self.open.values().map(|window| window.left).sum()
    }

    /// A window has come to the end of a page: it is smaller now, or closed, or cut in two.
    fn page(&mut self, number: usize, page: &ListingProgress) {
        let Some(window) = self.open.get_mut(&number) else {
            return;
        };
        if page.is_end {
            self.open.remove(&number);
            return;
        }
        if let Some(to) = page.remaining_to {
            window.gap.to = window.gap.from.map_or(to, |from| to.max(from));
        }
        window.left = page.estimate.unwrap_or_default();
        let is_large = window.left >= self.worth_cutting;
        if is_large && self.waiting.is_empty() && self.open.len() < self.at_most {
            let older = self.open.get_mut(&number).and_then(Window::cut);
            self.waiting.extend(older);
        }
    }
}

impl Window {
    /// Gives up the older half; `None` if nobody can tell where that begins.
    fn cut(&mut self) -> Option<Gap> {
        let millis_read = (self.newest? - self.gap.to).num_milliseconds();
        let half = millis_read as f64 / self.read as f64 * self.left as f64 / 2.0;
        let middle = self
            .gap
            .to
            .checked_sub_signed(TimeDelta::milliseconds(half as i64))?;
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

//! Where a read is divided: windows with about the same number of builds.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use connector_core::Result;

use crate::source::state::{Cut, Gap};
use crate::source::sweep::listing::{BuildFilter, Listing};

/// Windows for each part: with several, parts can be made of about the same size.
const WINDOWS_PER_PART: usize = 3;
/// A window with fewer pages is not halved.
const PAGES_WORTH_HALVING: u64 = 2;
/// No build is older. In seconds since 1970: 2013-01-01.
const OLDEST: i64 = 1_356_998_400;

/// A window, and how many builds it holds.
struct Window {
    gap: usize,
    from: Option<DateTime<Utc>>,
    to: DateTime<Utc>,
    builds: u64,
}

/// Halves the largest windows of these gaps until there are enough of them. `page` is how many
/// builds a page holds. Nothing is requested if there is only one part.
pub(super) async fn cut(
    listing: &Listing,
    gaps: &[Gap],
    page: u64,
    at_most: NonZeroUsize,
) -> Result<Vec<Cut>> {
    let mut windows = Vec::new();
    if at_most.get() == 1 {
        return Ok(Vec::new());
    }
    for (gap, of) in gaps
        .iter()
        .enumerate()
        .filter(|(_, gap)| gap.pipeline.is_none())
    {
        let builds = count(listing, of.from, of.to).await?;
        windows.push(Window {
            gap,
            from: of.from,
            to: of.to,
            builds,
        });
    }
    let wanted = WINDOWS_PER_PART.saturating_mul(at_most.get());
    // A half that turns out to be empty costs a request and gives no window more.
    let mut requests = 2 * wanted;
    while windows.len() < wanted && requests > 0 {
        let Some((index, middle)) = largest(&windows, page) else {
            break;
        };
        requests -= 1;
        let window = &mut windows[index];
        let older = count(listing, window.from, middle)
            .await?
            .min(window.builds);
        let newer = Window {
            from: Some(middle),
            builds: window.builds - older,
            ..*window
        };
        (window.to, window.builds) = (middle, older);
        windows.push(newer);
    }
    windows.sort_by_key(|window| (window.gap, window.from));
    Ok(without_empty(&windows))
}

/// The window to halve next, and where.
fn largest(windows: &[Window], page: u64) -> Option<(usize, DateTime<Utc>)> {
    let indexed = windows.iter().enumerate();
    let worth = indexed.filter(|(_, window)| window.builds > PAGES_WORTH_HALVING * page);
    let halves = worth.filter_map(|(index, window)| Some((window.builds, index, window.middle()?)));
    let (_, index, middle) = halves.max()?;
    Some((index, middle))
}

impl Window {
    /// A whole second in the middle; `None` if there is none.
    fn middle(&self) -> Option<DateTime<Utc>> {
        let from = self.from.map_or(OLDEST, |from| from.timestamp());
        let middle = DateTime::from_timestamp(from + (self.to.timestamp() - from) / 2, 0)?;
        let is_inside = self.from.is_none_or(|from| from < middle) && middle < self.to;
        (is_inside && middle.timestamp() > from).then_some(middle)
    }
}

/// An empty window becomes part of the one after it.
fn without_empty(windows: &[Window]) -> Vec<Cut> {
    let mut cuts: Vec<(usize, Cut)> = Vec::new();
    for Window {
        gap, from, builds, ..
    } in windows
    {
        match cuts.last_mut() {
            Some((of, last)) if of == gap && (last.builds == 0 || *builds == 0) => {
                last.builds += builds;
            }
            _ => cuts.push((
                *gap,
                Cut {
                    from: *from,
                    builds: *builds,
                },
            )),
        }
    }
    cuts.into_iter().map(|(_, cut)| cut).collect()
}

/// How many builds were created in an interval; none if the server does not tell.
async fn count(listing: &Listing, from: Option<DateTime<Utc>>, to: DateTime<Utc>) -> Result<u64> {
    let filter = BuildFilter {
        from,
        to: Some(to),
        ..BuildFilter::default()
    };
    Ok(listing.count(filter).await?.unwrap_or(0))
}

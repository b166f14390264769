//! The position of a listing of builds, without page numbers.
//!
//! Builds come newest first and can be bounded by `created_to`. So the next page is the same query
//! with `created_to` just after the oldest build seen. Builds that are created or change meanwhile
//! shift nothing, no page is ever deep, the page size can change at any time, and what is left to
//! read is always one interval. Page 2 is needed only when a whole page was created in the same
//! millisecond.
//!
//! Two assumptions are checked. The list is in order: if it is not, the interval is read by page
//! numbers instead. Times count to the millisecond: the build at the border must be in the next
//! page again. If it is not, or if the order is off by less than a second, the listing continues by
//! whole seconds, and by page numbers within a second that has more than a page.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use crate::timestamp::{Timestamp, format_timestamp};

/// Builds of this many pages are remembered, whatever time they claim, to notice a list that repeats
/// itself.
const REMEMBERED_PAGES: u32 = 16;
/// How far a build may lie outside of the requested interval, because times may be cut.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

#[derive(Debug, Clone)]
pub(crate) struct Keyset {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    page: u32,
    /// The oldest build of the current page.
    oldest: Option<Timestamp>,
    /// Builds that the next page may repeat, and those of the last pages.
    seen: HashMap<String, Sighting>,
    /// Pages that were advanced past.
    pages: u32,
    newest: Option<DateTime<Utc>>,
    /// The list is not in order of creation.
    is_disordered: bool,
    border: Border,
    /// How precise times are believed to be.
    grain: Grain,
}

/// When and where a build was seen.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    created_at: DateTime<Utc>,
    page: u32,
}

/// The steps in which the listing advances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grain {
    Millisecond,
    /// The filter, or the times in builds, are cut to the second.
    Second,
    /// Neighbours in the list may be out of order by up to a second.
    TwoSeconds,
}

/// Whether the current page is known to overlap the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Border {
    /// There is no previous page, or the border was seen again, or steps are whole seconds.
    Closed,
    /// A build created at this time must be seen again.
    Open(DateTime<Utc>),
}

/// What to do with a build of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    New,
    Before,
    /// The server ignored the interval, so its answers may be incomplete.
    Outside,
}

impl Keyset {
    /// Everything created at or after `from` and before `to`. By page numbers if `is_disordered`.
    pub(crate) fn new(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        is_disordered: bool,
    ) -> Self {
        Self {
            from,
            to,
            page: 1,
            oldest: None,
            seen: HashMap::new(),
            pages: 0,
            newest: None,
            is_disordered,
            border: Border::Closed,
            grain: Grain::Millisecond,
        }
    }

    /// Raises the lower end.
    pub(crate) fn raise(&mut self, from: DateTime<Utc>) {
        self.from = self.from.max(Some(from));
    }

    /// Adds the bounds to a query.
    pub(crate) fn bound(&self, url: &mut Url) {
        let mut query = url.query_pairs_mut();
        if let Some(from) = self.from {
            query.append_pair("created_from", &format_timestamp(from));
        }
        if let Some(to) = self.to {
            query.append_pair("created_to", &format_timestamp(to));
        }
        if self.page > 1 {
            query.append_pair("page", &self.page.to_string());
        }
    }

    /// Records a build of the current page.
    pub(crate) fn accept(&mut self, id: &str, created_at: Timestamp) -> Seen {
        let to = self.to.map(|to| later(to, TOLERANCE));
        let from = self.from.map(|from| later(from, -TOLERANCE));
        let is_late = to.is_some_and(|to| created_at.at >= to);
        let is_early = from.is_some_and(|from| created_at.at < from);
        if is_late || is_early {
            return Seen::Outside;
        }
        match self.oldest {
            Some(oldest) if created_at.at > later(oldest.at, TOLERANCE) => {
                self.is_disordered = true;
            }
            Some(oldest) if created_at.at > oldest.at => self.grain = Grain::TwoSeconds,
            Some(oldest) if created_at.at == oldest.at => {}
            _ => self.oldest = Some(created_at),
        }
        self.newest = self.newest.max(Some(created_at.at));
        if let Some(sighting) = self.seen.get_mut(id) {
            sighting.page = self.pages;
            if self.border == Border::Open(sighting.created_at) {
                self.border = Border::Closed;
            }
            return Seen::Before;
        }
        let sighting = Sighting {
            created_at: created_at.at,
            page: self.pages,
        };
        self.seen.insert(id.to_owned(), sighting);
        Seen::New
    }

    /// The current page was read to its end, and another one follows.
    pub(crate) fn next_page(&mut self) {
        if !self.advance() {
            self.page += 1;
        }
    }

    /// The current page broke off. What was read of it counts. Returns whether that was
    /// anything.
    pub(crate) fn broke_off(&mut self) -> bool {
        self.oldest.is_some() && self.joins() && self.advance()
    }

    /// Forgets a build, which will be requested again.
    pub(crate) fn forget(&mut self, id: &str) {
        self.seen.remove(id);
    }

    /// Whether no build can be between the current page and the previous one. If one can, the
    /// interval is widened and must be requested again.
    pub(crate) fn joins(&mut self) -> bool {
        if self.border == Border::Closed {
            return true;
        }
        self.border = Border::Closed;
        self.grain = self.grain.max(Grain::Second);
        self.oldest = None;
        self.page = 1;
        let widened = |to| second_after(later(to, TimeDelta::milliseconds(-1)));
        self.to = self.to.map(widened);
        false
    }

    /// Creation time of the newest build seen.
    pub(crate) fn newest(&self) -> Option<DateTime<Utc>> {
        self.newest
    }

    /// The upper end of what is left to read.
    pub(crate) fn remaining_to(&self) -> Option<DateTime<Utc>> {
        self.to
    }

    /// Whether the current page begins with builds that were read before. Then it is not empty,
    /// unless they were removed.
    pub(crate) fn repeats(&self) -> bool {
        self.repeatable() > 0
    }

    /// How many builds the following pages may repeat.
    pub(crate) fn repeatable(&self) -> u32 {
        let is_repeatable = |seen: &&Sighting| self.to.is_none_or(|to| seen.created_at < to);
        let count = self.seen.values().filter(is_repeatable).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Whether a page number is in use. It depends on the page size.
    pub(crate) fn is_numbered(&self) -> bool {
        self.page > 1
    }

    /// The page number in use.
    pub(crate) fn page(&self) -> u32 {
        self.page
    }

    /// Returns to the first page of the interval, because the page size changes.
    pub(crate) fn renumber(&mut self) {
        self.page = 1;
    }

    fn advance(&mut self) -> bool {
        let Some(oldest) = self.oldest.take().filter(|_| !self.is_disordered) else {
            return false;
        };
        let to = match self.grain {
            Grain::Millisecond => oldest.next(),
            Grain::Second => second_after(oldest.at),
            Grain::TwoSeconds => later(second_after(oldest.at), TOLERANCE),
        };
        if self.to.is_some_and(|current| to >= current) {
            return false;
        }
        self.to = Some(to);
        self.page = 1;
        self.border = match self.grain {
            Grain::Millisecond => Border::Open(oldest.at),
            _ => Border::Closed,
        };
        self.pages = self.pages.wrapping_add(1);
        self.seen.retain(|_, seen| {
            let is_recent = self.pages.wrapping_sub(seen.page) <= REMEMBERED_PAGES;
            is_recent || seen.created_at < later(to, TOLERANCE * 2)
        });
        true
    }
}

/// The first whole second after a moment.
fn second_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let past = TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(1000));
    later(later(at, -past), TOLERANCE)
}

/// The end of time does not move.
fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp {
            at: DateTime::from_timestamp_millis(1_000_000 + millis).unwrap(),
            precision: TimeDelta::milliseconds(1),
        }
    }

    fn query(keyset: &Keyset) -> String {
        let mut url = Url::parse("http://localhost/").unwrap();
        keyset.bound(&mut url);
        url.query().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_next_page_begins_just_after_the_oldest_build_seen() {
        let mut keyset = Keyset::new(None, None, false);
        assert_eq!(keyset.accept("b", at(20)), Seen::New);
        assert_eq!(keyset.accept("a", at(10)), Seen::New);
        assert!(!Keyset::new(None, None, false).repeats());
        keyset.next_page();

        assert!(keyset.repeats());
        assert_eq!(query(&keyset), "created_to=1970-01-01T00%3A16%3A40.011Z");
        assert_eq!(keyset.accept("a", at(10)), Seen::Before);
        assert_eq!(keyset.accept("c", at(10)), Seen::New);
    }

    #[test]
    fn a_page_within_one_millisecond_needs_page_two_and_forgets_it_afterwards() {
        let mut keyset = Keyset::new(None, Some(at(11).at), false);
        keyset.accept("a", at(10));
        keyset.next_page();
        assert!(query(&keyset).ends_with("&page=2"));

        assert_eq!(keyset.accept("a", at(10)), Seen::Before);
        keyset.accept("b", at(9));
        keyset.next_page();
        assert_eq!(query(&keyset), "created_to=1970-01-01T00%3A16%3A40.010Z");
    }

    #[test]
    fn times_cut_to_the_second_repeat_the_whole_second() {
        let mut keyset = Keyset::new(None, None, false);
        let cut = Timestamp::parse("2015-04-23 17:26:52 UTC").unwrap();
        keyset.accept("a", cut);
        keyset.next_page();
        assert_eq!(query(&keyset), "created_to=2015-04-23T17%3A26%3A53.000Z");
    }

    #[test]
    fn a_build_outside_of_the_interval_is_noticed() {
        let mut keyset = Keyset::new(Some(at(0).at), Some(at(10).at), false);
        assert_eq!(keyset.accept("a", at(5_000)), Seen::Outside);
        assert_eq!(keyset.accept("a", at(-5_000)), Seen::Outside);
        assert_eq!(keyset.accept("a", at(5)), Seen::New);
    }

    #[test]
    fn what_was_read_of_a_broken_page_counts() {
        let mut keyset = Keyset::new(None, None, false);
        assert!(!keyset.broke_off());
        keyset.accept("a", at(10));
        assert!(keyset.broke_off());
        assert_eq!(keyset.remaining_to(), Some(at(11).at));
    }

    #[test]
    fn a_page_without_the_border_is_requested_again_up_to_the_full_second() {
        let mut keyset = Keyset::new(None, None, false);
        keyset.accept("a", at(345));
        assert!(keyset.joins());
        keyset.next_page();
        assert_eq!(keyset.accept("z", at(-500)), Seen::New);
        assert!(!keyset.joins());

        assert_eq!(query(&keyset), "created_to=1970-01-01T00%3A16%3A41.000Z");
        assert_eq!(keyset.accept("a", at(345)), Seen::Before);
        assert_eq!(keyset.accept("b", at(200)), Seen::New);
        assert!(keyset.joins());
    }

    #[test]
    fn a_list_out_of_order_is_read_by_page_numbers() {
        let mut keyset = Keyset::new(None, None, false);
        keyset.accept("a", at(0));
        keyset.accept("b", at(60_000));
        keyset.next_page();
        assert_eq!(query(&keyset), "page=2");
        assert_eq!(keyset.accept("b", at(60_000)), Seen::Before);
        assert!(!keyset.broke_off());
    }

    #[test]
    fn a_build_that_comes_again_with_another_time_is_not_new() {
        let mut keyset = Keyset::new(None, None, false);
        assert_eq!(keyset.accept("a", at(50_000)), Seen::New);
        for pages in 1..100 {
            keyset.next_page();
            assert_eq!(keyset.accept("a", at(50_000 - 5_000 * pages)), Seen::Before);
        }
    }

    proptest! {
        /// The bounds of a query come from callers, times of builds from the server.
        #[test]
        fn no_sequence_of_times_breaks_the_position(
            bounds: [bool; 2],
            builds in proptest::collection::vec(
                (any::<u8>(), -62_167_219_200_000_i64..=253_402_300_799_999, 0_u8..5), 0..60),
        ) {
            let from = bounds[0].then_some(DateTime::<Utc>::MIN_UTC);
            let to = bounds[1].then_some(DateTime::<Utc>::MAX_UTC);
            let mut keyset = Keyset::new(from, to, false);
            for (id, millis, end) in builds {
                let at = DateTime::from_timestamp_millis(millis).unwrap();
                let precision = TimeDelta::milliseconds(if id % 2 == 0 { 1 } else { 1000 });
                let before = keyset.remaining_to();
                keyset.accept(&id.to_string(), Timestamp { at, precision });
                match end {
                    0 if keyset.joins() => keyset.next_page(),
                    1 => _ = keyset.broke_off(),
                    2 => keyset.renumber(),
                    _ => {}
                }
                let has_widened = keyset.remaining_to() > before;
                prop_assert!(!has_widened || before.is_none() || end <= 1);
                let _url = query(&keyset);
            }
        }
    }
}

//! Where a listing of builds stands, without page numbers.
//!
//! Builds come newest first and can be bounded by `created_to`, so the next page is the same query
//! with `created_to` set right behind the oldest build seen. Builds that are created or change
//! meanwhile shift nothing, no page is ever deep, the page size is free to change, and what is
//! left to read is always one interval. Only when a whole page was created in one and the same
//! moment does page 2 have to be asked for.
//!
//! That rests on two things that the server is not taken at its word for. The list is in order: if
//! it turns out not to be, the interval is read by page numbers after all. And times count to the
//! millisecond: the build at the border must come again with the next page. If it does not, or if
//! the order is off by less than a second, the listing goes on by whole seconds, and by page
//! numbers within one that holds more than a page.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use crate::timestamp::{Timestamp, format_timestamp};

/// How far an answer may lie outside of what was asked for: as much as a time may be cut.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

#[derive(Debug, Clone)]
pub(crate) struct Keyset {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    page: u32,
    /// Of the page under way.
    oldest: Option<Timestamp>,
    /// The builds that the next page may repeat.
    seen: HashMap<String, DateTime<Utc>>,
    newest: Option<DateTime<Utc>>,
    /// The list is not in order of creation.
    is_disordered: bool,
    border: Border,
    /// How far times are trusted.
    grain: Grain,
}

/// How finely the listing moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grain {
    Millisecond,
    /// The filter, or the times shown, are cut to the second.
    Second,
    /// Neighbours in the list may be up to a second out of order.
    TwoSeconds,
}

/// Whether the page under way is known to join the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Border {
    /// There is none before, or the border has come again, or times count as whole seconds.
    Closed,
    /// Builds created then are still to come again.
    Open(DateTime<Utc>),
}

/// What to do with a build of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    New,
    Before,
    /// The server did not keep to the interval: its answers cannot be trusted to be complete.
    Outside,
}

impl Keyset {
    /// Everything created at or after `from` and before `to`; by page numbers if told so.
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

    /// Notes a build of the page under way.
    pub(crate) fn accept(&mut self, id: &str, created_at: Timestamp) -> Seen {
        let is_late = self.to.is_some_and(|to| created_at.at >= to + TOLERANCE);
        let is_early = self
            .from
            .is_some_and(|from| created_at.at < from - TOLERANCE);
        if is_late || is_early {
            return Seen::Outside;
        }
        match self.oldest {
            Some(oldest) if created_at.at > oldest.at + TOLERANCE => self.is_disordered = true,
            Some(oldest) if created_at.at > oldest.at => self.grain = Grain::TwoSeconds,
            Some(oldest) if created_at.at == oldest.at => {}
            _ => self.oldest = Some(created_at),
        }
        self.newest = self.newest.max(Some(created_at.at));
        if let Some(at) = self.seen.get(id) {
            if self.border == Border::Open(*at) {
                self.border = Border::Closed;
            }
            return Seen::Before;
        }
        self.seen.insert(id.to_owned(), created_at.at);
        Seen::New
    }

    /// The page under way has been read to its end, and another follows.
    pub(crate) fn next_page(&mut self) {
        if !self.advance() {
            self.page += 1;
        }
    }

    /// The page under way broke off. What was read of it counts; returns whether that was
    /// anything.
    pub(crate) fn broke_off(&mut self) -> bool {
        self.oldest.is_some() && self.joins() && self.advance()
    }

    /// Takes a build back: it is to be asked for again.
    pub(crate) fn forget(&mut self, id: &str) {
        self.seen.remove(id);
    }

    /// Whether nothing can lie between the page under way and the one before. If not, the interval
    /// is widened, and has to be asked for again.
    pub(crate) fn joins(&mut self) -> bool {
        if self.border == Border::Closed {
            return true;
        }
        self.border = Border::Closed;
        self.grain = self.grain.max(Grain::Second);
        self.oldest = None;
        self.page = 1;
        self.to = self
            .to
            .map(|to| second_after(to - TimeDelta::milliseconds(1)));
        false
    }

    /// When the newest build seen was created.
    pub(crate) fn newest(&self) -> Option<DateTime<Utc>> {
        self.newest
    }

    /// The interval's new upper end: everything at or after it has been read.
    pub(crate) fn remaining_to(&self) -> Option<DateTime<Utc>> {
        self.to
    }

    /// Whether the page under way begins with builds that have been read: so it is never empty,
    /// unless they have been removed.
    pub(crate) fn repeats(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Whether a page number is in use, which depends on the page size.
    pub(crate) fn is_numbered(&self) -> bool {
        self.page > 1
    }

    /// The page number in use.
    pub(crate) fn page(&self) -> u32 {
        self.page
    }

    /// Goes back to the first page of the interval, because the page size changes.
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
            Grain::TwoSeconds => second_after(oldest.at) + TOLERANCE,
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
        self.seen.retain(|_, at| *at < to + TOLERANCE * 2);
        true
    }
}

/// The first whole second behind a moment.
fn second_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let past = TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(1000));
    at - past + TOLERANCE
}

#[cfg(test)]
mod tests {
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
    fn the_next_page_begins_right_behind_the_oldest_build_seen() {
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
    fn a_page_out_of_one_millisecond_asks_for_page_two_and_forgets_it_afterwards() {
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
    fn a_page_that_broke_off_counts_as_far_as_it_came() {
        let mut keyset = Keyset::new(None, None, false);
        assert!(!keyset.broke_off());
        keyset.accept("a", at(10));
        assert!(keyset.broke_off());
        assert_eq!(keyset.remaining_to(), Some(at(11).at));
    }

    #[test]
    fn a_page_that_does_not_repeat_the_border_is_asked_for_again_up_to_the_full_second() {
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
}

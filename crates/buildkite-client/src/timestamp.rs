//! Buildkite's timestamps, in every form seen.
//!
//! `2015-05-09T21:05:59.874Z` is the rule. Older answers have `2013-09-03 13:24:38 UTC` and
//! `…T22:30:00Z`, and programs that store answers drop trailing zeros (API facts 6, shape of real
//! data). The precision matters: a time cut to the second only tells which second it was.

use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, TimeDelta, Utc};

/// A moment as Buildkite writes it, with the precision of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    /// The moment.
    pub at: DateTime<Utc>,
    /// How much later the true moment may be, because the text was cut: 1 ms or 1 s.
    pub precision: TimeDelta,
}

impl Timestamp {
    /// Reads any known form. Returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let at = match DateTime::parse_from_rfc3339(text) {
            Ok(at) => at.with_timezone(&Utc),
            Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f UTC")
                .ok()?
                .and_utc(),
        };
        // The API's filters cannot express other years, and sums of them could overflow.
        if !(0..=9999).contains(&at.year()) {
            return None;
        }
        let has_fraction = text.contains('.');
        Some(Self {
            at,
            precision: TimeDelta::milliseconds(if has_fraction { 1 } else { 1000 }),
        })
    }

    /// The first moment that is certainly later.
    pub fn next(self) -> DateTime<Utc> {
        self.at
            .checked_add_signed(self.precision)
            .unwrap_or(self.at)
    }
}

/// Formats a time for the API's time filters: RFC 3339 in UTC with milliseconds.
pub fn format_timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_known_form_is_read_with_its_precision() {
        for (text, millis, precision) in [
            ("2015-05-09T21:05:59.874Z", 874, 1),
            ("2026-03-23T07:44:34.26Z", 260, 1),
            ("2025-09-14T22:30:00Z", 0, 1000),
            ("2013-09-03 13:24:38 UTC", 0, 1000),
        ] {
            let read = Timestamp::parse(text).unwrap();
            assert_eq!(read.at.timestamp_subsec_millis(), millis, "{text}");
            assert_eq!(read.precision.num_milliseconds(), precision, "{text}");
        }
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn a_year_that_no_filter_can_express_is_not_a_time() {
        for text in [
            "+262142-12-31 23:59:59 UTC",
            "-262143-01-01 00:00:00 UTC",
            "+10000-01-01 00:00:00 UTC",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_read(text in ".{0,30}", digits in "[+0-9:. TZUC-]{0,40}") {
            for text in [text, digits] {
                if let Some(read) = Timestamp::parse(&text) {
                    let _formatted = (format_timestamp(read.at), format_timestamp(read.next()));
                }
            }
        }
    }

    #[test]
    fn an_offset_is_converted_to_utc() {
        let read = Timestamp::parse("2026-01-01T02:00:00.000+02:00").unwrap();
        assert_eq!(format_timestamp(read.at), "2026-01-01T00:00:00.000Z");
    }
}

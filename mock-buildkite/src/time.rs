//! Timestamps: every form that the API ever served is read, and one form is written.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};

/// Microseconds since 1970 of a timestamp in any form that was ever served:
/// `2015-04-23 17:26:52 UTC`, `…T…:ss.mmmZ`, fewer or no decimals, an offset, or a date alone. A time
/// without a zone is in UTC.
pub(crate) fn parse_micros(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        // RFC 3339 also allows a space for the `T`: only the form with ` UTC` has one here.
        return text.contains(['T', 't']).then(|| time.timestamp_micros());
    }
    let naive = text.strip_suffix(" UTC").unwrap_or(text);
    for form in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(naive, form) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

/// Milliseconds since 1970 of a timestamp in any form.
pub(crate) fn parse_millis(text: &str) -> Option<i64> {
    parse_micros(text).map(|micros| micros.div_euclid(1000))
}

/// Appends `2026-03-23T07:44:34.264Z` without quotes.
///
/// The digits are written here because one page holds thousands of times, and chrono's formatter
/// takes ten times as long.
pub(crate) fn write_millis(out: &mut Vec<u8>, millis: i64) {
    let time = to_chrono(millis).naive_utc();
    digits(out, time.year().unsigned_abs(), 4);
    out.push(b'-');
    digits(out, time.month(), 2);
    out.push(b'-');
    digits(out, time.day(), 2);
    out.push(b'T');
    digits(out, time.hour(), 2);
    out.push(b':');
    digits(out, time.minute(), 2);
    out.push(b':');
    digits(out, time.second(), 2);
    out.push(b'.');
    digits(out, time.and_utc().timestamp_subsec_millis(), 3);
    out.push(b'Z');
}

/// The timestamp as a string, `2026-03-23T07:44:34.264Z`.
pub(crate) fn millis_to_string(millis: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_millis(&mut out, millis);
    String::from_utf8(out).expect("digits are text")
}

/// A moment as chrono's type; the epoch if it is out of chrono's range.
pub(crate) fn to_chrono(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn digits(out: &mut Vec<u8>, value: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_u32.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_the_same_moment() {
        for millis in [0, 951_782_400_123, 1_771_000_000_001, 1_709_164_799_999] {
            assert_eq!(parse_millis(&millis_to_string(millis)), Some(millis));
        }
        assert_eq!(
            millis_to_string(951_782_400_123),
            "2000-02-29T00:00:00.123Z"
        );
    }

    #[test]
    fn every_form_ever_served_is_read() {
        let moment = parse_millis("2015-04-23T17:26:52.000Z");
        assert!(moment.is_some());
        for text in [
            "2015-04-23 17:26:52 UTC",
            "2015-04-23T17:26:52Z",
            "2015-04-23T17:26:52.0Z",
            "2015-04-23T17:26:52",
            "2015-04-23T17:26:52.000000",
            "2015-04-23 17:26:52",
            "2015-04-23T19:26:52+02:00",
        ] {
            assert_eq!(parse_millis(text), moment, "{text}");
        }
    }

    #[test]
    fn an_offset_whose_plus_was_not_encoded_is_refused() {
        assert_eq!(parse_millis("2015-04-23T19:26:52 02:00"), None);
    }
}

//! Timestamps as the API writes them: every form is read, one form is written.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// Microseconds since 1970 of a timestamp in any form that was ever served:
/// `2015-04-23 17:26:52 UTC`, `…T…:ss.mmmZ`, fewer or no decimals, an offset, or a date alone.
pub(crate) fn parse_micros(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        // RFC 3339 also allows a space for the `T`: only the form with ` UTC` has one here.
        return text.contains(['T', 't']).then(|| time.timestamp_micros());
    }
    if let Some(naive) = text.strip_suffix(" UTC") {
        let time = NaiveDateTime::parse_from_str(naive, "%Y-%m-%d %H:%M:%S%.f").ok()?;
        return Some(time.and_utc().timestamp_micros());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

/// Milliseconds since 1970 of a timestamp in any form.
pub(crate) fn parse_millis(text: &str) -> Option<i64> {
    parse_micros(text).map(|micros| micros.div_euclid(1000))
}

/// Writes `2026-03-23T07:44:34.264Z` without quotes. By hand, since one page holds thousands.
pub(crate) fn write_millis(out: &mut Vec<u8>, millis: i64) {
    let days = millis.div_euclid(86_400_000);
    let rest = millis.rem_euclid(86_400_000);
    let (year, month, day) = civil_from_days(days);
    digits(out, year, 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
    out.push(b'T');
    digits(out, rest / 3_600_000, 2);
    out.push(b':');
    digits(out, rest / 60_000 % 60, 2);
    out.push(b':');
    digits(out, rest / 1000 % 60, 2);
    out.push(b'.');
    digits(out, rest % 1000, 3);
    out.push(b'Z');
}

/// The timestamp as a string, `2026-03-23T07:44:34.264Z`.
pub(crate) fn millis_to_string(millis: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_millis(&mut out, millis);
    String::from_utf8(out).expect("digits are text")
}

/// A moment as chrono's type; the epoch if it is beyond chrono's range.
pub(crate) fn to_chrono(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
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

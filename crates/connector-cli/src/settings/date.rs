//! Dates relative to now: `7d`, `2 weeks ago`, `yesterday`.

use chrono::{DateTime, Days, Months, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// The date that `text` means at `now`, RFC 3339 in UTC; `None` if it is not a relative date.
pub(super) fn resolve(text: &str, now: DateTime<Utc>) -> Option<String> {
    let words = text.trim().to_ascii_lowercase();
    let date = match words.as_str() {
        "today" => midnight(now),
        "yesterday" => midnight(now.checked_sub_days(Days::new(1))?),
        words => before(words, now)?,
    };
    Some(date.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// A number and a unit, optionally with `ago`.
fn before(words: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let words = words.strip_suffix("ago").unwrap_or(words).trim();
    let digits = words.trim_start_matches(|c: char| c.is_ascii_digit());
    let (number, unit) = words.split_at(words.len() - digits.len());
    let number: u32 = number.parse().ok()?;
    let days = |each: u64| now.checked_sub_days(Days::new(each.checked_mul(number.into())?));
    match unit.trim() {
        "h" | "hour" | "hours" => now.checked_sub_signed(TimeDelta::try_hours(number.into())?),
        "d" | "day" | "days" => days(1),
        "w" | "week" | "weeks" => days(7),
        "month" | "months" => now.checked_sub_months(Months::new(number)),
        "y" | "year" | "years" => now.checked_sub_months(Months::new(number.checked_mul(12)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Option<String> {
        resolve(text, "2026-03-01T12:30:00Z".parse().unwrap())
    }

    #[test]
    fn a_relative_date_is_counted_back_in_utc() {
        for (text, date) in [
            ("7d", "2026-02-22T12:30:00Z"),
            ("7 days ago", "2026-02-22T12:30:00Z"),
            ("1 Day", "2026-02-28T12:30:00Z"),
            ("2w", "2026-02-15T12:30:00Z"),
            ("36h", "2026-02-28T00:30:00Z"),
            ("1 month ago", "2026-02-01T12:30:00Z"),
            ("2 years ago", "2024-03-01T12:30:00Z"),
            ("today", "2026-03-01T00:00:00Z"),
            (" Yesterday ", "2026-02-28T00:00:00Z"),
        ] {
            assert_eq!(resolved(text).as_deref(), Some(date), "{text}");
        }
    }

    #[test]
    fn anything_else_is_left_to_the_connector() {
        for text in [
            "2026-01-31",
            "7",
            "d",
            "7 parsecs",
            "",
            "ago",
            "-7d",
            "99999999999d",
        ] {
            assert_eq!(resolved(text), None, "{text}");
        }
        assert_eq!(resolved("4294967295 years"), None);
    }
}

//! Cron lines of schedules: `@daily`, `30 4 * * 1`. A time zone after the line is ignored.
//!
//! Written here because the crates for it bring a parser of regular expressions into the program
//! that links this fake.

use std::str::FromStr;

use chrono::{Datelike, Timelike};

/// When a schedule starts builds. Times are UTC.
#[derive(Debug, Clone)]
pub(crate) struct Cron {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Vec<u32>,
    months: Vec<u32>,
    weekdays: Vec<u32>,
}

/// The text is no cron line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotCron;

impl FromStr for Cron {
    type Err = NotCron;

    fn from_str(text: &str) -> Result<Self, NotCron> {
        let line = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            line => line,
        };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays, ..] = fields.as_slice() else {
            return Err(NotCron);
        };
        if fields.len() > 6 {
            return Err(NotCron);
        }
        Ok(Self {
            minutes: values(minutes, 0, 59)?,
            hours: values(hours, 0, 23)?,
            days: values(days, 1, 31)?,
            months: values(months, 1, 12)?,
            weekdays: values(weekdays, 0, 7)?
                .into_iter()
                .map(|day| day % 7)
                .collect(),
        })
    }
}

impl Cron {
    /// The first time after another, in milliseconds since 1970; none within four years.
    pub(crate) fn next(&self, after: i64) -> Option<i64> {
        const MINUTE: i64 = 60_000;
        const MOST_DAYS: i64 = 4 * 366;
        let mut time = (after.div_euclid(MINUTE) + 1) * MINUTE;
        let end = after + MOST_DAYS * 86_400_000;
        while time < end {
            let now = crate::time::to_chrono(time);
            let is_day = self.days.contains(&now.day())
                && self.months.contains(&now.month())
                && self
                    .weekdays
                    .contains(&now.weekday().num_days_from_sunday());
            if !is_day {
                time = (time.div_euclid(86_400_000) + 1) * 86_400_000;
            } else if self.hours.contains(&now.hour()) && self.minutes.contains(&now.minute()) {
                return Some(time);
            } else {
                time += MINUTE;
            }
        }
        None
    }
}

/// The values of a field such as `*`, `*/15`, `1-5` or `1,3,5`.
fn values(field: &str, first: u32, last: u32) -> Result<Vec<u32>, NotCron> {
    let mut values = Vec::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: usize = step.parse().map_err(|_| NotCron)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| NotCron);
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(range)?, number(range)?),
        };
        if step == 0 || from < first || to > last || from > to {
            return Err(NotCron);
        }
        values.extend((from..=to).step_by(step));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{millis_to_string, parse_millis};

    fn next(line: &str) -> Option<String> {
        let now = parse_millis("2026-08-20T12:07:30.000Z")?;
        let cron: Cron = line.parse().ok()?;
        cron.next(now).map(millis_to_string)
    }

    #[test]
    fn the_next_time_follows_the_line() {
        for (line, expected) in [
            ("@hourly", Some("2026-08-20T13:00:00.000Z")),
            ("@daily", Some("2026-08-21T00:00:00.000Z")),
            ("*/15 * * * *", Some("2026-08-20T12:15:00.000Z")),
            ("30 4 * * 1", Some("2026-08-24T04:30:00.000Z")),
            ("0 9-17 * * 1-5", Some("2026-08-20T13:00:00.000Z")),
            ("0 0 29 2 *", Some("2028-02-29T00:00:00.000Z")),
            ("hello", None),
            ("61 * * * *", None),
            ("* * * *", None),
        ] {
            assert_eq!(next(line).as_deref(), expected, "{line}");
        }
    }
}

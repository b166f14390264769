//! Numbers for people.

use std::time::Duration;

use connector_core::WaitReason;
use indicatif::{HumanBytes, HumanCount};
use sync_runner::{Notice, Snapshot, Wait};

/// `0.4 s`, `42 s`, `3 min 5 s`, `2 h 7 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 if duration.subsec_millis() >= 50 => format!("{:.1} s", duration.as_secs_f64()),
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `1 record`, `2 records`, `1,000 records`.
pub(crate) fn counted(count: u64, singular: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", HumanCount(count))
}

/// The reason for a wait, and how much longer it takes.
pub(crate) fn waiting(wait: &Wait) -> String {
    // Rounded up, because "0 s" would not be a wait.
    let left = wait.left.as_millis().div_ceil(1000);
    let left = duration(Duration::from_secs(u64::try_from(left).unwrap_or(u64::MAX)));
    match &wait.reason {
        WaitReason::RateLimit(limit) => format!("waiting {left} for the rate limit ({limit})"),
        WaitReason::Retry(failure) => format!("waiting {left} before a retry ({failure})"),
        WaitReason::Remote(what) => format!("waiting {left} {what}"),
        _ => format!("waiting {left}"),
    }
}

/// A notice with the stream that it is about.
pub(crate) fn notice(notice: &Notice) -> String {
    host_kit::about(notice.stream.as_ref(), notice.message.clone())
}

/// What happens now. The wait comes first, because a narrow terminal cuts the rest.
pub(crate) fn status(now: &Snapshot) -> String {
    let total = format!(
        "{}, requests: {}",
        HumanBytes(now.bytes()),
        HumanCount(now.total.requests)
    );
    match &now.waiting {
        Some(wait) => format!("{}; {total}", waiting(wait)),
        None if now.streams.is_empty() => "connecting".to_owned(),
        None => total,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_they_are_useful() {
        for (millis, text) in [
            (0, "0 s"),
            (430, "0.4 s"),
            (9_020, "9 s"),
            (42_900, "42 s"),
            (185_000, "3 min 5 s"),
            (7_620_000, "2 h 7 min"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(1_234, "record"), "1,234 records");
        assert_eq!(counted(0, "record"), "0 records");
    }
}

//! Numbers for people.

use std::time::Duration;

use connector_core::Waiting;
use sync_runner::{Notice, Wait};

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

/// What is waited for, and how long still.
pub(crate) fn wait(wait: &Wait) -> String {
    // Rounded up: "0 s" is no wait.
    let left = duration(Duration::from_secs(
        wait.left.as_millis().div_ceil(1000) as u64
    ));
    match &wait.reason {
        Waiting::RateLimit(limit) => format!("waiting {left} for the rate limit ({limit})"),
        Waiting::Retry(failure) => format!("waiting {left} to try again ({failure})"),
        Waiting::Remote(what) => format!("waiting {left} {what}"),
        _ => format!("waiting {left}"),
    }
}

/// A notice with the stream it is about.
pub(crate) fn notice(notice: &Notice) -> String {
    match &notice.stream {
        Some(stream) => format!("{stream}: {}", notice.message),
        None => notice.message.clone(),
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
}

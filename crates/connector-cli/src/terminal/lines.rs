//! Progress as lines: one every ten seconds, and one for each longer wait.

use std::time::{Duration, Instant};

use indicatif::HumanCount;
use sync_runner::{Snapshot, StreamStatus};

use super::Terminal;
use crate::figures;

const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Shorter waits are not worth a line.
const WAIT_WORTH_A_LINE: Duration = Duration::from_secs(2);

/// The lines of one command.
pub(super) struct Lines {
    last: Instant,
    last_wait: u64,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            last: Instant::now(),
            last_wait: 0,
        }
    }

    pub(super) fn update(&mut self, now: &Snapshot, terminal: &Terminal) {
        if let Some(wait) = &now.waiting
            && wait.number != self.last_wait
            && wait.left > WAIT_WORTH_A_LINE
        {
            self.last_wait = wait.number;
            terminal.say(figures::waiting(wait));
        }
        if self.last.elapsed() >= BETWEEN_LINES {
            self.last = Instant::now();
            terminal.say(line(now));
        }
    }
}

/// The count of each stream that has begun, and what happens now.
fn line(now: &Snapshot) -> String {
    let has_begun = |status| status != StreamStatus::Pending;
    let begun = now.streams.iter().filter(|s| has_begun(s.status));
    let streams = begun.map(|s| match s.estimate.filter(|e| *e > s.records) {
        Some(estimate) => {
            let (records, estimate) = (HumanCount(s.records), HumanCount(estimate));
            format!("{} {records} of about {estimate}, ", s.stream)
        }
        None => format!("{} {}, ", s.stream, HumanCount(s.records)),
    });
    streams.collect::<String>() + &figures::status(now)
}

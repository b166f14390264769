//! What a copy holds.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connector_core::{StoredStream, StoredSync};
use indicatif::HumanCount;
use serde::Serialize;

use super::table;
use crate::figures;

const HEADER: [&str; 5] = ["stream", "rows", "removed", "sync", "last sync"];

/// What a copy holds, and how fresh it is. `Display` is a table.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    streams: Vec<StreamStock>,
    syncs: Vec<StoredSync>,
}

#[derive(Debug, Clone, Serialize)]
struct StreamStock {
    #[serde(flatten)]
    stored: StoredStream,
    /// The sync that committed the stream last, and when.
    sync: Option<StoredSync>,
}

impl StatusReport {
    /// A copy with these streams, which no sync covers yet.
    #[must_use]
    pub fn new(streams: Vec<StoredStream>) -> Self {
        let stock = |stored| StreamStock { stored, sync: None };
        Self {
            streams: streams.into_iter().map(stock).collect(),
            syncs: Vec::new(),
        }
    }

    /// Adds a sync and the streams that its state covers.
    pub fn add(&mut self, sync: StoredSync, covered: &[String]) {
        for stock in &mut self.streams {
            let is_covered = covered
                .iter()
                .any(|name| *name == stock.stored.stream.as_str());
            let before = stock
                .sync
                .as_ref()
                .and_then(|sync| sync.committed_at.as_ref());
            if is_covered && before <= sync.committed_at.as_ref() {
                stock.sync = Some(sync.clone());
            }
        }
        self.syncs.push(sync);
    }
}

impl fmt::Display for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.streams.is_empty() {
            return write!(f, "The copy holds no stream yet.");
        }
        let now = Utc::now();
        let rows = self.streams.iter().map(|stock| {
            [
                stock.stored.stream.to_string(),
                HumanCount(stock.stored.rows).to_string(),
                HumanCount(stock.stored.removed).to_string(),
                stock
                    .sync
                    .as_ref()
                    .map_or_else(String::new, |sync| sync.name.clone()),
                last(stock.sync.as_ref(), now),
            ]
        });
        write!(f, "{}", table(HEADER, rows, 1..3))
    }
}

/// `2026-11-28T10:15:00.000Z, 3 min 5 s ago`.
fn last(sync: Option<&StoredSync>, now: DateTime<Utc>) -> String {
    let Some(at) = sync.and_then(|sync| sync.committed_at.as_deref()) else {
        return String::new();
    };
    let passed = DateTime::parse_from_rfc3339(at).ok();
    let passed = passed.and_then(|at| (now - at.to_utc()).to_std().ok());
    match passed {
        Some(passed) => format!("{at}, {} ago", figures::duration(whole_seconds(passed))),
        None => at.to_owned(),
    }
}

fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_as_fresh_as_the_last_sync_that_covers_it() {
        let mut report = StatusReport::new(vec![
            StoredStream::new("builds", 1_200, 3),
            StoredStream::new("notes", 2, 0),
        ]);
        for (name, at) in [("b", "2026-01-02T00:00:00Z"), ("a", "2026-01-01T00:00:00Z")] {
            let sync = StoredSync::new(name, Some(at.to_owned()));
            report.add(sync, &["builds".to_owned()]);
        }
        let text = report.to_string();
        let row = |name: &str| text.lines().find(|line| line.contains(name)).unwrap();
        assert!(row("builds").contains("1,200"), "{text}");
        assert!(row("builds").contains(" b "), "{text}");
        assert!(row("builds").contains("2026-01-02T00:00:00Z, "), "{text}");
        assert_eq!(row("notes").split_whitespace().count(), 3, "{text}");
    }
}

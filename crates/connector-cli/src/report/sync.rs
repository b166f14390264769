//! The table at the end of a sync.

use std::fmt;

use indicatif::{HumanBytes, HumanCount};
use sync_runner::{Ending, Report, StreamProgress, StreamStatus, Traffic};

use super::table;
use crate::figures::{self, counted};

const HEADER: [&str; 6] = ["stream", "records", "size", "requests", "waited", "state"];

/// What a sync did. `Display` is a table and a sentence.
#[derive(Debug, Clone, Copy)]
pub struct SyncReport<'a>(pub &'a Report);

impl SyncReport<'_> {
    /// A sentence for each stream with rejected records: how many there were, and why.
    pub fn rejections(&self) -> impl Iterator<Item = String> {
        let streams = self.0.progress.streams.iter();
        streams.filter(|stream| stream.rejected > 0).map(|stream| {
            let is_saved = stream.rejected == stream.saved;
            format!(
                "{}: {} rejected{}: {}",
                stream.stream,
                counted(stream.rejected, "record"),
                if is_saved { " and saved" } else { "" },
                stream.reasons.join("; ")
            )
        })
    }

    fn rows(&self) -> Vec<[String; 6]> {
        let progress = &self.0.progress;
        let stream = |stream: &StreamProgress| {
            let numbers = (stream.records, stream.bytes);
            row(
                stream.stream.as_str(),
                numbers,
                &stream.traffic,
                self.state(stream),
            )
        };
        let mut rows: Vec<_> = progress.streams.iter().map(stream).collect();
        let numbers = (progress.records(), progress.bytes());
        rows.push(row("total", numbers, &progress.total, ""));
        rows
    }

    fn state(&self, stream: &StreamProgress) -> &'static str {
        match (stream.status, self.0.ending) {
            (StreamStatus::Complete, _) if stream.rejected > 0 => "complete, some rejected",
            (StreamStatus::Complete, _) => "complete",
            (StreamStatus::Pending, _) => "not started",
            (_, Ending::Stopped) => "stopped",
            _ => "incomplete",
        }
    }

    fn summary(&self) -> String {
        let report = self.0;
        let total = &report.progress.total;
        let (ending, rest) = self.ending();
        let mut summary = format!("{ending} after {}", figures::duration(report.elapsed));
        if total.retries > 0 {
            summary += &format!(", {} repeated", counted(total.retries, "request"));
        }
        if !total.rate_limited.is_zero() {
            let waited = figures::duration(total.rate_limited);
            summary += &format!(", {waited} of it waiting for the rate limit");
        }
        let removed = report.progress.removed();
        if removed > 0 {
            summary += &format!(
                "; {} removed at the source, marked",
                counted(removed, "record")
            );
        }
        summary + "." + rest
    }

    fn ending(&self) -> (&'static str, &'static str) {
        let report = self.0;
        let is_new = !report.resumed || report.progress.records() > 0;
        match report.ending {
            Ending::Complete if report.progress.unsaved() > 0 => {
                ("Finished", " Records were rejected.")
            }
            Ending::Complete if report.progress.rejected() > 0 => {
                ("Complete", " Rejected records were saved.")
            }
            Ending::Complete if is_new => ("Complete", ""),
            Ending::Complete => ("Complete", " There was nothing to read."),
            Ending::Stopped => ("Stopped", " The next sync resumes here."),
            Ending::Incomplete => ("Finished", " Not all streams are complete."),
            _ => ("Failed", ""),
        }
    }
}

impl fmt::Display for SyncReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = table(HEADER, self.rows(), 1..5);
        write!(f, "{}\n\n{}", table.trim_fmt(), self.summary())
    }
}

fn row(name: &str, (records, bytes): (u64, u64), traffic: &Traffic, state: &str) -> [String; 6] {
    [
        name.to_owned(),
        HumanCount(records).to_string(),
        HumanBytes(bytes).to_string(),
        HumanCount(traffic.requests).to_string(),
        figures::duration(traffic.waited()),
        state.to_owned(),
    ]
}

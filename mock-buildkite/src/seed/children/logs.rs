//! Logs of jobs.

use serde_json::{Value, json};

use super::BuildChildren;
use crate::document::Document;
use crate::time::parse_millis;

impl BuildChildren<'_> {
    /// `GET JOB/log`: sections, colors and time marks. The log of a job that runs is not whole.
    pub(super) fn log(&self, job: &Document) -> Value {
        let id = job.text("id").unwrap_or_default();
        let mut rng = self.rng(40, &id);
        let started = job.text("started_at").and_then(|time| parse_millis(&time));
        let mut time = started.unwrap_or(0);
        let mut content = String::new();
        let mut header_times = Vec::new();
        let mut say = |time: i64, line: &str| {
            content.push_str(&format!("\u{1b}_bk;t={time}\u{7}{line}\r\n"));
        };
        let command = job.text("command").unwrap_or_default();
        for header in ["~~~ Preparing working directory", "~~~ Running commands"] {
            // Nanoseconds: beyond what a float holds.
            header_times.push(time * 1_000_000 + rng.skewed(0, 999_999));
            say(time, header);
            for line in 0..rng.below(6) {
                time += rng.skewed(1, 3000);
                say(time, &format!("\u{1b}[90m$\u{1b}[0m step {line}: ✓ größer"));
            }
        }
        for line in command.lines() {
            time += rng.skewed(1, 900);
            say(time, &format!("\u{1b}[90m$\u{1b}[0m {line}"));
        }
        if let Some(status) = job
            .get("exit_status")
            .as_i64()
            .filter(|status| *status != 0)
        {
            say(
                time,
                &format!("\u{1b}[31m🚨 Error: The command exited with status {status}\u{1b}[0m"),
            );
            say(time, "^^^ +++");
        }
        json!({
            "url": format!("{}/jobs/{id}/log", self.url()),
            "size": content.len(),
            "header_times": header_times,
            "content": content,
        })
    }
}

//! One bar for each stream that has begun, and a line for what happens now.

use connector_core::StreamName;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sync_runner::{Snapshot, StreamProgress, StreamStatus};

use super::escape;
use crate::figures;

/// The bars of one command.
pub(super) struct Bars {
    all: MultiProgress,
    status: ProgressBar,
    streams: Vec<(StreamName, ProgressBar)>,
    counting: ProgressStyle,
    estimated: ProgressStyle,
    complete: ProgressStyle,
}

impl Bars {
    pub(super) fn new() -> Self {
        let all = MultiProgress::new();
        let status = ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg}"));
        Self {
            status: all.add(status),
            all,
            streams: Vec::new(),
            counting: style("{prefix:>18} {human_pos:>11} records  {per_sec:0}"),
            estimated: style(
                "{prefix:>18} {human_pos:>11} of about {human_len} {bar:20} {per_sec:0}",
            ),
            complete: style("{prefix:>18} {human_pos:>11} records  complete"),
        }
    }

    /// Lines are printed above this.
    pub(super) fn all(&self) -> MultiProgress {
        self.all.clone()
    }

    pub(super) fn update(&mut self, now: &Snapshot) {
        let begun = |stream: &&StreamProgress| stream.status != StreamStatus::Pending;
        for stream in now.streams.iter().filter(begun) {
            self.update_stream(stream);
        }
        let status = figures::status(now);
        self.status.set_message(escape::line(&status).into_owned());
        self.status.tick();
    }

    pub(super) fn remove(&self) {
        // Without a terminal there are no bars.
        self.all.clear().ok();
        // A bar draws itself once more when it is dropped.
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn update_stream(&mut self, stream: &StreamProgress) {
        let known = self.streams.iter().find(|(name, _)| *name == stream.stream);
        let Some((_, bar)) = known else {
            // The count is set at the next update, because a rate over no time is meaningless.
            return self.add(&stream.stream);
        };
        let count = stream.records + stream.rejected;
        let style = match (stream.status, stream.estimate) {
            (StreamStatus::Complete, _) => &self.complete,
            (_, None) => &self.counting,
            (_, Some(_)) => &self.estimated,
        };
        bar.set_style(style.clone());
        if let Some(estimate) = stream.estimate {
            // The estimate is never below the records already read.
            bar.set_length(estimate.max(count));
        }
        bar.set_position(count);
    }

    fn add(&mut self, name: &StreamName) {
        let bar = ProgressBar::no_length()
            .with_style(self.counting.clone())
            .with_prefix(escape::line(name.as_str()).into_owned());
        let bar = self.all.insert_before(&self.status, bar);
        self.streams.push((name.clone(), bar));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are valid")
}

//! What a person sees while a sync runs: bars on a terminal, lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use connector_core::StreamName;
use indicatif::{
    HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle,
};
use sync_runner::{Snapshot, StreamProgress, StreamStatus};

use crate::args::Verbosity;
use crate::{output, text};

/// How often [`Display::update`] is called.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Shorter waits are not worth a line.
const WAIT_WORTH_A_LINE: Duration = Duration::from_secs(2);

/// Shows one snapshot after the other.
pub(crate) struct Display {
    form: Form,
    notices_shown: usize,
    is_stopping: bool,
}

enum Form {
    Bars(Box<Bars>),
    Lines(Lines),
    Nothing,
}

impl Display {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        let form = match verbosity {
            Verbosity::Quiet => Form::Nothing,
            Verbosity::Normal if std::io::stderr().is_terminal() => {
                Form::Bars(Box::new(Bars::new()))
            }
            _ => Form::Lines(Lines::new()),
        };
        Self {
            form,
            notices_shown: 0,
            is_stopping: false,
        }
    }

    /// Shows what is new in `now`.
    pub(crate) fn update(&mut self, now: &Snapshot, is_stopping: bool) {
        self.show_notices(now);
        if is_stopping && !std::mem::replace(&mut self.is_stopping, true) {
            self.say("stopping: what was read is being written; once more to quit at once");
        }
        match &mut self.form {
            Form::Bars(bars) => bars.update(now),
            Form::Lines(lines) => lines.update(now),
            Form::Nothing => {}
        }
    }

    /// Takes the bars away; what comes next is printed below what was there before.
    pub(crate) fn finish(mut self, last: &Snapshot) {
        self.show_notices(last);
        if let Form::Bars(bars) = &self.form {
            bars.remove();
        }
        if last.notices_left_out > 0 {
            output::warning(format_args!("and {} more", last.notices_left_out));
        }
    }

    fn show_notices(&mut self, now: &Snapshot) {
        for notice in &now.notices[self.notices_shown..] {
            self.say(&format!("warning: {}", text::notice(notice)));
        }
        self.notices_shown = now.notices.len();
    }

    fn say(&self, line: &str) {
        match &self.form {
            Form::Bars(bars) => bars.all.suspend(|| output::say(line)),
            Form::Lines(_) | Form::Nothing => output::say(line),
        }
    }
}

/// One bar per stream that has begun, and below them what goes on.
struct Bars {
    all: MultiProgress,
    status: ProgressBar,
    streams: Vec<(StreamName, ProgressBar)>,
    counting: ProgressStyle,
    estimated: ProgressStyle,
    complete: ProgressStyle,
}

impl Bars {
    fn new() -> Self {
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

    fn update(&mut self, now: &Snapshot) {
        let begun = |stream: &&StreamProgress| stream.status != StreamStatus::Pending;
        for stream in now.streams.iter().filter(begun) {
            self.update_stream(stream);
        }
        self.status.set_message(status(now));
        self.status.tick();
    }

    fn update_stream(&mut self, stream: &StreamProgress) {
        let known = self.streams.iter().find(|(name, _)| *name == stream.stream);
        let Some((_, bar)) = known else {
            // Counts come with the next update: a rate over no time is a wild number.
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
            // What has come already is no guess.
            bar.set_length(estimate.max(count));
        }
        bar.set_position(count);
    }

    fn add(&mut self, name: &StreamName) {
        let bar = ProgressBar::no_length()
            .with_style(self.counting.clone())
            .with_prefix(name.as_str().to_owned());
        let bar = self.all.insert_before(&self.status, bar);
        self.streams.push((name.clone(), bar));
    }

    fn remove(&self) {
        // If the terminal is gone, so are the bars.
        drop(self.all.clear());
        // A bar that is dropped draws itself once more.
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are valid")
}

/// A line every ten seconds, and one for each longer wait.
struct Lines {
    last: Instant,
    last_wait: u64,
}

impl Lines {
    fn new() -> Self {
        Self {
            last: Instant::now(),
            last_wait: 0,
        }
    }

    fn update(&mut self, now: &Snapshot) {
        if let Some(wait) = &now.waiting
            && wait.number != self.last_wait
            && wait.left > WAIT_WORTH_A_LINE
        {
            self.last_wait = wait.number;
            output::say(text::wait(wait));
        }
        if self.last.elapsed() >= BETWEEN_LINES {
            self.last = Instant::now();
            output::say(line(now));
        }
    }
}

/// What goes on at this moment: first what it waits for, because a narrow terminal cuts the rest.
fn status(now: &Snapshot) -> String {
    let total = format!(
        "{}, requests: {}",
        HumanBytes(now.bytes()),
        HumanCount(now.total.requests)
    );
    match &now.waiting {
        Some(wait) => format!("{}; {total}", text::wait(wait)),
        None if now.streams.is_empty() => "connecting".to_owned(),
        None => total,
    }
}

/// The same with the count of each stream that has begun.
fn line(now: &Snapshot) -> String {
    let begun = now
        .streams
        .iter()
        .filter(|s| s.status != StreamStatus::Pending);
    let streams = begun.map(|s| match s.estimate.filter(|e| *e > s.records) {
        Some(estimate) => {
            let (records, estimate) = (HumanCount(s.records), HumanCount(estimate));
            format!("{} {records} of about {estimate}, ", s.stream)
        }
        None => format!("{} {}, ", s.stream, HumanCount(s.records)),
    });
    streams.collect::<String>() + &status(now)
}

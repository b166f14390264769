//! The progress of a command: bars on a terminal, lines elsewhere.

use std::time::Duration;

use sync_runner::Snapshot;

use super::bars::Bars;
use super::lines::Lines;
use super::{Terminal, Verbosity};
use crate::figures;

/// How often [`Display::update`] is called.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// Shows snapshots, one after the other.
pub(crate) struct Display<'a> {
    terminal: &'a Terminal,
    form: Form,
    notices_shown: usize,
    is_stopping: bool,
}

enum Form {
    Bars(Box<Bars>),
    Lines(Lines),
    Nothing,
}

impl<'a> Display<'a> {
    pub(crate) fn new(terminal: &'a Terminal) -> Self {
        let form = match terminal.verbosity {
            Verbosity::Quiet => Form::Nothing,
            Verbosity::Normal if terminal.is_watched => Form::Bars(Box::new(Bars::new())),
            _ => Form::Lines(Lines::new()),
        };
        if let Form::Bars(bars) = &form {
            terminal.attach(Some(bars.all()));
        }
        Self {
            terminal,
            form,
            notices_shown: 0,
            is_stopping: false,
        }
    }

    /// Shows what is new in `now`.
    pub(crate) fn update(&mut self, now: &Snapshot, is_stopping: bool) {
        self.show_notices(now);
        if is_stopping && !std::mem::replace(&mut self.is_stopping, true) {
            let message = "stopping: writing what was read; press Ctrl-C again to quit at once";
            self.terminal.say(message);
        }
        match &mut self.form {
            Form::Bars(bars) => bars.update(now),
            Form::Lines(lines) => lines.update(now, self.terminal),
            Form::Nothing => {}
        }
    }

    /// Removes the bars. What is printed next follows what was printed before them.
    pub(crate) fn finish(mut self, last: &Snapshot) {
        self.show_notices(last);
        self.terminal.attach(None);
        if let Form::Bars(bars) = &self.form {
            bars.remove();
        }
        if last.notices_left_out > 0 {
            let more = format_args!("and {} more", last.notices_left_out);
            self.terminal.warn(more);
        }
    }

    fn show_notices(&mut self, now: &Snapshot) {
        for notice in &now.notices[self.notices_shown..] {
            self.terminal.warn(figures::notice(notice));
        }
        self.notices_shown = now.notices.len();
    }
}

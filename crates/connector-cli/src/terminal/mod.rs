//! The only access to standard input, output and error.
//!
//! Standard output has the answer and nothing else. All other messages go to standard error. Every
//! text passes through [`escape`]. A closed standard error is not a failure.

mod bars;
mod escape;
mod lines;
mod log;
mod progress;
mod signals;
mod streams;
mod watch;

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::MultiProgress;
use secrecy::SecretString;

pub(crate) use escape::line as one_line;
pub(crate) use log::start as start_log;
pub(crate) use streams::StandardStreams;
pub(crate) use watch::{watch, watch_question};

/// No secret is longer, but something piped by mistake may be.
const MAX_SECRET: u64 = 64 * 1024;

/// How much is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// Progress and a report.
    Normal,
    /// Progress, a report and a log. There are no bars, because log lines would break them.
    Log,
}

/// Standard input, output and error.
pub(crate) struct Terminal {
    streams: Mutex<StandardStreams>,
    verbosity: Verbosity,
    has_user: bool,
    /// Standard error is a terminal.
    is_watched: bool,
    width: Option<u16>,
    /// The bars that are on the screen now: lines are printed above them.
    bars: Mutex<Option<MultiProgress>>,
}

impl Terminal {
    pub(crate) fn new(streams: StandardStreams, verbosity: Verbosity) -> Self {
        Self {
            has_user: streams.has_user,
            is_watched: streams.is_watched,
            width: streams.width,
            streams: Mutex::new(streams),
            verbosity,
            bars: Mutex::default(),
        }
    }

    /// Columns of standard output, if it is a terminal.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Prints lines for the user.
    pub(crate) fn say(&self, text: impl Display) {
        if self.verbosity != Verbosity::Quiet {
            self.print(&escape::block(&text.to_string()));
        }
    }

    /// Prints a warning. The command continues.
    pub(crate) fn warn(&self, message: impl Display) {
        self.print(&format!("warning: {}", escape::line(&message.to_string())));
    }

    /// Prints why the command fails.
    pub(crate) fn fail(&self, message: impl Display) {
        self.print(&format!("error: {}", escape::line(&message.to_string())));
    }

    /// Prints what to do about an error, after the error.
    pub(crate) fn advise(&self, text: impl Display) {
        self.print(&escape::block(&text.to_string()));
    }

    /// Prints the answer of a command on standard output.
    ///
    /// # Errors
    /// If it cannot be written to: its reader is gone, or the disk is full.
    pub(crate) fn answer(&self, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        let out = &mut self.streams().out;
        writeln!(out, "{}", escape::block(&text))?;
        out.flush()
    }

    /// A secret from a hidden prompt; `None` without a terminal.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub(crate) fn ask(&self, prompt: &str) -> io::Result<Option<SecretString>> {
        if !self.is_watched {
            return Ok(None);
        }
        let ask = Arc::clone(&self.streams().prompt);
        ask(&escape::line(prompt)).map(Some)
    }

    /// Whether standard input is a terminal.
    pub(crate) fn has_user(&self) -> bool {
        self.has_user
    }

    /// All of standard input.
    ///
    /// # Errors
    /// If it cannot be read, or is not text.
    pub(crate) fn read_input(&self) -> io::Result<SecretString> {
        let mut text = String::new();
        let mut streams = self.streams();
        let mut input = (&mut streams.input).take(MAX_SECRET);
        input.read_to_string(&mut text)?;
        Ok(text.into())
    }

    /// Prints lines above `bars` from now on, until they are removed.
    fn attach(&self, bars: Option<MultiProgress>) {
        *self.bars.lock().unwrap_or_else(PoisonError::into_inner) = bars;
    }

    fn print(&self, text: &str) {
        let bars = self
            .bars
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // If this fails, there is nobody to report it to.
        let write = || writeln!(self.streams().err, "{text}").ok();
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        };
    }

    fn streams(&self) -> MutexGuard<'_, StandardStreams> {
        // A writer that panicked left part of a line, which does no harm.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

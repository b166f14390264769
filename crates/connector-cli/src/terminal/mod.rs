//! The one way to standard input, output and error.
//!
//! Standard output carries the answer and nothing else; everything said on the way goes to
//! standard error. Every text passes [`escape`]. A closed standard error is no reason to fail.

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

/// No secret is longer; what is piped by mistake may be.
const MAX_SECRET: u64 = 64 * 1024;

/// How much is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// Progress and a report.
    Normal,
    /// That, and a log: no bars, which its lines would tear apart.
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

    /// Lines for the person who watches. Nobody needs them to go on.
    pub(crate) fn say(&self, text: impl Display) {
        if self.verbosity != Verbosity::Quiet {
            self.print(&escape::block(&text.to_string()));
        }
    }

    /// Something that the person should know although it goes on.
    pub(crate) fn warn(&self, message: impl Display) {
        self.print(&format!("warning: {}", escape::line(&message.to_string())));
    }

    /// Why it does not go on.
    pub(crate) fn fail(&self, message: impl Display) {
        self.print(&format!("error: {}", escape::line(&message.to_string())));
    }

    /// What to do about an error: lines that follow it.
    pub(crate) fn advise(&self, text: impl Display) {
        self.print(&escape::block(&text.to_string()));
    }

    /// The answer to a command, on standard output.
    ///
    /// # Errors
    /// It cannot be written to: nobody reads it any more, or the disk is full.
    pub(crate) fn answer(&self, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        let out = &mut self.streams().out;
        writeln!(out, "{}", escape::block(&text))?;
        out.flush()
    }

    /// A secret from a hidden prompt; `None` if nobody is there to answer.
    ///
    /// # Errors
    /// What was typed cannot be read.
    pub(crate) fn ask(&self, prompt: &str) -> io::Result<Option<SecretString>> {
        if !self.is_watched {
            return Ok(None);
        }
        let ask = Arc::clone(&self.streams().prompt);
        ask(&escape::line(prompt)).map(Some)
    }

    /// Whether a person sits at standard input.
    pub(crate) fn has_user(&self) -> bool {
        self.has_user
    }

    /// All of standard input.
    ///
    /// # Errors
    /// It cannot be read, or is no text.
    pub(crate) fn read_input(&self) -> io::Result<SecretString> {
        let mut text = String::new();
        let mut streams = self.streams();
        let mut input = (&mut streams.input).take(MAX_SECRET);
        input.read_to_string(&mut text)?;
        Ok(text.into())
    }

    /// Prints lines above `bars` from now on, until they are taken away.
    fn attach(&self, bars: Option<MultiProgress>) {
        *self.bars.lock().unwrap_or_else(PoisonError::into_inner) = bars;
    }

    fn print(&self, text: &str) {
        let bars = self
            .bars
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // Nobody is left to be told if this fails.
        let write = || writeln!(self.streams().err, "{text}").ok();
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        };
    }

    fn streams(&self) -> MutexGuard<'_, StandardStreams> {
        // A writer that panicked has written a part of a line, which harms nothing.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

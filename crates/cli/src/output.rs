//! The one place that writes to stdout and stderr.
//!
//! Stdout carries what was asked for and nothing else; everything said on the way goes to stderr.
//! A closed stderr is no reason to fail, a closed stdout ends the program without a word.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use crate::exit::Exit;

/// One line for the person who watches.
pub(crate) fn say(line: impl Display) {
    // Nobody is left to tell if this fails.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Something the person should know although it goes on.
pub(crate) fn warning(message: impl Display) {
    say(format_args!("warning: {message}"));
}

/// Why it does not go on.
pub(crate) fn error(message: impl Display) {
    say(format_args!("error: {message}"));
}

/// The answer to a command, on stdout.
pub(crate) fn answer(text: impl Display) -> Exit {
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.map_or_else(|error| of_stdout(&error), |()| Exit::Complete)
}

/// The exit code when stdout cannot be written to. A reader that has seen enough (`| head`) is
/// no failure.
pub(crate) fn of_stdout(failure: &std::io::Error) -> Exit {
    if failure.kind() == ErrorKind::BrokenPipe {
        return Exit::Complete;
    }
    error(format_args!("stdout cannot be written to: {failure}"));
    Exit::Machine
}

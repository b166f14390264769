//! The flags that several commands share.

mod copy;
mod source;
pub(crate) mod texts;

use clap::{Arg, ArgAction, ArgMatches, Command};

pub(crate) use copy::{CopyChoice, add_copy, add_destination, add_replica};
pub(crate) use source::{add_declared, add_source, given};

use crate::exit;
use crate::profile::Profile;
use crate::terminal::Verbosity;

pub(crate) const TO: &str = "to";
const QUIET: &str = "quiet";
const VERBOSE: &str = "verbose";
/// The flags of every command come last in its help.
const LAST: usize = 1000;

/// The program itself, without its commands.
pub(crate) fn program(profile: &Profile) -> Command {
    let mut command = Command::new(profile.name.clone())
        .about(profile.about.clone())
        .long_about(joined(&profile.about, &profile.details))
        .after_help(exit::help())
        .after_long_help(joined(&profile.examples, &exit::help()))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(false);
    if !profile.version.is_empty() {
        command = command.version(profile.version.clone());
    }
    command.arg(quiet()).arg(verbose())
}

fn quiet() -> Arg {
    switch(QUIET, "Print only warnings and errors")
        .short('q')
        .global(true)
        .display_order(LAST)
        .conflicts_with(VERBOSE)
}

fn verbose() -> Arg {
    let help = "Log to standard error: -v what happens, -vv each request, -vvv more";
    Arg::new(VERBOSE)
        .short('v')
        .long(VERBOSE)
        .action(ArgAction::Count)
        .global(true)
        .display_order(LAST)
        .help(help)
}

/// How much is reported and how much is logged.
pub(crate) fn verbosity(matches: &ArgMatches) -> (Verbosity, u8) {
    let verbose = matches.get_count(VERBOSE);
    let verbosity = match verbose {
        _ if matches.get_flag(QUIET) => Verbosity::Quiet,
        0 => Verbosity::Normal,
        _ => Verbosity::Log,
    };
    (verbosity, verbose)
}

/// A command of the program, with the exit codes in its help.
pub(crate) fn command(name: &'static str, about: &str, details: &str) -> Command {
    Command::new(name)
        .about(about.to_owned())
        .long_about(joined(about, details))
        .after_help(exit::help())
}

/// A flag without a value.
pub(crate) fn switch(name: &'static str, help: &str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help.to_owned())
}

/// A flag with a value.
pub(crate) fn option(name: &'static str, value_name: &'static str, help: &str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value_name)
        .help(help.to_owned())
}

/// The value of a flag, if the command has that flag and the user gave it.
pub(crate) fn value<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    name: &str,
) -> Option<T> {
    matches.try_get_one::<T>(name).ok().flatten().cloned()
}

/// All values of a flag.
pub(crate) fn values<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    let values = matches.try_get_many::<T>(name).ok().flatten();
    values.into_iter().flatten().cloned().collect()
}

/// Whether the command has this switch and the user gave it.
pub(crate) fn is_on(matches: &ArgMatches, name: &str) -> bool {
    value(matches, name).unwrap_or_default()
}

/// Paragraphs, without empty ones.
pub(crate) fn joined(first: &str, second: &str) -> String {
    let texts = [first, second].into_iter().filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join("\n\n")
}

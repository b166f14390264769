//! `completions`: a script that completes commands and flags in a shell.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::arguments::{self, value};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) const NAME: &str = "completions";
const SHELL: &str = "shell";

pub(crate) fn command() -> Command {
    let about = "Print a script that completes commands and flags in a shell";
    let shell = Arg::new(SHELL)
        .required(true)
        .value_name("SHELL")
        .value_parser(value_parser!(Shell))
        .help("The shell");
    arguments::command(NAME, about, "").arg(shell)
}

/// `program` is the whole command line.
pub(crate) fn run(
    context: &Context,
    matches: &ArgMatches,
    mut program: Command,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    if let Some(shell) = value::<Shell>(matches, SHELL) {
        let name = context.profile.name.clone();
        clap_complete::generate(shell, &mut program, name, &mut script);
    }
    let script = String::from_utf8_lossy(&script);
    context.terminal.answer(script.trim_end())?;
    Ok(Exit::Complete)
}

//! `man`: the manual page.

use clap::{Arg, ArgMatches, Command};
use connector_core::{Error, ErrorKind, did_you_mean};

use crate::arguments::{self, value};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) const NAME: &str = "man";
const PAGE: &str = "page";

pub(crate) fn command() -> Command {
    let details =
        "Save it to a file and show that with `man -l FILE`. Each command has its own page.";
    let page = Arg::new(PAGE)
        .value_name("COMMAND")
        .help("Command whose page to print [default: the program]");
    arguments::command(NAME, "Print the manual page, in roff", details).arg(page)
}

/// `program` is the whole command line.
pub(crate) fn run(
    context: &Context,
    matches: &ArgMatches,
    mut program: Command,
) -> Result<Exit, Failure> {
    program.build();
    let page = match value::<String>(matches, PAGE) {
        Some(name) => find(&program, &name)?,
        None => program,
    };
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff)?;
    let roff = String::from_utf8_lossy(&roff);
    context.terminal.answer(roff.trim_end())?;
    Ok(Exit::Complete)
}

fn find(program: &Command, name: &str) -> Result<Command, Error> {
    program.find_subcommand(name).cloned().ok_or_else(|| {
        let names: Vec<_> = program.get_subcommands().map(Command::get_name).collect();
        let message = format!(
            "no such command{}; commands: {}",
            did_you_mean(name, &names),
            names.join(", ")
        );
        Error::new(ErrorKind::Config, message)
    })
}

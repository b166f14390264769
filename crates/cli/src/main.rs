//! The command line of the connector.
//!
//! It decides where settings come from (flags, a file, the environment, a prompt), what a person
//! sees, and the exit code. What a program that uses the libraries would need too is decided
//! there: in the runner and the plugins.

mod args;
mod commands;
mod config_file;
mod dead_letter_file;
mod demo;
mod exit;
mod logging;
mod output;
mod preview;
mod progress;
mod prompt;
mod report;
mod settings;
mod stop;
mod store;
mod text;
mod token;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if token::is_in(&arguments) {
        output::error(token::IN_ARGUMENTS);
        return Exit::Usage.into();
    }
    match Args::try_parse_from(arguments) {
        Ok(args) => run(args).into(),
        Err(refusal) => exit::of_refusal(&refusal).into(),
    }
}

fn run(args: Args) -> Exit {
    logging::start(args.verbose);
    let verbosity = args.verbosity();
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error(format_args!("the runtime could not be started: {error}"));
            return Exit::Machine;
        }
    };
    let exit = runtime.block_on(async {
        let done = match args.command {
            Command::Sync(args) => commands::sync::run(args, verbosity).await,
            Command::Plan(args) => commands::plan::run(args, verbosity).await,
            Command::Verify(args) => commands::verify::run(args, verbosity).await,
            Command::Check(args) => commands::check::run(args, verbosity).await,
            Command::Artifacts(args) => commands::artifacts::run(args, verbosity).await,
            Command::Sample(args) => commands::sample::run(args, verbosity).await,
            Command::Credential(command) => commands::credential::run(command, verbosity).await,
            Command::Discover(args) => commands::discover::run(args, verbosity).await,
        };
        done.unwrap_or_else(|error| exit::tell(&error))
    });
    // A name lookup that hangs in the operating system must not keep the program.
    runtime.shutdown_background();
    exit
}

/// Two workers: one reads, one writes. More would only cost memory.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

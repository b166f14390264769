//! The command line of any set of connectors: `sync`, `plan`, `verify`, `check`, `discover`,
//! `sample`, `credential`, `completions` and `man`.
//!
//! ```no_run
//! # use connector_core::Registry;
//! # fn start(registry: Registry) -> std::process::ExitCode {
//! connector_cli::main(registry)
//! # }
//! ```
//!
//! [`Program`] sets what a program says of itself and adds commands of its own. What a service or
//! a console needs as well is a library: [`settings`] puts flags, variables and files together,
//! [`credentials`] finds what opens a remote, and [`report`] says what was done.
//!
//! This crate decides where settings come from, what a person sees, and the exit code. What every
//! host needs is decided in `host-kit`, and how records move in `sync-runner`. No vendor is known
//! here: names, flags, locations and variables are what a connector declares.

mod arguments;
mod commands;
mod context;
pub mod credentials;
mod demo;
mod exit;
mod extension;
mod failure;
mod figures;
mod observing;
mod profile;
mod program;
pub mod report;
mod run;
pub mod settings;
mod terminal;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::ExitCode;

use connector_core::Registry;

pub use clap;
pub use demo::{Demo, RunningDemo};
pub use exit::Exit;
pub use extension::{CustomCommand, Invocation};
pub use failure::Failure;
pub use program::Program;

/// Runs the command line of these connectors, under the name of the executable.
///
/// The default source and destination are the only ones there are; otherwise a command says which.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    let executable = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&executable).file_stem().unwrap_or_default();
    let name = name.to_str().unwrap_or("connector");
    Program::new(name, "", registry).run()
}

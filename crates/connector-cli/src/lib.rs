//! The command line of any set of connectors: `sync`, `plan`, `verify`, `status`, `check`,
//! `discover`, `sample`, `credential`, `completions` and `man`.
//!
//! ```no_run
//! # use connector_core::Registry;
//! # fn start(registry: Registry) -> std::process::ExitCode {
//! connector_cli::main(registry)
//! # }
//! ```
//!
//! [`Program`] sets name, help and defaults, and adds commands. Other programs can use the parts:
//! [`settings`] combines flags, variables and files, [`credentials`] finds the credential for a
//! remote, and [`report`] describes what was done.
//!
//! This crate decides where settings come from, what the user sees, and the exit code. `host-kit`
//! decides what all hosts share, and `sync-runner` how records move. No vendor is known here:
//! connectors declare names, flags, locations and variables.

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
/// If there is exactly one source or destination, it is the default. Otherwise the user names one.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    let executable = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&executable).file_stem().unwrap_or_default();
    let name = name.to_str().unwrap_or("connector");
    Program::new(name, "", registry).run()
}

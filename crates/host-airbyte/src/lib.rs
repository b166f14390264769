//! Serves any connector over the Airbyte protocol: `spec`, `check`, `discover`, `read`, `write`.
//!
//! It decides what the messages look like and what the exit status says. Hosts drop standard
//! error, so whatever a user must know is a message on standard output, where nothing else is
//! written; and they forgive an error message, so a read that is not whole never exits with 0.
//!
//! # State
//! Airbyte's hosts keep a state for each stream (PyAirbyte drops the global form), and so may the
//! hosts of a connector: its [`State`](connector_core::State) has one value per stream. Each
//! value travels with what it takes to read it alone:
//! `{"connector":"buildkite","version":2,"value":…}`, null once there is nothing to go on from.
//! A checkpoint becomes one message for each stream whose value has changed.
//!
//! ```no_run
//! # use connector_core::Connector;
//! # fn start(connector: &dyn Connector) -> std::process::ExitCode {
//! host_airbyte::main(connector, host_airbyte::Role::Source)
//! # }
//! ```

mod arguments;
mod catalog;
mod describe;
mod output;
mod read;
mod run;
mod state;
mod write;

pub use run::{Role, main, run};

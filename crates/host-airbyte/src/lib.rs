//! Serves any connector over the Airbyte protocol: `spec`, `check`, `discover`, `read`, `write`.
//!
//! It decides what the messages look like and what the exit status says. Hosts drop standard
//! error, so whatever a user must know is a message on standard output, where nothing else is
//! written. They forgive an error message, so an incomplete read never exits with 0.
//!
//! # State
//! Airbyte's hosts keep a state for each stream (PyAirbyte drops the global form). A connector's
//! [`State`](connector_core::State) has one value per stream, so it can be divided. Each
//! value travels with what it takes to read it alone:
//! `{"connector":"example","version":2,"value":…}`. The value is null if there is nothing to
//! resume from.
//!
//! A checkpoint becomes one message for each stream whose value has changed. When a stream
//! completes, its state is repeated if records came after it, or if it had none in this read: the
//! last message of a stream's data is always a state.
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
mod role;
mod run;
mod state;
mod write;

pub use host_kit::HostContext;
pub use role::Role;
pub use run::{main, main_with, run};

//! Serves any connector over the Airbyte protocol: `spec`, `check`, `discover`, `read`, `write`.
//!
//! It decides the form of messages and the exit status. Hosts drop standard error, so everything
//! that a user must know is a message on standard output, and nothing else is written there. Hosts
//! also ignore error messages if the exit status is 0, so an incomplete read never exits with 0.
//!
//! # State
//! Airbyte's hosts keep a state for each stream (PyAirbyte drops the global form). A connector's
//! [`State`](connector_core::State) has one value per stream, so it can be divided. Each
//! value carries what is needed to read it alone:
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

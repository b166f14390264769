//! Serves any connector as a Singer tap and a Singer target.
//!
//! It decides the form of messages, what a catalog selects, and the exit status. Standard output
//! has messages, or the states of a target, and nothing else. What people must know goes to
//! standard error.
//!
//! # State
//! Singer keeps one value for a whole tap. A [`State`](connector_core::State) is written in the
//! form that taps use, with a bookmark for each stream:
//! `{"bookmarks":{"orders":…,"customers":…},"connector":"example","version":2}`. Bookmarks of
//! streams that are not selected this time are passed on unchanged.
//!
//! Targets forget a state that records follow. So the last state is repeated after each stream
//! with records, and no read ends without one.
//!
//! ```no_run
//! # use connector_core::Connector;
//! # fn start(connector: &dyn Connector) -> std::process::ExitCode {
//! host_singer::main(connector, host_singer::Role::Tap)
//! # }
//! ```

mod about;
mod arguments;
mod discovery;
mod fields;
mod output;
mod role;
mod run;
mod selection;
mod state;
mod tap;
mod target;

pub use host_kit::HostContext;
pub use role::Role;
pub use run::{main, main_with, run};

//! Serves a plugin over the Airbyte protocol, here JSON lines as a destination:
//! `cargo run -p examples --example serve_over_airbyte -- spec`
//!
//! An executable needs no more than `host_airbyte::main(&Jsonl, Role::Destination)`; this one
//! prints its spec if it is told nothing.

use std::ffi::OsString;
use std::process::ExitCode;

use connector_jsonl::Jsonl;
use host_airbyte::{HostContext, Role};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.len() < 2 {
        arguments.push("spec".into());
    }
    host_airbyte::run(
        &Jsonl,
        Role::Destination,
        &HostContext::default(),
        arguments,
        std::io::stdin(),
        std::io::stdout(),
        std::io::stderr(),
    )
    .await
}

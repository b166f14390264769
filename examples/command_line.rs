//! Gives a plugin of one's own the whole command line:
//! `cargo run -p examples --example command_line -- sync --from counter --to jsonl:-`
//!
//! `--help` lists the commands: `sync`, `plan`, `verify`, `status`, `check`, `discover`,
//! `sample`, `credential`, `completions` and `man`.

use std::process::ExitCode;

use connector_core::Registry;
use connector_jsonl::Jsonl;

use crate::counter::Counter;

#[path = "plugin/counter.rs"]
mod counter;

fn main() -> ExitCode {
    let registry = Registry::new().with(Counter).with(Jsonl);
    connector_cli::main(registry)
}

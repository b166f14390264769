//! The command line of the connector: `connector-cli` with Buildkite, and what only Buildkite has.

mod artifacts;
mod demo;
mod texts;

use std::process::ExitCode;

use connector_buildkite::Buildkite;
use connector_cli::Program;
use connector_core::Registry;
use connector_jsonl::Jsonl;
use connector_sqlite::Sqlite;

fn main() -> ExitCode {
    let registry = Registry::new().with(Buildkite).with(Sqlite).with(Jsonl);
    Program::new("buildkite-connector", env!("CARGO_PKG_VERSION"), registry)
        .with_about(texts::ABOUT, texts::DETAILS)
        .with_examples(texts::EXAMPLES)
        .with_default_source("buildkite")
        .with_default_destination("sqlite:buildkite.db")
        .with_secret_prefix("bkua_")
        .with_log_of(&["buildkite_client", "connector_buildkite"])
        .with_first_look(
            "sqlite",
            "sqlite3 -box {location} 'select * from {stream} limit 5'",
        )
        .with_result_subject("pipeline")
        .with_demo(demo::Fake)
        .with_command(artifacts::command())
        .run()
}

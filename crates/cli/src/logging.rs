//! The log that `-v` turns on.
//!
//! Only this project's crates write to it. The libraries below know nothing of secrets and could
//! log a header; so no variable of the environment turns them on.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const OURS: [&str; 6] = [
    "buildkite_client",
    "buildkite_connector",
    "connector_buildkite",
    "connector_jsonl",
    "connector_sqlite",
    "sync_runner",
];

/// Starts the log on stderr. Without `-v` there is none: what matters is shown anyway.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let targets = Targets::new().with_targets(OURS.map(|target| (target, level)));
    tracing_subscriber::registry()
        .with(lines)
        .with(targets)
        .init();
}

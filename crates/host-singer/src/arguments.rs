//! The command lines that Singer's runners use. Runners pass every flag they have, even flags that
//! do not matter for the call.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

/// A Singer tap: messages on standard output, one per line.
#[derive(Debug, Parser)]
pub(crate) struct TapArguments {
    #[command(flatten)]
    pub(crate) common: Common,
    /// JSON file with the catalog: the streams and fields to read. Without it, the default streams.
    #[arg(long, value_name = "FILE", alias = "properties")]
    pub(crate) catalog: Option<PathBuf>,
    /// JSON file with the state of the last read.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Print the catalog.
    #[arg(long)]
    pub(crate) discover: bool,
}

/// A Singer target: reads messages from standard input and prints each state once it is durable.
#[derive(Debug, Parser)]
pub(crate) struct TargetArguments {
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Common {
    /// JSON file with the configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the capabilities and the settings.
    #[arg(long)]
    pub(crate) about: bool,
    /// Format of `--about`.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Print the version.
    #[arg(long)]
    pub(crate) version: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

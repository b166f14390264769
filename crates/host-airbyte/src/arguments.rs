//! The command line that Airbyte's hosts use.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// An Airbyte connector: messages on standard output, one per line.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Print the schema of the configuration.
    Spec,
    /// Check that the configuration works.
    Check(Config),
    /// Print the available streams.
    Discover(Config),
    /// Read the streams of a catalog.
    Read(Read),
    /// Write the messages of standard input.
    Write(Write),
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    /// JSON file with the configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Read {
    #[command(flatten)]
    pub(crate) config: Config,
    /// JSON file with the configured catalog.
    #[arg(long, value_name = "FILE")]
    pub(crate) catalog: PathBuf,
    /// JSON file with the states of the last read.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Write {
    #[command(flatten)]
    pub(crate) config: Config,
    /// JSON file with the configured catalog.
    #[arg(long, value_name = "FILE")]
    pub(crate) catalog: PathBuf,
}

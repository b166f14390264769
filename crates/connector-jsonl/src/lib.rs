//! JSON lines in files and pipes, as a source and as a destination.
//!
//! `path` says where: `-` is standard input or output; a path that ends with `/`, or is a folder,
//! is a folder with one file for each stream; anything else is one file for all streams.
//!
//! | where | a record | a record that is gone | commits |
//! |---|---|---|---|
//! | file | `{"stream":"builds","record":{…}}` | `{"stream":"builds","gone":"aged_out","key":{…}}` | `{"sync":"…","state":{…}}` lines between them |
//! | folder | `{…}` in `builds.jsonl`, `jobs.jsonl`, … | `{"_gone":"aged_out",…}` there, with the fields of its key | `_state.json`: states, and the length of each file |
//! | `-`, a named pipe, a device | as in a file | as in a file | none: no state is kept |
//!
//! What is decided here:
//!
//! - **Records keep their text**, byte for byte; only line breaks between values become spaces.
//! - **What counts ends at the last commit.** What a killed sync wrote after it is cut off at the
//!   next start. In a file, each commit line repeats the last state of its sync, or null, so that
//!   the end of the file is enough to go on. Nothing is missing then; what the source reads again
//!   (streams without a state, its overlap, the rest of a page) is there again.
//! - **Nothing of others is cut.** A file that does not begin with a commit line of ours, or with
//!   other lines after the last commit, is an error. In a folder, so is a file of records that
//!   `_state.json` does not know.
//! - **Syncing again appends.** Of several lines with one key, the last one counts. One that says
//!   that the record is gone, and why, takes nothing back: what came before it is the record as it
//!   was when the source had it last.
//! - **What is gone looks like no record.** In a folder its line begins with a text `_gone`, which
//!   is null, or not there, in a record; a record that begins so itself is refused there, and one
//!   file takes it.
//! - **A commit is on the disk** when it returns (one `fsync` per file, in a folder two more).
//! - **One writer at a time**: the file or folder is locked while a sync writes to it.
//!
//! As a source it reads the same lines, and files of bare objects besides: see [`JsonlSource`].
//!
//! Reading and writing block, so they run on tokio's threads for blocking work; outside of a
//! tokio runtime they run where they are called.

mod bare;
mod config;
mod destination;
mod error;
mod file;
mod files;
mod folder;
mod inference;
mod input;
mod line;
mod location;
mod output;
mod pipe;
mod piped;
mod position;
mod reading;
mod sink;
mod source;
mod tail;

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Capabilities, Connector, Destination, DestinationRole, Identity, Result, SettingsSchema, Setup,
    Source, SourceRole,
};

pub use config::Config;
pub use destination::JsonlDestination;
pub use source::JsonlSource;

/// The connector `jsonl`: a source and a destination.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jsonl;

impl Connector for Jsonl {
    fn identity(&self) -> Identity {
        Identity::new("jsonl", "JSON lines", env!("CARGO_PKG_VERSION"))
            .with_documentation("https://jsonlines.org")
    }

    fn source(&self) -> Option<&dyn SourceRole> {
        Some(self)
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }
}

#[async_trait]
impl SourceRole for Jsonl {
    fn settings(&self) -> SettingsSchema {
        Config::source_settings()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        Config::parse(setup.configuration.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Arc<dyn Source>> {
        let config = Config::parse(setup.configuration)?;
        Ok(Arc::new(JsonlSource::new(config, setup.observer)))
    }
}

#[async_trait]
impl DestinationRole for Jsonl {
    fn settings(&self) -> SettingsSchema {
        Config::destination_settings()
    }

    fn capabilities(&self) -> Capabilities {
        destination::capabilities()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        Config::parse_destination(setup.configuration.clone()).map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        let config = Config::parse_destination(setup.configuration)?;
        Ok(Box::new(JsonlDestination::new(config)))
    }
}

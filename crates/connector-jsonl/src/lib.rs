//! JSON lines in files and pipes, as a source and as a destination.
//!
//! `path` says where: `-` is standard input or output. A path that ends with `/`, or is a folder, is
//! a folder with one file for each stream. Anything else is one file for all streams.
//!
//! | where | a record | a tombstone | commits |
//! |---|---|---|---|
//! | file | `{"stream":"builds","record":{…}}` | `{"stream":"builds","gone":"aged_out","key":{…}}` | `{"sync":"…","state":{…}}` lines between them |
//! | folder | `{…}` in `builds.jsonl`, `jobs.jsonl`, … | `{"_gone":"aged_out",…}` there, with the fields of its key | `_state.json`: states, and the length of each file |
//! | `-`, a named pipe, a device | as in a file | as in a file | none: no state is kept |
//!
//! What is decided here:
//!
//! - **Records keep their text**, byte for byte. Only line breaks between values become spaces.
//! - **Only committed lines count.** The next start removes what a killed sync wrote after the last
//!   commit, and a source skips it. Each commit line in a file repeats the last state of its sync,
//!   or null, so that a sync can resume from the end of the file. Records that the source reads
//!   again are written again.
//! - **Files of others are not changed.** A file that does not begin with a commit line, or has
//!   other lines after the last commit, is an error. So is a file in a folder that `_state.json`
//!   does not list.
//! - **Syncing again appends.** The last of several lines with one key counts. A tombstone removes
//!   nothing: the lines before it hold the record as the source had it last.
//! - **A tombstone is not a record.** In a folder its line begins with a text `_gone`, which records
//!   do not have. A record that begins so is rejected there, and accepted in one file.
//! - **A commit is on disk** when it returns (one `fsync` per file, and two more in a folder).
//! - **One run at a time.** A run locks a file beside the file or folder, which names its holder,
//!   and the file or folder itself. A commit also checks that no other run has written since.
//! - **New files get the permissions of the umask**, like any other file. They may hold confidential
//!   data.
//!
//! A source reads the same lines, and files of bare objects, see [`JsonlSource`].
//!
//! Reading and writing block. They run on tokio's threads for blocking calls or, without a tokio
//! runtime, on the calling thread.

mod bare;
mod committed;
mod config;
mod destination;
mod disk;
mod error;
mod line;
mod location;
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

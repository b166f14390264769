//! What is committed in a folder: its `_state.json`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind as Io, Write};
use std::path::Path;

use connector_core::{Error, ErrorKind, Result, State, StreamName};
use serde::{Deserialize, Serialize};

use crate::{disk, error};

/// The file of states and lengths.
const STATE_FILE: &str = "_state.json";
const VERSION: u32 = 1;

/// The content of `_state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Committed {
    /// The version of this format: [`VERSION`].
    version: u32,
    /// The last state of each sync.
    pub(crate) syncs: BTreeMap<String, State>,
    /// How many bytes of the file of each stream are committed.
    pub(crate) lengths: BTreeMap<StreamName, u64>,
}

impl Committed {
    /// The content of the file. Empty if there is none.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(STATE_FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == Io::NotFound => return Ok(Self::nothing()),
            Err(error) => return Err(error::of_io(error, &path)),
        };
        match serde_json::from_slice(&text) {
            Ok(
                read @ Self {
                    version: VERSION, ..
                },
            ) => Ok(read),
            _ => {
                let why = "the file of states is damaged, or of a newer program";
                Err(error::damaged(&path, why))
            }
        }
    }

    fn nothing() -> Self {
        Self {
            version: VERSION,
            syncs: BTreeMap::new(),
            lengths: BTreeMap::new(),
        }
    }

    /// Replaces the file in one step. After a crash it is the old one or the new one.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(STATE_FILE);
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            Error::new(ErrorKind::Internal, "the state has no JSON form").with_source(error)
        })?;
        let new = folder.join("_state.json.new");
        let replace = || {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            disk::sync_folder_of(&path)
        };
        replace().map_err(|error| error::of_io(error, &path))
    }
}

/// How many bytes of the file of each stream are committed. Empty for a folder that this program
/// did not write.
pub(crate) fn lengths(folder: &Path) -> BTreeMap<StreamName, u64> {
    Committed::read(folder).map_or_else(|_| BTreeMap::new(), |committed| committed.lengths)
}

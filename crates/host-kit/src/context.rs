//! What surrounds a call of a host.

use std::path::PathBuf;

use connector_core::{Setup, Stop};

/// What surrounds a call of a host. Its clones share one request to stop.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct HostContext {
    /// Ends the call soon.
    pub stop: Stop,
    /// A folder that lasts, see [`Setup::data_folder`].
    pub data_folder: Option<PathBuf>,
}

impl HostContext {
    /// Sets what ends the call soon.
    #[must_use]
    pub fn with_stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Sets the folder for what a connector must remember itself.
    #[must_use]
    pub fn with_data_folder(mut self, folder: Option<PathBuf>) -> Self {
        self.data_folder = folder;
        self
    }

    /// Adds it to what a connector is opened with.
    #[must_use]
    pub fn apply(&self, setup: Setup) -> Setup {
        setup
            .with_stop(self.stop.clone())
            .with_data_folder(self.data_folder.clone())
    }
}

//! The context in which a host runs.

use std::path::PathBuf;

use connector_core::{Setup, Stop};

/// The context in which a host runs. Its clones share one request to stop.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct HostContext {
    /// The request to stop.
    pub stop: Stop,
    /// A permanent folder, see [`Setup::data_folder`].
    pub data_folder: Option<PathBuf>,
}

impl HostContext {
    /// Sets the request to stop.
    #[must_use]
    pub fn with_stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Sets the folder for what the connector itself must remember.
    #[must_use]
    pub fn with_data_folder(mut self, folder: Option<PathBuf>) -> Self {
        self.data_folder = folder;
        self
    }

    /// Adds it to the setup of a connector.
    #[must_use]
    pub fn apply(&self, setup: Setup) -> Setup {
        setup
            .with_stop(self.stop.clone())
            .with_data_folder(self.data_folder.clone())
    }
}

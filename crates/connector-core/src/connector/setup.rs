//! What a host opens a connector with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Configuration, Credential, Ignore, Observer, Stop};

/// What a host opens a connector with. Cheap to clone.
#[derive(Clone)]
#[non_exhaustive]
pub struct Setup {
    /// The user's settings.
    pub configuration: Configuration,
    /// The credential that the host resolved. It takes precedence over a secret in the
    /// configuration.
    pub credential: Option<Credential>,
    /// Receives events.
    pub observer: Arc<dyn Observer>,
    /// Asks a destination that acts to stop soon.
    pub stop: Stop,
    /// Whether nothing may be changed: a destination that acts answers with what it would do.
    /// Only for destinations that declare [`Capabilities::dry_run`](crate::Capabilities::dry_run).
    pub dry_run: bool,
    /// A permanent folder of this user, for what the connector itself must remember. It may not
    /// exist yet. `None` if the host has none.
    pub data_folder: Option<PathBuf>,
}

impl Setup {
    /// A setup with a configuration, no observer and no request to stop.
    pub fn new(configuration: Configuration) -> Self {
        Self {
            configuration,
            credential: None,
            observer: Arc::new(Ignore),
            stop: Stop::new(),
            dry_run: false,
            data_folder: None,
        }
    }

    /// Sets the credential.
    #[must_use]
    pub fn with_credential(mut self, credential: Option<Credential>) -> Self {
        self.credential = credential;
        self
    }

    /// Sets the observer.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

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

    /// Sets whether this is a dry run, in which nothing may be changed.
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("configuration", &self.configuration)
            .field("credential", &self.credential)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

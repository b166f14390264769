//! One run of a sync at a time.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Result;

/// Keeps two runs of one sync apart, for the length of a run.
#[async_trait]
pub trait Claim: Send {
    /// Claims the sync of this name until the destination is dropped, or the process dies.
    /// Called before [`start`](crate::Destination::start).
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if another run holds it, naming its
    /// holder; [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be claimed.
    async fn claim(&mut self, sync: &str, holder: &Holder) -> Result<()>;
}

/// Who holds a claim. `Display` is a sentence for the person whose run is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Holder {
    /// The program.
    pub program: String,
    /// Its process id.
    pub process: u32,
    /// The machine it runs on.
    pub host: String,
    /// When the run began, RFC 3339.
    pub started_at: String,
}

impl Holder {
    /// A run of `program`, in this process on this machine, that began at that time (RFC 3339).
    pub fn new(
        program: impl Into<String>,
        process: u32,
        host: impl Into<String>,
        started_at: impl Into<String>,
    ) -> Self {
        Self {
            program: program.into(),
            process,
            host: host.into(),
            started_at: started_at.into(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            process,
            host,
            started_at,
        } = self;
        write!(
            f,
            "{program}, process {process} on {host}, since {started_at}"
        )
    }
}

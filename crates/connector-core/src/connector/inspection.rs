//! What a credential is and what it can do, as far as the remote reports it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Result, Setup, StreamName};

/// Asks the remote about a credential.
#[async_trait]
pub trait CredentialInspector: Send + Sync {
    /// Reports the owner, the scopes and the expiry of the credential, and which streams it can
    /// use.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth) if the remote rejects it, and those of a read.
    async fn inspect(&self, setup: Setup) -> Result<CredentialReport>;

    /// Revokes the credential at the remote. It cannot be undone.
    ///
    /// # Errors
    /// As [`inspect`](Self::inspect).
    async fn revoke(&self, setup: Setup) -> Result<()>;
}

/// A credential as the remote describes it. What the remote does not report is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialReport {
    /// Name and e-mail address of its owner.
    pub owner: Option<String>,
    /// What its owner calls it at the remote.
    pub description: Option<String>,
    /// The organizations, accounts or workspaces that it sees.
    pub organizations: Option<Vec<String>>,
    /// When it was made, RFC 3339.
    pub created_at: Option<String>,
    /// When it expires, RFC 3339; `None` also if never.
    pub expires_at: Option<String>,
    /// The name of the set of scopes that it matches, if the remote has such sets.
    pub preset: Option<String>,
    /// Its scopes, spelled as the remote spells them.
    pub scopes: Option<Vec<String>>,
    /// Streams that it can read.
    pub readable: Vec<StreamName>,
    /// Streams that it cannot read.
    pub unreadable: Vec<MissingScopes>,
    /// Streams of the destination that it can write.
    pub writable: Vec<StreamName>,
    /// Streams of the destination that it cannot write.
    pub unwritable: Vec<MissingScopes>,
    /// Scopes that no stream needs: a credential without them could do less harm.
    pub surplus: Vec<String>,
    /// What its owner should do soon, a sentence each: it expires, or is old.
    pub warnings: Vec<String>,
}

/// A stream, with the scopes that a credential lacks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MissingScopes {
    /// The stream.
    pub stream: StreamName,
    /// The missing scopes, spelled as the remote spells them.
    pub scopes: Vec<String>,
}

impl MissingScopes {
    /// `stream` also needs these `scopes`.
    pub fn new(stream: impl Into<StreamName>, scopes: Vec<String>) -> Self {
        Self {
            stream: stream.into(),
            scopes,
        }
    }
}

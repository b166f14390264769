//! What is known about a stored credential, and the parts of a new one.

use chrono::{DateTime, Utc};
use credential::Credential;
use serde::Serialize;

use crate::kind::Kind;
use crate::name::Name;

/// Everything about a stored credential except its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CredentialInfo {
    /// Unique in its store.
    pub name: Name,
    /// For people: one line, at most 256 characters. May be empty.
    pub description: String,
    /// The connector that uses it.
    pub connector: Name,
    /// The kind of its secret.
    pub kind: Kind,
    /// When it was created. All times have millisecond precision.
    pub created_at: DateTime<Utc>,
    /// When its secret was last replaced; `None` if never.
    pub rotated_at: Option<DateTime<Utc>>,
    /// When the remote system last accepted this secret; `None` if it was never tried.
    pub last_checked_at: Option<DateTime<Utc>>,
    /// The configuration files that have used it, sorted. They may have changed since:
    /// [`references`](crate::references) looks.
    pub used_by: Vec<String>,
    /// 12 hexadecimal digits. Two credentials of one store have the same fingerprint exactly if
    /// their secrets are the same. It is salted, so it differs between stores.
    pub fingerprint: String,
}

/// A credential to store.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Unique in its store.
    pub name: Name,
    /// The connector that uses it.
    pub connector: Name,
    /// For people: one line, at most 256 characters. May be empty.
    pub description: String,
    /// The secret. An API key consists of visible ASCII characters; a private key is an RSA key,
    /// PKCS #8 or PKCS #1, in PEM. White space that a paste leaves around it is dropped.
    pub credential: Credential,
}

//! What is told of a credential, and what is asked for a new one.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Error, Kind, Name, Result, Secret};

/// Everything about a credential but its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Credential {
    /// Unique in its store.
    pub name: Name,
    /// For people: one line, at most 256 characters. May be empty.
    pub description: String,
    /// The connector that it is for: `buildkite`.
    pub connector: Name,
    /// What its secret is.
    pub kind: Kind,
    /// When it was created. This and the other times are to the millisecond.
    pub created_at: DateTime<Utc>,
    /// When its secret was last replaced; `None` if never.
    pub rotated_at: Option<DateTime<Utc>>,
    /// When the remote last took this secret; `None` if it was never tried.
    pub last_checked_at: Option<DateTime<Utc>>,
    /// Who has named it, as [`mark_used`](crate::Store::mark_used) was told: configuration files.
    /// In the order of the alphabet; they may have changed since.
    pub used_by: Vec<String>,
    /// 12 hexadecimal digits, the same for two credentials of one store if and only if their
    /// secrets are the same. Salted: in another store they are others.
    pub fingerprint: String,
}

/// A credential to be kept.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Unique in its store.
    pub name: Name,
    /// The connector that it is for: `buildkite`.
    pub connector: Name,
    /// For people: one line, at most 256 characters. May be empty.
    pub description: String,
    /// What it proves itself with.
    pub secret: Secret,
}

/// The description without the space around it, if it is one line.
pub(crate) fn checked_description(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(Error::Description(
            "holds a line break or control character; write one line",
        ));
    }
    if text.chars().count() > 256 {
        return Err(Error::Description(
            "is longer than 256 characters; shorten it",
        ));
    }
    Ok(text.to_owned())
}

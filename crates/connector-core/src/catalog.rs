//! What a source offers: its streams, each with schema, keys and sync modes.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// The name of a stream, lower snake case: `builds`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for StreamName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for StreamName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.as_str().to_owned()
    }
}

impl Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for StreamName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for StreamName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SyncMode {
    /// Everything, each time. A read that was cut off goes on where its state says.
    FullRefresh,
    /// Only what is new or changed since the state.
    Incremental,
}

/// One stream: a named set of records that share a schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Unique in its catalog.
    pub name: StreamName,
    /// One sentence for the person who chooses streams.
    pub description: String,
    /// JSON Schema (draft 7) of a record: `properties` in the order of the columns. Fields that
    /// are not listed may occur.
    pub json_schema: Value,
    /// Names of the top-level fields that together identify a record; empty if nothing does.
    pub primary_key: Vec<String>,
    /// The field that incremental reads go by, if there is one.
    pub cursor: Option<String>,
    /// What can be asked for; the preferred mode comes last.
    pub sync_modes: Vec<SyncMode>,
    /// Whether a sync that names no stream reads it. Streams that are costly, or that few may
    /// read, are chosen by name.
    #[serde(default = "yes")]
    pub is_default: bool,
    /// The rights that reading it takes, as the remote names them: `read_builds`. Empty if none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whether the credential has those rights, where the remote told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_readable: Option<bool>,
}

impl Stream {
    /// A stream without a key that is read in full by default, and takes no rights.
    pub fn new(name: impl Into<StreamName>, description: &str, json_schema: Value) -> Self {
        Self {
            name: name.into(),
            description: description.to_owned(),
            json_schema,
            primary_key: Vec::new(),
            cursor: None,
            sync_modes: vec![SyncMode::FullRefresh],
            is_default: true,
            scopes: Vec::new(),
            is_readable: None,
        }
    }
}

fn yes() -> bool {
    true
}

/// All streams of a source, each name once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// In the order in which a read of everything yields them.
    pub streams: Vec<Stream>,
}

impl Catalog {
    /// The stream of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], listing the names there are.
    pub fn stream(&self, name: &str) -> Result<&Stream> {
        self.streams
            .iter()
            .find(|stream| stream.name == name)
            .ok_or_else(|| {
                let names: Vec<_> = self.streams.iter().map(|s| s.name.as_str()).collect();
                Error::new(
                    ErrorKind::Config,
                    format!(
                        "there is no stream of this name; there are: {}",
                        names.join(", ")
                    ),
                )
                .with_context("stream", name)
            })
    }
}

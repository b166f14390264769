//! What a source offers: its streams, each with schema, keys and sync modes.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, ErrorKind, Result, did_you_mean};

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
    /// Everything, each time. An interrupted read resumes where its state says.
    FullRefresh,
    /// Only what is new or changed since the state.
    Incremental,
}

/// One stream: a named set of records that share a schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stream {
    /// Unique in its catalog.
    pub name: StreamName,
    /// One sentence for the person who chooses streams.
    pub description: String,
    /// JSON Schema (draft 7) of a record, with `properties` in the order of the columns. Records
    /// may have fields that are not listed.
    pub json_schema: Value,
    /// Names of the top-level fields that together identify a record; empty if nothing does.
    pub primary_key: Vec<String>,
    /// The field that incremental reads follow, if there is one.
    pub cursor: Option<String>,
    /// The modes that a read may ask for; the preferred one comes last.
    pub sync_modes: Vec<SyncMode>,
    /// Whether a sync that lists no streams reads this one. Streams that are costly, or that few
    /// credentials can read, are chosen by name.
    #[serde(default = "yes")]
    pub is_default: bool,
    /// The scopes that reading needs, spelled as the remote spells them: `read_builds`. Empty if
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whether the credential has those scopes, if the remote reports that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_readable: Option<bool>,
    /// Which rows of a copy can still change; absent if the source needs no help to find them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_rows: Option<OpenRows>,
}

/// Rows that can still change: those whose `field` holds none of the `settled` values.
///
/// A host that has the copy at hand passes the keys of these rows back to the source, see
/// [`ReadRequest::open_rows`](crate::ReadRequest::open_rows).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenRows {
    /// A top-level field of text.
    pub field: String,
    /// Its values in rows that are final.
    pub settled: Vec<String>,
    /// The fields of an open row that the source needs.
    pub wanted: Vec<String>,
    /// Whether a row in which `field` is null or absent is final, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub null_is_settled: bool,
}

impl OpenRows {
    /// Rows whose `field` holds none of `settled`; the source needs their `wanted` fields.
    pub fn new(field: &str, settled: &[&str], wanted: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            field: field.to_owned(),
            settled: owned(settled),
            wanted: owned(wanted),
            null_is_settled: false,
        }
    }

    /// Says that a row in which `field` is null or absent is final, too.
    #[must_use]
    pub fn with_null_settled(mut self) -> Self {
        self.null_is_settled = true;
        self
    }
}

impl Stream {
    /// A stream without a key that is read in full by default and needs no scopes.
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
            open_rows: None,
        }
    }

    /// Sets the fields that identify a record.
    #[must_use]
    pub fn with_primary_key<S: Into<String>>(
        mut self,
        fields: impl IntoIterator<Item = S>,
    ) -> Self {
        self.primary_key = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the field that incremental reads follow.
    #[must_use]
    pub fn with_cursor(mut self, field: impl Into<String>) -> Self {
        self.cursor = Some(field.into());
        self
    }

    /// Sets the modes that a read may ask for; the preferred one comes last.
    #[must_use]
    pub fn with_sync_modes(mut self, modes: impl IntoIterator<Item = SyncMode>) -> Self {
        self.sync_modes = modes.into_iter().collect();
        self
    }

    /// Sets whether a sync that lists no streams reads this one.
    #[must_use]
    pub fn with_default(mut self, is_default: bool) -> Self {
        self.is_default = is_default;
        self
    }

    /// Sets the scopes that reading needs.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether the credential has those scopes.
    #[must_use]
    pub fn with_readable(mut self, is_readable: Option<bool>) -> Self {
        self.is_readable = is_readable;
        self
    }

    /// Sets which rows of a copy can still change.
    #[must_use]
    pub fn with_open_rows(mut self, open_rows: OpenRows) -> Self {
        self.open_rows = Some(open_rows);
        self
    }

    /// The mode in which it is read unless another is asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the connector gives it no mode.
    pub fn preferred_mode(&self) -> Result<SyncMode> {
        self.sync_modes.last().copied().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "the stream has no sync mode")
                .with_context("stream", &self.name)
        })
    }

    /// Checks that it can be read in `mode`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it cannot.
    pub fn expect_mode(&self, mode: SyncMode) -> Result<()> {
        if self.sync_modes.contains(&mode) {
            return Ok(());
        }
        let message = match mode {
            SyncMode::FullRefresh => "this stream cannot be read in full, only incremental",
            SyncMode::Incremental => "this stream cannot be read incrementally, only full_refresh",
        };
        Err(Error::new(ErrorKind::Config, message).with_context("stream", &self.name))
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
    /// A catalog of these streams.
    pub fn new(streams: impl IntoIterator<Item = Stream>) -> Self {
        Self {
            streams: streams.into_iter().collect(),
        }
    }

    /// The stream of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], with the nearest name and a list of all names.
    pub fn stream(&self, name: &str) -> Result<&Stream> {
        let found = self.streams.iter().find(|stream| stream.name == name);
        found.ok_or_else(|| {
            let names = self.streams.iter().map(|stream| stream.name.as_str());
            let names: Vec<_> = names.collect();
            let message = format!(
                "no such stream{}; streams: {}",
                did_you_mean(name, &names),
                names.join(", ")
            );
            Error::new(ErrorKind::Config, message).with_context("stream", name)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_stream_is_answered_with_the_nearest_name() {
        let stream = |name| Stream::new(name, "", json!({}));
        let catalog = Catalog::new([stream("builds"), stream("jobs")]);
        let error = catalog.stream("build").unwrap_err().to_string();
        assert_eq!(
            error,
            "no such stream, did you mean `builds`?; streams: builds, jobs [stream: build]"
        );
    }

    #[test]
    fn the_preferred_mode_is_the_last_and_others_are_refused() {
        let stream = Stream::new("builds", "", json!({}));
        assert_eq!(stream.preferred_mode().unwrap(), SyncMode::FullRefresh);
        assert!(stream.expect_mode(SyncMode::FullRefresh).is_ok());
        let error = stream.expect_mode(SyncMode::Incremental).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

//! The configured catalog: the streams that a host asks for, and how.
//!
//! Hosts write it with and without nulls, and add members of their own.

mod write_mode;

use std::path::Path;

use connector_core::{
    Capabilities, Catalog, Error, ErrorKind, Result, Selection, Stream, StreamPlan, SyncMode,
};
use host_kit::{Notice, input, selection};
use serde::Deserialize;
use serde_json::{Value, json};

/// Each stream once.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfiguredCatalog {
    streams: Vec<ConfiguredStream>,
}

#[derive(Debug, Deserialize)]
struct ConfiguredStream {
    stream: DescribedStream,
    sync_mode: Option<String>,
    destination_sync_mode: Option<String>,
    primary_key: Option<Vec<Vec<String>>>,
    cursor_field: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct DescribedStream {
    name: String,
    namespace: Option<String>,
    json_schema: Option<Value>,
    supported_sync_modes: Option<Vec<String>>,
    source_defined_primary_key: Option<Vec<Vec<String>>>,
}

/// A stream that is written.
#[derive(Debug)]
pub(crate) struct PlannedStream {
    pub(crate) plan: StreamPlan,
    pub(crate) namespace: Option<String>,
    /// What the user should know about the way it is written.
    pub(crate) notice: Option<Notice>,
}

impl ConfiguredCatalog {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the file and what is wrong, and for a stream that
    /// is in two namespaces: connectors have no namespaces, so the two would be mixed.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let catalog: Self = input::json_file(path, "the catalog")?;
        catalog
            .distinct()
            .map_err(|error| error.with_context("file", path.display()))
    }

    fn distinct(self) -> Result<Self> {
        let mut streams: Vec<ConfiguredStream> = Vec::new();
        for one in self.streams {
            let mut others = streams.iter();
            match others.find(|other| other.stream.name == one.stream.name) {
                None => streams.push(one),
                Some(other) if other.stream.namespace == one.stream.namespace => {}
                Some(_) => return Err(two_namespaces("catalog", &one.stream.name)),
            }
        }
        Ok(Self { streams })
    }

    /// What is read. Hosts ask for `incremental` even where there is only a full refresh. Such
    /// a stream is read in its preferred mode.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a stream that the source does not have, and if there is none.
    pub(crate) fn selections(&self, known: &Catalog) -> Result<Vec<Selection>> {
        if self.streams.is_empty() {
            let message = "the catalog has no streams";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let select = |configured: &ConfiguredStream| {
            let stream = known.stream(&configured.stream.name)?;
            selection(stream, configured.sync_mode(stream)?)
        };
        self.streams.iter().map(select).collect()
    }

    /// What is written, and how.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a stream that cannot be written in any mode.
    pub(crate) fn plan(self, capabilities: &Capabilities) -> Result<Vec<PlannedStream>> {
        let streams = self.streams.into_iter();
        streams.map(|one| one.plan(capabilities)).collect()
    }
}

/// The error of a stream that a file has in two namespaces.
pub(crate) fn two_namespaces(file: &str, stream: &str) -> Error {
    let message = format!(
        "the {file} has this stream in two namespaces, which would be mixed; give one of them \
         another name, with a stream prefix for example"
    );
    Error::new(ErrorKind::Config, message).with_context("stream", stream)
}

impl ConfiguredStream {
    fn sync_mode(&self, stream: &Stream) -> Result<Option<SyncMode>> {
        match self.sync_mode.as_deref() {
            Some("full_refresh") => Ok(Some(SyncMode::FullRefresh)),
            Some("incremental") => Ok(Some(SyncMode::Incremental)),
            None => Ok(None),
            Some(_) => {
                let message = "the sync mode must be full_refresh or incremental";
                Err(Error::new(ErrorKind::Config, message).with_context("stream", &stream.name))
            }
        }
    }

    /// Whether the read may yield only changes. Hosts also write `incremental` for streams that do
    /// not have that mode.
    fn is_incremental(&self) -> bool {
        let is_word = |mode: &str| mode == "incremental";
        let supported = self.stream.supported_sync_modes.as_ref();
        self.sync_mode.as_deref().is_some_and(is_word)
            && supported.is_none_or(|modes| modes.iter().any(|mode| is_word(mode)))
    }

    /// The fields that identify a record; none if one of them is nested, because the others alone
    /// do not tell records apart.
    fn key(&self) -> Vec<String> {
        let chosen = self.primary_key.as_ref().filter(|key| !key.is_empty());
        let key = chosen.or(self.stream.source_defined_primary_key.as_ref());
        let fields = key.into_iter().flatten().map(|path| only(path));
        fields.collect::<Option<_>>().unwrap_or_default()
    }

    fn plan(self, capabilities: &Capabilities) -> Result<PlannedStream> {
        let schema = self.stream.json_schema.clone();
        let schema = schema.unwrap_or_else(|| json!({"type": "object"}));
        let stream = Stream::new(&*self.stream.name, "", schema).with_primary_key(self.key());
        let stream = match self.cursor_field.as_deref().and_then(only) {
            Some(cursor) => stream.with_cursor(cursor),
            None => stream,
        };
        let (mode, notice) = self.write_mode(&stream, capabilities)?;
        Ok(PlannedStream {
            plan: StreamPlan::new(stream, mode),
            namespace: self.stream.namespace,
            notice,
        })
    }
}

fn only(path: &[String]) -> Option<String> {
    match path {
        [field] => Some(field.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(streams: Value) -> Result<ConfiguredCatalog> {
        let catalog: ConfiguredCatalog =
            serde_json::from_value(json!({ "streams": streams })).unwrap();
        catalog.distinct()
    }

    #[test]
    fn one_name_in_two_namespaces_is_refused_and_a_repeated_stream_counts_once() {
        let one = |namespace: Value| json!({"stream": {"name": "builds", "namespace": namespace}});
        let mixed = catalog(json!([one(json!("a")), one(json!("b"))])).unwrap_err();
        assert!(mixed.to_string().contains("two namespaces"), "{mixed}");
        assert!(catalog(json!([one(json!("a")), one(Value::Null)])).is_err());
        let repeated = catalog(json!([one(json!("a")), one(json!("a"))])).unwrap();
        assert_eq!(repeated.streams.len(), 1);
    }

    #[test]
    fn a_key_with_a_nested_part_is_none_at_all() {
        let key = |key: Value| {
            let one = json!({"stream": {"name": "a"}, "primary_key": key});
            catalog(json!([one])).unwrap().streams[0].key()
        };
        assert_eq!(key(json!([["id"], ["at"]])), ["id", "at"]);
        assert!(key(json!([["id"], ["author", "name"]])).is_empty());
    }
}

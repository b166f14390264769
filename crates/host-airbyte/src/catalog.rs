//! The configured catalog: which streams a host asks for, and how.
//!
//! Hosts write it with and without nulls, and with members of their own.

use connector_core::{Catalog, Error, ErrorKind, Result, Selection, Stream, SyncMode};
use serde::Deserialize;
use serde_json::Value;

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
    json_schema: Option<Value>,
    source_defined_primary_key: Option<Vec<Vec<String>>>,
}

impl ConfiguredCatalog {
    /// What is read. Hosts ask for `incremental` where there is only a full refresh: then each
    /// stream is read as it can be.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a stream that the source does not have, and if there is none.
    pub(crate) fn selections(&self, known: &Catalog) -> Result<Vec<Selection>> {
        let mut selections: Vec<Selection> = Vec::new();
        for configured in &self.streams {
            let stream = known.stream(&configured.stream.name)?;
            if selections.iter().any(|s| s.stream == stream.name) {
                continue;
            }
            let mode = configured.mode(stream)?;
            let stream = stream.name.clone();
            selections.push(Selection { stream, mode });
        }
        if selections.is_empty() {
            let message = "the catalog has no streams";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(selections)
    }

    /// Streams that are asked to be replaced: what is stored is never deleted.
    pub(crate) fn overwritten(&self) -> impl Iterator<Item = &str> {
        let is_overwritten = |one: &&ConfiguredStream| {
            let mode = one.destination_sync_mode.as_deref();
            mode.is_some_and(|mode| mode.starts_with("overwrite"))
        };
        let streams = self.streams.iter().filter(is_overwritten);
        streams.map(|one| one.stream.name.as_str())
    }

    /// What is written.
    pub(crate) fn into_streams(self) -> Vec<Stream> {
        self.streams.into_iter().map(described).collect()
    }
}

impl ConfiguredStream {
    fn mode(&self, stream: &Stream) -> Result<SyncMode> {
        let asked = match self.sync_mode.as_deref() {
            Some("full_refresh") => Some(SyncMode::FullRefresh),
            Some("incremental") => Some(SyncMode::Incremental),
            None => None,
            Some(_) => {
                let message = "the sync mode must be full_refresh or incremental";
                return Err(
                    Error::new(ErrorKind::Config, message).with_context("stream", &stream.name)
                );
            }
        };
        let modes = &stream.sync_modes;
        let mode = asked.filter(|mode| modes.contains(mode));
        mode.or_else(|| modes.last().copied()).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "the stream has no sync mode")
                .with_context("stream", &stream.name)
        })
    }
}

fn described(configured: ConfiguredStream) -> Stream {
    let key = (configured.primary_key)
        .filter(|key| !key.is_empty())
        .or(configured.stream.source_defined_primary_key)
        // To append is to keep every row, whatever its key.
        .filter(|_| configured.destination_sync_mode.as_deref() != Some("append"))
        .unwrap_or_default();
    Stream {
        name: configured.stream.name.into(),
        description: String::new(),
        json_schema: (configured.stream.json_schema)
            .unwrap_or_else(|| serde_json::json!({"type": "object"})),
        // A path to a nested key names no column.
        primary_key: key.into_iter().filter_map(only).collect(),
        cursor: configured.cursor_field.and_then(only),
        sync_modes: vec![SyncMode::Incremental],
        is_default: true,
        scopes: Vec::new(),
        is_readable: None,
    }
}

fn only(mut path: Vec<String>) -> Option<String> {
    match path.len() {
        1 => path.pop(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_has_no_key_and_what_is_to_be_replaced_is_told() {
        let one = |name: &str, mode: &str| {
            serde_json::json!({
                "stream": {"name": name, "source_defined_primary_key": [["id"]]},
                "destination_sync_mode": mode,
            })
        };
        let streams = [
            one("a", "append"),
            one("b", "append_dedup"),
            one("c", "overwrite"),
        ];
        let catalog: ConfiguredCatalog =
            serde_json::from_value(serde_json::json!({ "streams": streams })).unwrap();
        assert_eq!(catalog.overwritten().collect::<Vec<_>>(), ["c"]);
        let streams = catalog.into_streams();
        let keys: Vec<_> = streams.iter().map(|one| one.primary_key.len()).collect();
        assert_eq!(keys, [0, 1, 1]);
    }
}

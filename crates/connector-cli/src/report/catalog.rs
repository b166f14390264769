//! The streams that can be synced.

use std::fmt;

use comfy_table::ContentArrangement;
use connector_core::{Catalog, Stream, SyncMode};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::table;

const HEADER: [&str; 7] = [
    "stream",
    "default",
    "readable",
    "sync",
    "columns",
    "key",
    "description",
];

/// A catalog. `Display` is a table; the JSON is that of the catalog.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CatalogReport<'a> {
    /// The catalog.
    pub catalog: &'a Catalog,
    /// The columns of the terminal, if there is one.
    pub width: Option<u16>,
}

impl<'a> CatalogReport<'a> {
    /// The table of `catalog` for a terminal of this many columns.
    #[must_use]
    pub fn new(catalog: &'a Catalog, width: Option<u16>) -> Self {
        Self { catalog, width }
    }
}

impl fmt::Display for CatalogReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.catalog.streams.iter().map(row);
        let mut table = table(HEADER, rows, 4..5);
        if let Some(width) = self.width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        f.write_str(&table.trim_fmt())
    }
}

impl Serialize for CatalogReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.catalog.serialize(serializer)
    }
}

fn row(stream: &Stream) -> [String; 7] {
    let properties = stream.json_schema.get("properties");
    let columns = properties.and_then(Value::as_object).map_or(0, |p| p.len());
    [
        stream.name.to_string(),
        if stream.is_default { "yes" } else { "" }.to_owned(),
        readable(stream),
        preferred(stream).to_owned(),
        columns.to_string(),
        stream.primary_key.join(", "),
        stream.description.clone(),
    ]
}

/// Whether the credential can read the stream, or which scopes it lacks.
fn readable(stream: &Stream) -> String {
    match stream.is_readable {
        Some(true) => "yes".to_owned(),
        Some(false) => format!("needs {}", stream.scopes.join(", ")),
        None => "unknown".to_owned(),
    }
}

/// How a sync reads the stream, in a word.
fn preferred(stream: &Stream) -> &'static str {
    match stream.preferred_mode() {
        Ok(SyncMode::Incremental) => "incremental",
        _ => "full",
    }
}

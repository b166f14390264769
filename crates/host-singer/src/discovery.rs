//! `--discover`: the catalog of all streams.

use connector_core::{Catalog, Stream, SyncMode};
use serde_json::{Map, Value, json};

pub(crate) const FULL_TABLE: &str = "FULL_TABLE";
pub(crate) const INCREMENTAL: &str = "INCREMENTAL";

/// The document of `--discover`.
pub(crate) fn discovered(catalog: &Catalog) -> Value {
    let streams: Vec<_> = catalog.streams.iter().map(entry).collect();
    json!({"streams": streams})
}

fn entry(stream: &Stream) -> Value {
    let method = match stream.preferred_mode() {
        Ok(SyncMode::Incremental) => INCREMENTAL,
        _ => FULL_TABLE,
    };
    let mut root = json!({
        "inclusion": "available",
        "selected-by-default": stream.is_default,
        "table-key-properties": stream.primary_key,
    });
    if stream.sync_modes.len() == 1 {
        root["forced-replication-method"] = method.into();
    }
    if let Some(cursor) = &stream.cursor {
        root["valid-replication-keys"] = json!([cursor]);
    }
    let root = json!({"breadcrumb": [], "metadata": root});
    let fields = properties(&stream.json_schema).into_iter().flatten();
    let fields = fields.map(|(name, _)| field(stream, name));
    let metadata: Vec<_> = std::iter::once(root).chain(fields).collect();
    let mut entry = json!({
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "key_properties": stream.primary_key,
        "replication_method": method,
        "schema": draft_4(stream.json_schema.clone()),
        "metadata": metadata,
    });
    if let Some(cursor) = &stream.cursor {
        entry["replication_key"] = cursor.as_str().into();
    }
    entry
}

/// Keys and cursors are always sent.
fn field(stream: &Stream, name: &String) -> Value {
    let is_needed = stream.primary_key.contains(name) || stream.cursor.as_ref() == Some(name);
    let inclusion = if is_needed { "automatic" } else { "available" };
    json!({"breadcrumb": ["properties", name], "metadata": {"inclusion": inclusion}})
}

/// Targets check records with validators of draft 4, where a schema is always an object. The schema
/// that allows anything is `{}`, not `true`.
pub(crate) fn draft_4(mut schema: Value) -> Value {
    let object = |value: &mut Value| match value.take() {
        Value::Bool(true) => json!({}),
        schema => draft_4(schema),
    };
    if let Some(items) = schema.get_mut("items") {
        *items = object(items);
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut() {
            *property = object(property);
        }
    }
    schema
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

//! Streams and JSON schemas out of the types of records.

use connector_core::{Stream, SyncMode};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// A stream whose records have the type `T` and an `id`, read in full.
pub(super) fn stream<T: JsonSchema>(name: &str, description: &str) -> Stream {
    Stream::new(name, description, schema_of::<T>()).with_primary_key(["id"])
}

/// The same stream, also read incrementally. No field tells when a build or job changed, so there
/// is no cursor that a host could compare.
pub(super) fn incremental(stream: Stream) -> Stream {
    stream.with_sync_modes([SyncMode::FullRefresh, SyncMode::Incremental])
}

/// JSON Schema, draft 7, in one piece: without `$ref`, which hosts do not follow.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().into()
}

//! The streams: one file each, with the schema, the key and the shape of its records.

mod builds;
mod jobs;
mod organizations;
mod pipelines;

use connector_core::{Catalog, Error, ErrorKind, Stream, SyncMode};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

pub use builds::Build;
pub use jobs::Job;
pub use organizations::Organization;
pub use pipelines::Pipeline;

pub(crate) use builds::{NAME as BUILDS, record as build_record};
pub(crate) use jobs::{NAME as JOBS, record as job_record};
pub(crate) use organizations::{NAME as ORGANIZATIONS, record as organization_record};
pub(crate) use pipelines::{NAME as PIPELINES, record as pipeline_record};

/// An object of which only the meaning is described, not the fields.
pub type Object = Map<String, Value>;

/// All streams, in the order in which they are read.
pub(crate) fn catalog() -> Catalog {
    Catalog {
        streams: vec![
            organizations::stream(),
            pipelines::stream(),
            builds::stream(),
            jobs::stream(),
        ],
    }
}

/// A stream with an `id`, read in full.
fn stream<T: JsonSchema>(name: &str, description: &str) -> Stream {
    Stream {
        name: name.into(),
        description: description.to_owned(),
        json_schema: schema_of::<T>(),
        primary_key: vec!["id".to_owned()],
        cursor: None,
        sync_modes: vec![SyncMode::FullRefresh],
    }
}

/// The same stream, read incrementally too. No field tells when a build or job changed, so there
/// is no cursor that a host could compare.
fn incremental(stream: Stream) -> Stream {
    Stream {
        sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
        ..stream
    }
}

/// Buildkite gave something else where the API has objects.
fn not_an_object(stream: &str) -> Error {
    Error::new(ErrorKind::Protocol, "an item of the list is not an object")
        .with_context("stream", stream)
}

/// JSON Schema, draft 7, in one piece: without `$ref`, which hosts do not follow.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_every_stream_is_described_and_none_but_the_key_is_required() {
        for stream in catalog().streams {
            let schema = &stream.json_schema;
            for (field, property) in schema["properties"].as_object().unwrap() {
                assert!(
                    property["description"].is_string(),
                    "{}.{field}",
                    stream.name
                );
            }
            for required in schema["required"].as_array().unwrap() {
                let required = required.as_str().unwrap();
                let is_key = ["id", "number", "build_id", "build_number"].contains(&required)
                    || required.ends_with("_slug");
                assert!(is_key, "{}.{required}", stream.name);
            }
            assert_ne!(schema["additionalProperties"], false, "{}", stream.name);
        }
    }
}

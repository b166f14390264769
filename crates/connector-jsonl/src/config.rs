//! What a user sets: where the lines are.

use connector_core::{Configuration, Error, ErrorKind, LocationKind, Result, SettingsSchema};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

/// The key that only a source has.
const STREAM: &str = "stream";

/// Configuration of the JSON lines source and destination.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A file, a folder (existing, or ending with `/`), or `-` for standard input or output.
    pub path: String,
    /// For a source that is one file or `-`: the stream of all lines. Without it, lines name their
    /// stream, or the name of the file is the stream.
    #[serde(default)]
    pub stream: Option<String>,
}

impl Config {
    /// Parses and checks. Pure: no file is read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed.
    pub fn parse(configuration: Configuration) -> Result<Self> {
        let config: Self = configuration.parse()?;
        let is_empty = |text: &String| text.is_empty();
        if config.path.is_empty() {
            return Err(refused("path", "must be a file, a folder or `-`"));
        }
        if config.stream.as_ref().is_some_and(is_empty) {
            return Err(refused(STREAM, "must be the name of a stream"));
        }
        Ok(config)
    }

    /// As [`parse`](Self::parse), for a destination.
    ///
    /// # Errors
    /// Also if it sets a key that only a source has.
    pub(crate) fn parse_destination(configuration: Configuration) -> Result<Self> {
        if configuration.has(STREAM) {
            return Err(refused(STREAM, "is only for a source; remove it"));
        }
        Self::parse(configuration)
    }

    /// What can be set for a source.
    pub(crate) fn source_settings() -> SettingsSchema {
        settings(Self::schema())
    }

    /// What can be set for a destination.
    pub(crate) fn destination_settings() -> SettingsSchema {
        let mut schema = Self::schema();
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.shift_remove(STREAM);
        }
        settings(schema)
    }

    fn schema() -> Value {
        let generator = SchemaSettings::draft07().into_generator();
        generator.into_root_schema_for::<Self>().to_value()
    }
}

fn settings(schema: Value) -> SettingsSchema {
    SettingsSchema::new(schema).with_location("path", LocationKind::FileOrPipe)
}

/// The error of one key.
pub(crate) fn refused(key: &str, message: &str) -> Error {
    Error::new(ErrorKind::Config, message).with_context("key", key)
}

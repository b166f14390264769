//! What a user sets: where the database is, and what to read.

use std::path::PathBuf;

use connector_core::{Configuration, Error, ErrorKind, LocationKind, Result, SettingsSchema};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

/// The keys that only a source has.
const OF_SOURCES: [&str; 2] = ["query", "stream"];

/// Configuration of the `SQLite` source and destination.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["path"]))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Path of the database file. A destination creates it if it does not exist; the folder must
    /// exist.
    pub path: PathBuf,
    /// For a source: the SELECT whose rows are read. Each column is a field.
    #[schemars(with = "String")]
    pub query: Option<String>,
    /// For a source: the name of the stream. Default: `query`.
    #[schemars(with = "String")]
    pub stream: Option<String>,
}

impl Config {
    /// Parses and checks. Pure: no file is read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed.
    pub fn parse(configuration: Configuration) -> Result<Self> {
        let config: Self = configuration.parse()?;
        // To SQLite these two are databases that exist only while they are open.
        if config.path.as_os_str().is_empty() || config.path.as_os_str() == ":memory:" {
            return Err(
                Error::new(ErrorKind::Config, "must be the path of a database file")
                    .with_context("key", "path"),
            );
        }
        Ok(config)
    }

    /// As [`parse`](Self::parse), for a source.
    ///
    /// # Errors
    /// Also without a query.
    pub(crate) fn parse_source(configuration: Configuration) -> Result<Self> {
        let mut config = Self::parse(configuration)?;
        config.query = config.query.filter(|sql| !sql.trim().is_empty());
        if config.query.is_none() {
            let message = "must be set for a source: the SELECT whose rows are read";
            return Err(Error::new(ErrorKind::Config, message).with_context("key", "query"));
        }
        Ok(config)
    }

    /// As [`parse`](Self::parse), for a destination.
    ///
    /// # Errors
    /// Also if it sets a key that only a source has.
    pub(crate) fn parse_destination(configuration: Configuration) -> Result<Self> {
        for key in OF_SOURCES {
            if configuration.has(key) {
                let message = "is for a source; leave it out of a destination";
                return Err(Error::new(ErrorKind::Config, message).with_context("key", key));
            }
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
            properties.retain(|key, _| !OF_SOURCES.contains(&key.as_str()));
        }
        settings(schema)
    }

    fn schema() -> Value {
        let generator = SchemaSettings::draft07().into_generator();
        generator.into_root_schema_for::<Self>().to_value()
    }
}

fn settings(schema: Value) -> SettingsSchema {
    SettingsSchema::new(schema).with_location("path", LocationKind::File)
}

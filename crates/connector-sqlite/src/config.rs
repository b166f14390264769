//! What the user sets: where the database is.

use std::path::PathBuf;

use connector_core::{Configuration, Error, ErrorKind, Result};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

/// Configuration of the `SQLite` source and destination.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["path"]))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Path of the database file. It is created if it does not exist; its folder must exist.
    pub path: PathBuf,
    /// For a source: the SELECT whose rows are read, each column a field.
    #[schemars(with = "String")]
    pub query: Option<String>,
    /// For a source: the stream whose records the rows are; `query` if left out.
    #[schemars(with = "String")]
    pub stream: Option<String>,
}

impl Config {
    /// Parses and checks. Pure: no file is looked at.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed.
    pub fn parse(configuration: Configuration) -> Result<Self> {
        let config: Self = configuration.parse()?;
        // To SQLite these two are databases that vanish when they are closed.
        if config.path.as_os_str().is_empty() || config.path.as_os_str() == ":memory:" {
            return Err(
                Error::new(ErrorKind::Config, "must be the path of a database file")
                    .with_context("key", "path"),
            );
        }
        Ok(config)
    }

    /// As [`parse`](Self::parse), for a destination.
    ///
    /// # Errors
    /// Also for the keys of a source.
    pub(crate) fn parse_destination(configuration: Configuration) -> Result<Self> {
        for key in ["query", "stream"] {
            if configuration.has(key) {
                let message = "is for a source; leave it out of a destination";
                return Err(Error::new(ErrorKind::Config, message).with_context("key", key));
            }
        }
        Self::parse(configuration)
    }

    /// JSON Schema (draft 7) of the configuration.
    pub(crate) fn schema() -> Value {
        SchemaSettings::draft07()
            .into_generator()
            .into_root_schema_for::<Self>()
            .to_value()
    }
}

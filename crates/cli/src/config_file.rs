//! The configuration file.
//!
//! ```toml
//! [source]
//! connector = "buildkite"     # the other keys are the connector's own
//! credential = "acme-read"    # a name in the credential store, instead of an api_key
//! organizations = ["acme"]
//!
//! [destination]
//! connector = "sqlite"
//! path = "buildkite.db"
//!
//! [sync]
//! streams = ["builds", "jobs"]
//! name = "acme"
//! ```
//!
//! Keys outside of a table are the source's: a file for Buildkite alone needs no table at all.
//! Nothing of its text is repeated in an error: a key in it may be a secret.

use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result, StreamName};
use serde_json::{Map, Value};

/// What the file says. Empty if there is no file.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) source: Option<Table>,
    pub(crate) destination: Option<Table>,
    pub(crate) streams: Vec<StreamName>,
    pub(crate) name: Option<String>,
    /// Whether other users of the machine may read it.
    pub(crate) is_readable_by_others: bool,
    /// Where it is; absent if there is none.
    pub(crate) path: Option<PathBuf>,
}

/// The settings of one plugin.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Which plugin; absent for the default one.
    pub(crate) connector: Option<String>,
    /// Which credential of the store.
    pub(crate) credential: Option<String>,
    pub(crate) keys: Map<String, Value>,
}

impl ConfigFile {
    /// Reads and parses the file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], with the line if it is no TOML.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let at_path = |error: Error| error.with_context("file", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("the configuration file cannot be read: {}", error.kind());
            at_path(Error::new(ErrorKind::Config, message))
        })?;
        let file = Self::parse(&text).map_err(at_path)?;
        Ok(Self {
            is_readable_by_others: is_readable_by_others(path),
            path: Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned())),
            ..file
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let tables: toml::Table = text.parse().map_err(|error| not_toml(text, &error))?;
        let mut file = Self::default();
        let mut bare = Map::new();
        for (name, value) in tables {
            match (name.as_str(), json(value)) {
                ("source", Value::Object(keys)) => file.source = Some(Table::new(keys, &name)?),
                ("destination", Value::Object(keys)) => {
                    file.destination = Some(Table::new(keys, &name)?);
                }
                ("sync", Value::Object(keys)) => file.sync(keys)?,
                (_, Value::Object(_)) | ("source" | "destination" | "sync", _) => {
                    return Err(refuse(
                        "the tables of the file are [source], [destination] and [sync]",
                    ));
                }
                (_, value) => {
                    bare.insert(name, value);
                }
            }
        }
        if !bare.is_empty() {
            let bare = Table::new(bare, "source")?;
            let source = file.source.get_or_insert_default();
            source.keys.extend(bare.keys);
            source.connector = source.connector.take().or(bare.connector);
            source.credential = source.credential.take().or(bare.credential);
        }
        Ok(file)
    }

    fn sync(&mut self, table: Map<String, Value>) -> Result<()> {
        for (key, value) in table {
            match (key.as_str(), value) {
                ("streams", Value::Array(names)) if names.iter().all(Value::is_string) => {
                    let names = names.iter().filter_map(Value::as_str);
                    self.streams = names.map(StreamName::from).collect();
                }
                ("name", Value::String(name)) => self.name = Some(name),
                _ => {
                    return Err(refuse(
                        "the table [sync] may hold `streams`, a list of names, and `name`, a text",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Table {
    fn new(mut keys: Map<String, Value>, name: &str) -> Result<Self> {
        let mut named = |key: &str, what: &str| match keys.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(refuse(format!(
                "`{key}` in [{name}] must be the name of {what}"
            ))),
        };
        let connector = named("connector", "a plugin, such as \"buildkite\"")?;
        let credential = named("credential", "a credential of the store")?;
        Ok(Self {
            connector,
            credential,
            keys,
        })
    }
}

fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// The parser's own message shows the line; here only its number is kept.
fn not_toml(text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    refuse("the configuration file is not valid TOML").with_context("line", line)
}

/// The same value in JSON. Dates become text, as the plugins expect them.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(is) => is.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::Table(table) => {
            let fields = table.into_iter().map(|(key, value)| (key, json(value)));
            Value::Object(fields.collect())
        }
    }
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_holds_two_plugins_and_the_streams() {
        let file = ConfigFile::parse(
            r#"
            [source]
            connector = "buildkite"
            organizations = ["acme"]
            start_date = 2026-01-31

            [destination]
            connector = "jsonl"
            path = "-"

            [sync]
            streams = ["builds"]
            name = "acme"
            "#,
        )
        .unwrap();

        let source = file.source.unwrap();
        assert_eq!(source.connector.as_deref(), Some("buildkite"));
        let keys = json!({"organizations": ["acme"], "start_date": "2026-01-31"});
        assert_eq!(Value::Object(source.keys), keys);
        assert_eq!(
            file.destination.unwrap().connector.as_deref(),
            Some("jsonl")
        );
        assert_eq!(file.streams, [StreamName::from("builds")]);
        assert_eq!(file.name.as_deref(), Some("acme"));
    }

    #[test]
    fn keys_without_a_table_are_those_of_the_default_source() {
        let file = ConfigFile::parse("organizations = [\"acme\"]\nmax_concurrency = 2").unwrap();

        let source = file.source.unwrap();
        assert_eq!(source.connector, None);
        let keys = json!({"organizations": ["acme"], "max_concurrency": 2});
        assert_eq!(Value::Object(source.keys), keys);
    }

    #[test]
    fn an_error_names_the_place_and_repeats_nothing() {
        for text in [
            "[source]\nconnector = \"buildkite\"\napi_key = bkua_1",
            "[source]\nconnector = [\"bkua_1\"]",
            "source = \"bkua_1\"",
            "[bkua_1]",
            "[sync]\nbkua_1 = 1",
        ] {
            let error = ConfigFile::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!error.to_string().contains("bkua_1"), "{error}");
        }
        let error = ConfigFile::parse("[source]\n\nx = ").unwrap_err();
        assert!(error.to_string().ends_with("[line: 3]"), "{error}");
    }
}

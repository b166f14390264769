//! The configuration file.
//!
//! ```toml
//! [source]
//! connector = "example"       # the other keys are the connector's own
//! credential = "acme-read"    # a name in the credential store
//!
//! [destination]
//! connector = "sqlite"
//! path = "copy.db"
//!
//! [sync]
//! streams = ["users", "tickets"]
//! name = "acme"
//! ```
//!
//! Keys outside of a table belong to the source. No error repeats the text of the file, which may
//! hold a secret.

use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result, StreamName};
use host_kit::input;
use serde_json::{Map, Value};

const WHAT: &str = "the configuration file";

/// The content of a configuration file. Empty if there is none.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ConfigFile {
    /// The table `[source]`, and the keys outside of a table.
    pub source: Option<Table>,
    /// The table `[destination]`.
    pub destination: Option<Table>,
    /// The table `[sync]`.
    pub sync: SyncTable,
    /// Where the file is, absolute.
    pub path: PathBuf,
    /// Whether other users of the machine can read it.
    pub is_readable_by_others: bool,
}

/// The settings of one connector.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Table {
    /// Which connector; absent for the default one.
    pub connector: Option<String>,
    /// Which credential of the store.
    pub credential: Option<String>,
    /// The connector's own settings.
    pub keys: Map<String, Value>,
}

/// The settings of a sync.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncTable {
    /// The streams to sync; empty for the default ones.
    pub streams: Vec<StreamName>,
    /// The name under which the destination keeps the state.
    pub name: Option<String>,
}

impl ConfigFile {
    /// Reads and parses the file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the file, and the line if it is not TOML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = input::text(path, WHAT)?;
        let file = Self::parse(&text).map_err(|e| e.with_context("file", path.display()))?;
        Ok(Self {
            is_readable_by_others: is_readable_by_others(path),
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
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
                ("sync", Value::Object(keys)) => file.sync = SyncTable::new(keys)?,
                (_, Value::Object(_)) | ("source" | "destination" | "sync", _) => {
                    let message = "the tables of the file are [source], [destination] and [sync]";
                    return Err(refuse(message));
                }
                (_, value) => {
                    bare.insert(name, value);
                }
            }
        }
        if !bare.is_empty() {
            let bare = Table::new(bare, "source")?;
            file.source.get_or_insert_default().add(bare);
        }
        Ok(file)
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
        let connector = named("connector", "a connector")?;
        let credential = named("credential", "a credential of the store")?;
        Ok(Self {
            connector,
            credential,
            keys,
        })
    }

    /// Adds keys from outside of a table.
    fn add(&mut self, bare: Self) {
        self.keys.extend(bare.keys);
        self.connector = self.connector.take().or(bare.connector);
        self.credential = self.credential.take().or(bare.credential);
    }
}

impl SyncTable {
    fn new(table: Map<String, Value>) -> Result<Self> {
        let mut sync = Self::default();
        for (key, value) in table {
            match (key.as_str(), value) {
                ("streams", Value::Array(names)) if names.iter().all(Value::is_string) => {
                    let names = names.iter().filter_map(Value::as_str);
                    sync.streams = names.map(StreamName::from).collect();
                }
                ("name", Value::String(name)) => sync.name = Some(name),
                _ => {
                    let message =
                        "the table [sync] may hold `streams`, a list of names, and `name`, a text";
                    return Err(refuse(message));
                }
            }
        }
        Ok(sync)
    }
}

fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// The parser's message quotes the line. This keeps only its number.
fn not_toml(text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    refuse(format!("{WHAT} is not valid TOML")).with_context("line", line)
}

/// The same value in JSON. Dates become text, as connectors expect them.
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
    fn a_file_holds_two_connectors_and_the_streams() {
        let file = ConfigFile::parse(
            r#"
            [source]
            connector = "tickets"
            projects = ["acme"]
            since = 2026-01-31

            [destination]
            connector = "jsonl"
            path = "-"

            [sync]
            streams = ["users"]
            name = "acme"
            "#,
        )
        .unwrap();

        let source = file.source.unwrap();
        assert_eq!(source.connector.as_deref(), Some("tickets"));
        let keys = json!({"projects": ["acme"], "since": "2026-01-31"});
        assert_eq!(Value::Object(source.keys), keys);
        let destination = file.destination.unwrap();
        assert_eq!(destination.connector.as_deref(), Some("jsonl"));
        assert_eq!(file.sync.streams, [StreamName::from("users")]);
        assert_eq!(file.sync.name.as_deref(), Some("acme"));
    }

    #[test]
    fn keys_without_a_table_are_those_of_the_default_source() {
        let file = ConfigFile::parse("projects = [\"acme\"]\nlimit = 2").unwrap();

        let source = file.source.unwrap();
        assert_eq!(source.connector, None);
        let keys = json!({"projects": ["acme"], "limit": 2});
        assert_eq!(Value::Object(source.keys), keys);
    }

    #[test]
    fn an_error_names_the_place_and_repeats_nothing() {
        for text in [
            "[source]\nconnector = \"x\"\napi_key = s5cret",
            "[source]\nconnector = [\"s5cret\"]",
            "source = \"s5cret\"",
            "[s5cret]",
            "[sync]\ns5cret = 1",
        ] {
            let error = ConfigFile::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!error.to_string().contains("s5cret"), "{error}");
        }
        let error = ConfigFile::parse("[source]\n\nx = ").unwrap_err();
        assert!(error.to_string().ends_with("[line: 3]"), "{error}");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_file_and_utf_16_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.toml");
        std::fs::write(&path, "\u{FEFF}limit = 2").unwrap();
        let file = ConfigFile::read(&path).unwrap();
        assert_eq!(file.source.unwrap().keys["limit"], 2);
        std::fs::write(&path, b"\xFF\xFEl\0").unwrap();
        let error = ConfigFile::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("is UTF-16; save it as UTF-8 [file: "),
            "{error}"
        );
    }
}

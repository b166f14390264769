//! The files that a host names: settings, catalogs, states.
//!
//! They come from people and other programs; what is wrong with one is said by its name and
//! position, never by its content, which may be a secret.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use connector_core::{Configuration, Connector, Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The key of a destination's settings that hosts read themselves: where refused records go.
const DEAD_LETTER: &str = "dead_letter";
const CONFIGURATION: &str = "the configuration";

/// The settings of a destination: the connector's, and those of the host.
#[derive(Debug)]
pub struct DestinationSettings {
    /// The connector's.
    pub configuration: Configuration,
    /// Where refused records go.
    pub dead_letters: Option<PathBuf>,
}

/// The text of a file; `what` it is, is said if it cannot be read.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file.
pub fn text(path: &Path, what: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::Config, format!("{what} cannot be read: {error}"))
            .with_context("file", path.display())
    })
}

/// A JSON file.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file, and line and column of what is wrong.
pub fn json_file<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    parse(&text(path, what)?, what).map_err(|error| error.with_context("file", path.display()))
}

/// A JSON text.
///
/// # Errors
/// [`ErrorKind::Config`], with line and column of what is wrong.
pub fn parse<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let wrong = match error.classify() {
            serde_json::error::Category::Data => "is not of the form that is expected",
            _ => "is not valid JSON",
        };
        let at = format!("line {}, column {}", error.line(), error.column());
        Error::new(ErrorKind::Config, format!("{what} {wrong}")).with_context("at", at)
    })
}

/// The settings of a source.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file and what is wrong, never a value.
pub fn source_settings(path: &Path) -> Result<Configuration> {
    Configuration::new(json_file(path, CONFIGURATION)?)
}

/// The settings of a destination, which may say where refused records go. A connector that has
/// that setting itself keeps it.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file and what is wrong, never a value.
pub fn destination_settings(path: &Path, connector: &dyn Connector) -> Result<DestinationSettings> {
    let mut value: Value = json_file(path, CONFIGURATION)?;
    let is_ours = !has_dead_letter(&connector.destination_schema());
    let object = value.as_object_mut().filter(|_| is_ours);
    let dead_letters = match object.and_then(|object| object.remove(DEAD_LETTER)) {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if !path.is_empty() => Some(path.into()),
        Some(_) => {
            return Err(Error::new(ErrorKind::Config, "expected the path of a file")
                .with_context("key", DEAD_LETTER));
        }
    };
    Ok(DestinationSettings {
        configuration: Configuration::new(value)?,
        dead_letters,
    })
}

fn has_dead_letter(schema: &Value) -> bool {
    schema["properties"].get(DEAD_LETTER).is_some()
}

/// The schema of a destination's settings, with the key that hosts read themselves if the
/// connector does not.
#[must_use]
pub fn destination_schema(connector: &dyn Connector) -> Value {
    let mut schema = connector.destination_schema();
    if has_dead_letter(&schema) {
        return schema;
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let description = "File to which records are appended that the destination refuses, each \
                           with the reason. Without it a refused record makes the run fail, and \
                           no state behind it is passed on.";
        properties.insert(
            DEAD_LETTER.to_owned(),
            json!({"type": "string", "description": description}),
        );
    }
    schema
}

/// The lines of standard input, in one buffer.
pub struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    /// From the next line on.
    pub fn new(reader: BufReader<R>) -> Self {
        Self {
            reader,
            line: Vec::new(),
            number: 0,
        }
    }

    /// The next line that is not empty; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be read, [`ErrorKind::Config`] if it is no text.
    pub fn next_line(&mut self) -> Result<Option<&str>> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self.reader.read_until(b'\n', &mut self.line);
            let read = read.map_err(|error| {
                let message = format!("standard input cannot be read: {error}");
                Error::new(ErrorKind::Io, message)
            })?;
            if read == 0 {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let text = std::str::from_utf8(&self.line).map_err(|_| {
            Error::new(ErrorKind::Config, "a message is no text in UTF-8")
                .with_context("line", self.number)
        })?;
        Ok(Some(text))
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether a whole line that is not empty is there without waiting.
    pub fn has_more(&self) -> bool {
        let buffer = self.reader.buffer();
        let whole = buffer.iter().rposition(|byte| *byte == b'\n');
        whole.is_some_and(|end| !buffer[..end].trim_ascii().is_empty())
    }
}

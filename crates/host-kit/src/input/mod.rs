//! The files and lines that a host is given: settings, catalogs, states, messages.
//!
//! People and other programs write them. An error names the file and the position, never the
//! content, which may be a secret.

mod lines;
mod spelling;

use std::path::Path;

use connector_core::{
    Configuration, Error, ErrorKind, Result, SettingsSchema, decode_text, invalid_json,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use lines::Lines;

const CONFIGURATION: &str = "the configuration";

/// The text of a file; errors call it `what`.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file.
pub fn text(path: &Path, what: &str) -> Result<String> {
    let in_file = |error: Error| error.with_context("file", path.display());
    let bytes = std::fs::read(path).map_err(|error| {
        let message = format!("{what} cannot be read: {error}");
        in_file(Error::new(ErrorKind::Config, message))
    })?;
    let text = decode_text(&bytes, what);
    text.map(str::to_owned).map_err(|error| {
        let message = error.message().to_owned();
        in_file(Error::new(ErrorKind::Config, message))
    })
}

/// A JSON file; errors call it `what`.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file, and line and column of what is wrong.
pub fn json_file<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    parse(&text(path, what)?, what).map_err(|error| error.with_context("file", path.display()))
}

/// A JSON text; errors call it `what`.
///
/// # Errors
/// [`ErrorKind::Config`], with line and column of what is wrong.
pub fn parse<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| invalid_json(ErrorKind::Config, what, &error))
}

/// A message of standard input: one line of JSON.
///
/// # Errors
/// [`ErrorKind::Data`], with the column of what is wrong.
pub fn message<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T> {
    // After a line break, an unexpected end would be in column 0 of the next line.
    serde_json::from_str(line.trim_end()).map_err(|error| {
        let message = invalid_json(ErrorKind::Data, "the message", &error);
        Error::new(ErrorKind::Data, message.message()).with_context("column", error.column())
    })
}

/// The settings in a file, as other programs write them. An empty text means that a setting is not
/// set. A text becomes the number, switch, list or object that `settings` declares.
///
/// An empty text is kept if the schema of the setting says `"minLength": 0`.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file and what is wrong, never a value.
pub fn configuration(path: &Path, settings: &SettingsSchema) -> Result<Configuration> {
    let mut value = json_file(path, CONFIGURATION)?;
    spelling::read_texts(&mut value, &settings.json_schema)
        .and_then(|()| Configuration::new(value))
        .map_err(|error| error.with_context("file", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_with_a_byte_order_mark_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, "\u{FEFF}{\"path\":\"x\"}").unwrap();
        let settings = SettingsSchema::new(serde_json::json!({}));
        assert!(configuration(&path, &settings).unwrap().has("path"));
        std::fs::write(&path, b"\xFF\xFE{\0").unwrap();
        let error = configuration(&path, &settings).unwrap_err().to_string();
        let expected = "the configuration is UTF-16; save it as UTF-8 [file: ";
        assert!(error.starts_with(expected), "{error}");
    }
    #[test]
    fn a_broken_message_is_a_fault_of_the_data_and_says_in_which_column() {
        let error = message::<Vec<u8>>("[1,\r\n").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        let text = "the message is not valid JSON [column: 3]";
        assert_eq!(error.to_string(), text);
    }
}

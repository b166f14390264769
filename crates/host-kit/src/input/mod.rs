//! The files and lines that a host is given: settings, catalogs, states, messages.
//!
//! They come from people and other programs. An error names the file and the position of what is
//! wrong, never the content, which may be a secret.

mod lines;

use std::path::Path;

use connector_core::{Configuration, Error, ErrorKind, Result, decode_text, invalid_json};
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

/// The settings in a file.
///
/// # Errors
/// [`ErrorKind::Config`], naming the file and what is wrong, never a value.
pub fn configuration(path: &Path) -> Result<Configuration> {
    Configuration::new(json_file(path, CONFIGURATION)?)
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
        assert!(configuration(&path).unwrap().has("path"));
        std::fs::write(&path, b"\xFF\xFE{\0").unwrap();
        let error = configuration(&path).unwrap_err().to_string();
        let expected = "the configuration is UTF-16; save it as UTF-8 [file: ";
        assert!(error.starts_with(expected), "{error}");
    }
}

//! Errors of the file, naming it.

use std::path::Path;

use connector_core::{Error, ErrorKind};

pub(super) fn refusal(path: &Path, message: &str) -> Error {
    Error::new(ErrorKind::State, message).with_context("journal", path.display())
}

pub(super) fn failed(path: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("the journal {what}: {error}"))
        .with_context("journal", path.display())
}

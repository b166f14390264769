//! States in the form in which other programs keep them.

use connector_core::{Error, ErrorKind};
use serde_json::{Map, Value};

/// Whether a saved value means that there is no state: null, or an empty object.
#[must_use]
pub fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

/// The error for a saved state of another connector.
#[must_use]
pub fn foreign_state() -> Error {
    let message = "the state was not made by this connector; restore it, or remove it to read \
                   everything again";
    Error::new(ErrorKind::State, message)
}

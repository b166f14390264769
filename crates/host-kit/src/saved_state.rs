//! States as other programs keep them.

use connector_core::{Error, ErrorKind};
use serde_json::{Map, Value};

/// Whether a saved value says no more than none at all: null, or an object without members.
#[must_use]
pub fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

/// The error of a saved state that is not ours.
#[must_use]
pub fn foreign_state() -> Error {
    let message = "the state was not made by this connector; restore it, or remove it to read \
                   everything again";
    Error::new(ErrorKind::State, message)
}

//! `--set KEY=VALUE`.

use std::fmt;
use std::str::FromStr;

use connector_core::{Error, ErrorKind, Result};

use super::side::{Origin, Role, Side};
use super::value;

const OF_SOURCE: &str = "source.";
const OF_DESTINATION: &str = "destination.";

/// `KEY=VALUE` of a source, or `destination.KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The side that it sets.
    pub role: Role,
    /// The setting.
    pub key: String,
    /// Its value as given: JSON, or a text.
    pub text: String,
}

/// A text that is not an [`Assignment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidAssignment;

impl FromStr for Assignment {
    type Err = InvalidAssignment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, text) = text.split_once('=').ok_or(InvalidAssignment)?;
        let (role, key) = match key.strip_prefix(OF_DESTINATION) {
            Some(key) => (Role::Destination, key),
            None => (Role::Source, key.strip_prefix(OF_SOURCE).unwrap_or(key)),
        };
        if key.is_empty() {
            return Err(InvalidAssignment);
        }
        Ok(Self {
            role,
            key: key.to_owned(),
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for InvalidAssignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected KEY=VALUE")
    }
}

impl std::error::Error for InvalidAssignment {}

/// Applies the assignments to this side.
///
/// # Errors
/// [`ErrorKind::Config`] for a setting that holds a secret: others can see it in the list of
/// processes.
pub(super) fn assign<'a>(
    assignments: impl Iterator<Item = &'a Assignment>,
    side: &mut Side,
) -> Result<()> {
    for Assignment { key, text, .. } in assignments {
        if side.schema().secret_keys().any(|secret| secret == key) {
            let message = "a secret must not be an argument: others can see it there";
            return Err(Error::new(ErrorKind::Config, message).with_context("key", key));
        }
        let value = value::from_text(text, &side.property(key));
        side.set(key, value, Origin::Assignment);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_says_whose_setting_it_is() {
        for (typed, role, key, text) in [
            ("page_size=50", Role::Source, "page_size", "50"),
            ("source.slugs=[\"a\"]", Role::Source, "slugs", "[\"a\"]"),
            ("destination.path=a=b", Role::Destination, "path", "a=b"),
        ] {
            let read: Assignment = typed.parse().unwrap();
            assert_eq!((read.role, &*read.key, &*read.text), (role, key, text));
        }
        for typed in ["page_size", "=1", "destination.=1"] {
            assert_eq!(typed.parse::<Assignment>(), Err(InvalidAssignment));
        }
    }
}

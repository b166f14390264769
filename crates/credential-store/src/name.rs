//! What credentials and connectors are called.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// A name: 1 to 64 letters, digits, `-`, `_` or `.`, all ASCII. Upper and lower case differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Characters that the longest name has.
    pub const MAX_LENGTH: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    /// # Errors
    /// [`Error::Name`], which does not repeat the text: it may be a misplaced key.
    fn try_from(text: String) -> Result<Self, Error> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.is_empty() {
            return Err(Error::Name("is empty; give 1 to 64 characters"));
        }
        if !text.chars().all(is_allowed) {
            return Err(Error::Name(
                "holds another character than letters, digits, `-`, `_` and `.`",
            ));
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(Error::Name("is longer than 64 characters; shorten it"));
        }
        Ok(Self(text))
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::try_from(text.to_owned())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_64_characters_is_taken_and_one_of_65_is_not() {
        assert!("a".repeat(64).parse::<Name>().is_ok());
        assert!("a".repeat(65).parse::<Name>().is_err());
    }

    #[test]
    fn spaces_slashes_umlauts_and_nothing_are_no_names() {
        for text in ["", "a b", "a/b", "ä", "a\n", "a:b"] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
        assert!("Ab-1_2.x".parse::<Name>().is_ok());
    }
}

//! Names of credentials and connectors.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name: 1 to 64 letters, digits, `-`, `_` or `.`, all ASCII. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a [`Name`]. It does not repeat the text, which may be a misplaced key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name {0}")]
pub struct InvalidName(&'static str);

impl Name {
    /// Characters in the longest name.
    pub const MAX_LENGTH: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.is_empty() {
            return Err(InvalidName("is empty; use 1 to 64 characters"));
        }
        if !text.chars().all(is_allowed) {
            return Err(InvalidName(
                "contains a character other than letters, digits, `-`, `_` and `.`",
            ));
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidName("is longer than 64 characters; shorten it"));
        }
        Ok(Self(text))
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
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
    fn a_name_has_at_most_64_characters() {
        assert!("a".repeat(64).parse::<Name>().is_ok());
        assert!("a".repeat(65).parse::<Name>().is_err());
    }

    #[test]
    fn a_name_has_no_spaces_slashes_or_umlauts_and_is_not_empty() {
        for text in ["", "a b", "a/b", "ä", "a\n", "a:b"] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
        assert!("Ab-1_2.x".parse::<Name>().is_ok());
    }
}

//! `NAME`, or `NAME:LOCATION`: a connector and where its data is.

use std::fmt;
use std::str::FromStr;

/// A connector and, if given, where its data is.
///
/// An address whose scheme is the name of the connector, such as `postgres://host/database`, is
/// the location as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRef {
    /// The name of the connector.
    pub name: String,
    /// The value of its location setting.
    pub location: Option<String>,
}

/// A text that is not a [`ConnectorRef`]: one side of the colon is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidReference;

impl ConnectorRef {
    /// The connector of this name, without a location.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            location: None,
        }
    }
}

impl FromStr for ConnectorRef {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((name, rest)) = text.split_once(':') else {
            let name = Some(text).filter(|name| !name.is_empty());
            return name.map(Self::new).ok_or(InvalidReference);
        };
        if name.is_empty() || rest.is_empty() {
            return Err(InvalidReference);
        }
        let location = if rest.starts_with("//") { text } else { rest };
        Ok(Self {
            name: name.to_owned(),
            location: Some(location.to_owned()),
        })
    }
}

impl fmt::Display for InvalidReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected NAME or NAME:LOCATION")
    }
}

impl std::error::Error for InvalidReference {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_may_hold_colons() {
        for (text, name, location) in [
            ("sqlite", "sqlite", None),
            (r"sqlite:C:\a.db", "sqlite", Some(r"C:\a.db")),
            ("jsonl:-", "jsonl", Some("-")),
            ("db://h:1/a", "db", Some("db://h:1/a")),
        ] {
            let read: ConnectorRef = text.parse().unwrap();
            assert_eq!(
                (read.name.as_str(), read.location.as_deref()),
                (name, location)
            );
        }
        for text in ["", ":x", "sqlite:"] {
            assert_eq!(
                text.parse::<ConnectorRef>(),
                Err(InvalidReference),
                "{text}"
            );
        }
    }
}

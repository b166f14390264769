//! The user's settings for one connector.
//!
//! Hosts bring them from files, flags or protocols; a connector turns them into its own struct,
//! purely. An error or a log never repeats what a user typed: it may be a misplaced secret.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::expectation::expected;
use crate::{Error, ErrorKind, Result, did_you_mean};

/// Settings as a JSON object. `Debug` prints the keys only.
#[derive(Clone, Default, PartialEq)]
pub struct Configuration(Map<String, Value>);

impl Configuration {
    /// Takes a JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it is something else.
    pub fn new(value: Value) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(Error::new(
                ErrorKind::Config,
                "the configuration must be an object with keys and values",
            )),
        }
    }

    /// Sets one key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Splits it in two: these keys, and all others.
    #[must_use]
    pub fn split(self, keys: &[&str]) -> (Self, Self) {
        let is_wanted = |key: &str| keys.contains(&key);
        let (wanted, others) = self.0.into_iter().partition(|(key, _)| is_wanted(key));
        (Self(wanted), Self(others))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Takes a key out; `None` if it is not set, or null.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key).filter(|value| !value.is_null())
    }

    /// Whether a key is set to something other than null.
    pub fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }

    /// Turns it into the connector's struct. A key that is null counts as absent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed there, never the value.
    pub fn parse<T: DeserializeOwned>(mut self) -> Result<T> {
        self.0.retain(|_, value| !value.is_null());
        serde_path_to_error::deserialize(Value::Object(self.0)).map_err(|error| {
            let path = error.path().to_string();
            explain(&error.into_inner().to_string(), &path)
        })
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Serde quotes the value that it refuses. Of its text only what is safe is kept: the names of our
/// own keys, and what was expected.
fn explain(text: &str, path: &str) -> Error {
    let error = |message: String| Error::new(ErrorKind::Config, message);
    if text.starts_with("missing field") {
        return error(format!("{text}: it must be set").replace("missing field", "missing key"));
    }
    if text.starts_with("unknown field") {
        let allowed = text
            .rsplit_once(", expected ")
            .map_or("none", |(_, rest)| rest);
        let allowed = allowed.trim_start_matches("one of ");
        let Some(key) = path.rsplit('.').next().filter(|key| is_harmless(key)) else {
            return error(format!("a key is unknown; allowed are {allowed}"));
        };
        let known: Vec<_> = allowed.split('`').skip(1).step_by(2).collect();
        let nearest = did_you_mean(key, &known);
        return error(format!(
            "unknown key `{key}`{nearest}; allowed are {allowed}"
        ));
    }
    let message = match expected(text) {
        None => "the value is not allowed".to_owned(),
        Some(expected) => format!("wrong type or value: expected {expected}"),
    };
    error(message).with_context("key", path)
}

/// A short word is a typing error; anything else might be a secret in the wrong place.
fn is_harmless(key: &str) -> bool {
    key.len() <= 24
        && key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its parsing is tested")]
        path: String,
        #[expect(dead_code, reason = "only its parsing is tested")]
        limit: Option<u8>,
    }

    fn refusal(value: Value) -> String {
        let configuration = Configuration::new(value).unwrap();
        configuration.parse::<Sample>().unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_the_key_and_what_is_allowed_but_no_value() {
        assert_eq!(refusal(json!({})), "missing key `path`: it must be set");
        assert_eq!(
            refusal(json!({"path": "x", "limt": "secret"})),
            "unknown key `limt`, did you mean `limit`?; allowed are `path` or `limit`"
        );
        assert_eq!(
            refusal(json!({"path": 7})),
            "wrong type or value: expected text [key: path]"
        );
        let refused = refusal(json!({"path": "x", "limit": "secret"}));
        assert_eq!(
            refused,
            "wrong type or value: expected a whole number from 0 to 255 [key: limit]"
        );
        let refused = refusal(json!({"path": "x", "limit": "expected bkua_1"}));
        assert!(!refused.contains("bkua_1"), "{refused}");
    }

    #[test]
    fn a_secret_in_the_place_of_a_key_is_not_repeated() {
        for secret in ["bkua_0123456789abcdef", "a_token_that_is_words_alone"] {
            let refused = refusal(json!({"path": "x", secret: true}));
            assert_eq!(refused, "a key is unknown; allowed are `path` or `limit`");
        }
    }

    #[test]
    fn null_counts_as_absent_and_debug_shows_keys_only() {
        let configuration = Configuration::new(json!({"path": "secret", "limit": null})).unwrap();
        assert!(!format!("{configuration:?}").contains("secret"));
        assert!(configuration.parse::<Sample>().is_ok());
    }
}

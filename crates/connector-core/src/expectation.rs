//! What serde says, in the words of the person who wrote the JSON.
//!
//! Serde quotes the value that it refuses, which may be a misplaced secret, and names Rust's
//! types. Only what it expected is kept, translated.

use crate::{Error, ErrorKind};

/// The error of a JSON text: `what` is the subject. It has line and column, never a value.
#[must_use]
pub fn invalid_json(kind: ErrorKind, what: &str, error: &serde_json::Error) -> Error {
    let message = match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            match expected(&text) {
                Some(expected) => format!("{what} has an unexpected form: expected {expected}"),
                None => match missing_field(&text) {
                    Some(field) => format!("{what} lacks the field `{field}`"),
                    None => format!("{what} has an unexpected form"),
                },
            }
        }
        _ => format!("{what} is not valid JSON"),
    };
    let at = format!("line {}, column {}", error.line(), error.column());
    Error::new(kind, message).with_context("at", at)
}

/// What serde expected, in plain words; `None` if its text does not say.
pub(crate) fn expected(text: &str) -> Option<String> {
    // The refused value comes before it and may itself hold these words, so the last ones count.
    let (_, rest) = text.rsplit_once("expected ")?;
    let rest = rest.split(" at line ").next().unwrap_or(rest);
    Some(plain(rest))
}

fn missing_field(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("missing field `")?;
    rest.split('`').next()
}

fn plain(expected: &str) -> String {
    let whole_number = |most: &str| format!("a whole number from 0 to {most}");
    match expected {
        "u8" | "a nonzero u8" => whole_number("255"),
        "u16" | "a nonzero u16" => whole_number("65,535"),
        "u32" | "a nonzero u32" => whole_number("4,294,967,295"),
        "u64" | "usize" | "a nonzero u64" | "a nonzero usize" => {
            "a whole number, 0 or more".to_owned()
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "a borrowed string" | "path string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object with keys and values".to_owned(),
        other if other.starts_with("struct ") => "an object with keys and values".to_owned(),
        other if other.starts_with("tuple ") => "a list".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[test]
    fn types_are_told_in_plain_words_and_values_never() {
        let refused = serde_json::from_str::<Vec<u8>>(r#"["expected bkua_secret"]"#).unwrap_err();
        let error = invalid_json(ErrorKind::Config, "the file", &refused).to_string();
        assert_eq!(
            error,
            "the file has an unexpected form: expected a whole number from 0 to 255 \
             [at: line 1, column 23]"
        );
    }

    #[test]
    fn broken_json_and_missing_fields_are_told_apart() {
        #[derive(Debug, Deserialize)]
        struct Sample {
            #[expect(dead_code, reason = "only its parsing is tested")]
            path: String,
        }
        let broken = serde_json::from_str::<BTreeMap<String, u8>>("{").unwrap_err();
        let error = invalid_json(ErrorKind::Config, "the file", &broken);
        assert!(error.message().ends_with("is not valid JSON"), "{error}");
        let missing = serde_json::from_str::<Sample>("{}").unwrap_err();
        let error = invalid_json(ErrorKind::Config, "the file", &missing);
        assert_eq!(error.message(), "the file lacks the field `path`");
    }
}

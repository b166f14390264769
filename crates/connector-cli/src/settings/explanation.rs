//! Errors about settings, in terms of flags, variables and keys.

use connector_core::{Error, ErrorKind};
use serde_json::Value;

use super::side::{Origin, Side};

/// Longer values are cut.
const LONGEST_VALUE: usize = 80;

/// Adds to an error about a setting its value and its origin: the flag or variable replaces the
/// key. Secrets are never repeated, and neither are texts that contain one of `secret_prefixes`.
#[must_use]
pub fn explain(error: Error, side: &Side, secret_prefixes: &[String]) -> Error {
    let is_about_settings = matches!(error.kind(), ErrorKind::Config | ErrorKind::NotFound);
    let key = error.context().find(|(name, _)| *name == "key");
    let Some(path) = key
        .map(|(_, path)| path.to_owned())
        .filter(|_| is_about_settings)
    else {
        return error;
    };
    let root = path.split(['.', '[']).next().unwrap_or_default();
    let Some(origin) = side.origin(root) else {
        return error;
    };
    let mut explained = Error::new(error.kind(), error.message()).with_retry(error.retry());
    explained = match origin {
        Origin::Flag(flag) => explained.with_context("flag", flag),
        Origin::Variable(variable) => explained.with_context("variable", variable),
        _ => explained.with_context("key", &path),
    };
    if let Some(value) = shown_value(side, root, &path, secret_prefixes) {
        explained = explained.with_context("value", value);
    }
    for (name, value) in error.context().filter(|(name, _)| *name != "key") {
        explained = explained.with_context(name, value);
    }
    explained.with_source(error)
}

/// The value that a path such as `organizations[1]` leads to, unless it may be a secret.
fn shown_value(side: &Side, root: &str, path: &str, secret_prefixes: &[String]) -> Option<String> {
    if side.schema().secret_keys().any(|key| key == root) {
        return None;
    }
    let mut value = side.get(root)?;
    for step in path[root.len()..].split(['.', '[']).skip(1) {
        let step = step.trim_end_matches(']');
        value = match value {
            Value::Array(values) => values.get(step.parse::<usize>().ok()?)?,
            Value::Object(fields) => fields.get(step)?,
            _ => break,
        };
    }
    if !(value.is_string() || value.is_number() || value.is_boolean()) {
        return None;
    }
    let text = value.to_string();
    let is_secret = secret_prefixes
        .iter()
        .any(|prefix| text.contains(prefix.as_str()));
    (!is_secret).then(|| cut(text))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

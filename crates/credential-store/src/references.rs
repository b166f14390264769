//! Which configuration files name a credential.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

use crate::info::CredentialInfo;

/// The key in a configuration file whose value is the name of a credential.
const KEY: &str = "credential";

/// A configuration file that stops working when the credential is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The file.
    pub path: PathBuf,
    /// Whether the file was read and names the credential. Otherwise it exists and cannot be
    /// read, so it may still name it.
    pub is_certain: bool,
}

/// The files that have used the credential and still name it, sorted.
///
/// Reads each file in [`CredentialInfo::used_by`]; files that no longer exist, or no longer name
/// the credential, are left out.
pub fn references(credential: &CredentialInfo) -> Vec<Reference> {
    let name = credential.name.as_str();
    let reference = |file: &String| reference(PathBuf::from(file), name);
    credential.used_by.iter().filter_map(reference).collect()
}

fn reference(path: PathBuf, name: &str) -> Option<Reference> {
    let is_certain = match std::fs::read_to_string(&path) {
        Ok(text) => match names_credential(&text, name) {
            Some(false) => return None,
            names_it => names_it.is_some(),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(_) => false,
    };
    Some(Reference { path, is_certain })
}

/// Whether a configuration in TOML or JSON names the credential: a key `credential` at any depth
/// has the name as its value. `None` if the text is neither TOML nor JSON.
pub fn names_credential(text: &str, name: &str) -> Option<bool> {
    let text = text.trim_start_matches('\u{feff}');
    let toml = toml::from_str::<Value>(text).ok();
    let value = toml.or_else(|| serde_json::from_str(text).ok())?;
    Some(names_it(&value, name))
}

fn names_it(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(table) => table
            .iter()
            .any(|(key, value)| (key == KEY && value == name) || names_it(value, name)),
        Value::Array(values) => values.iter().any(|value| names_it(value, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_the_key_counts() {
        for text in [
            "credential = \"acme\"",
            "credential = \"acme\"  # the warehouse's",
            "credential='acme' # it's read-only",
            "\"credential\" = \"acme\"",
            "[source]\ncredential = \"\\u0061cme\"",
            "source = { connector = \"x\", credential = \"acme\" }",
            "source.credential = \"acme\"",
            "[[syncs]]\nname = \"a\"\n[[syncs]]\ndestination = { credential = \"acme\" }",
            "credential = \"\"\"acme\"\"\"",
            "{\"source\": {\"credential\": \"acme\"}}",
            "{\"syncs\": [{\"a\": 1}, {\"credential\":\"acme\"}]}",
            "\u{feff}credential = \"acme\"\r\nat = 2026-01-31T00:00:00Z\r\n",
        ] {
            assert_eq!(names_credential(text, "acme"), Some(true), "{text}");
        }
    }

    #[test]
    fn other_names_other_keys_comments_and_texts_do_not_count() {
        for text in [
            "",
            "credential = \"acme-read\"",
            "# credential = \"acme\"",
            "description = \"credential = 'acme'\"",
            "note = \"\"\"\ncredential = \"acme\"\n\"\"\"",
            "credentials = \"acme\"",
            "[credential]\nname = \"acme\"",
            "credential = [\"acme\"]",
            "{\"name\": \"acme\", \"credential\": null}",
        ] {
            assert_eq!(names_credential(text, "acme"), Some(false), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_neither_toml_nor_json_may_name_anything() {
        for text in ["credential = acme", "{\"credential\": \"acme\"", "[source"] {
            assert_eq!(names_credential(text, "acme"), None, "{text}");
        }
    }
}

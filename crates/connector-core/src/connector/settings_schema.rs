//! The settings of a connector, declared. Hosts build forms, flags and documentation from them,
//! and infer nothing from the name of a key.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The settings of one role of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettingsSchema {
    /// JSON Schema (draft 7): an object with a description for each key. A key that holds a
    /// secret says `"writeOnly": true`.
    pub json_schema: Value,
    /// The setting that says where the data is, if there is one: what follows the colon in
    /// `sqlite:FILE`.
    pub location: Option<LocationSetting>,
    /// Settings that deserve a flag of their own on a command line.
    pub flags: Vec<FlagSetting>,
    /// The environment variable in which users of the remote usually keep the credential, if there
    /// is one.
    pub credential_variable: Option<String>,
    /// What a person does to get a credential, in a few lines; empty if none is needed.
    pub credential_help: String,
}

/// A setting that says where the data is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocationSetting {
    /// Its key.
    pub key: String,
    /// What it names.
    pub kind: LocationKind,
}

/// What a location names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LocationKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A file, or `-` for standard input or output.
    FileOrPipe,
    /// An address such as `postgres://…`, whose scheme is the connector's name.
    Url,
}

/// A setting with a flag of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FlagSetting {
    /// The flag without its dashes: `organization`.
    pub flag: String,
    /// The key it sets: `organizations`.
    pub key: String,
    /// What the help shows for its value: `SLUG`.
    pub value_name: String,
    /// One line of help, an imperative fragment or a noun phrase.
    pub help: String,
    /// Whether the flag can be repeated. Its key is then a list.
    pub is_list: bool,
    /// Whether its value is a date. Hosts also take one that is relative to the present, such as
    /// `7d`, and pass the resolved date to the connector, in UTC.
    #[serde(default)]
    pub is_date: bool,
}

impl LocationSetting {
    /// The setting `key` names something of this `kind`.
    pub fn new(key: impl Into<String>, kind: LocationKind) -> Self {
        Self {
            key: key.into(),
            kind,
        }
    }
}

impl FlagSetting {
    /// `--flag VALUE_NAME` sets `key`.
    pub fn new(flag: &str, key: &str, value_name: &str, help: &str) -> Self {
        Self {
            flag: flag.to_owned(),
            key: key.to_owned(),
            value_name: value_name.to_owned(),
            help: help.to_owned(),
            is_list: false,
            is_date: false,
        }
    }

    /// The flag can be repeated, and its key is a list.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.is_list = true;
        self
    }

    /// Its value is a date.
    #[must_use]
    pub fn of_date(mut self) -> Self {
        self.is_date = true;
        self
    }
}

impl SettingsSchema {
    /// Settings with a JSON Schema and no other declarations.
    pub fn new(json_schema: Value) -> Self {
        Self {
            json_schema,
            location: None,
            flags: Vec::new(),
            credential_variable: None,
            credential_help: String::new(),
        }
    }

    /// Declares which setting says where the data is.
    #[must_use]
    pub fn with_location(mut self, key: &str, kind: LocationKind) -> Self {
        self.location = Some(LocationSetting::new(key, kind));
        self
    }

    /// Declares a flag.
    #[must_use]
    pub fn with_flag(mut self, flag: FlagSetting) -> Self {
        self.flags.push(flag);
        self
    }

    /// Declares the variable that usually holds the credential, and how a person gets one.
    #[must_use]
    pub fn with_credential(mut self, variable: &str, help: &str) -> Self {
        self.credential_variable = Some(variable.to_owned());
        help.clone_into(&mut self.credential_help);
        self
    }

    /// Whether there is a setting of this name.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.json_schema["properties"].get(key).is_some()
    }

    /// The names of all settings, in the order of the schema.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.properties().map(|(key, _)| key)
    }

    /// The settings that hold a secret.
    pub fn secret_keys(&self) -> impl Iterator<Item = &str> {
        let secret = |schema: &Value| schema.get("writeOnly") == Some(&Value::Bool(true));
        let secrets = self.properties().filter(move |(_, schema)| secret(schema));
        secrets.map(|(key, _)| key)
    }

    /// Whether it takes a credential: one of its settings holds a secret.
    #[must_use]
    pub fn takes_credential(&self) -> bool {
        self.secret_keys().next().is_some()
    }

    fn properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        let properties = self.json_schema["properties"].as_object();
        let properties = properties.into_iter().flatten();
        properties.map(|(key, schema)| (key.as_str(), schema))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_what_the_schema_declares() {
        let schema = SettingsSchema::new(json!({"properties": {
            "api_key": {"type": "string", "writeOnly": true},
            "token_count": {"type": "integer"},
        }}));
        assert_eq!(schema.secret_keys().collect::<Vec<_>>(), ["api_key"]);
        assert!(schema.takes_credential());
        assert!(schema.has("token_count"));
        assert!(!schema.has("token"));
        assert!(!SettingsSchema::new(json!({})).takes_credential());
    }
}

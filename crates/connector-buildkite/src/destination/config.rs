//! The configuration of the destination. What it shares with the source is the source's.

use std::collections::BTreeMap;
use std::time::Duration;

use connector_core::{Configuration, Credential, FlagSetting, Result, SettingsSchema};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::delivery::KeyParts;
use super::mapping::Mapping;
use crate::config::{Config, TOKEN_VARIABLE};
use crate::error::invalid_setting;
use crate::streams::schema_of;

/// The keys that source and destination share.
const SHARED: [&str; 4] = [
    "api_key",
    "base_url",
    "max_concurrency",
    "rate_limit_reserve",
];
const KEY_OF_WRITERS: &str = "API access token. Create one in Buildkite under Personal Settings, API \
    Access Tokens, with the scopes read_builds and write_builds, and read_pipelines and \
    write_pipelines for pipelines. A host that keeps credentials passes it instead.";

/// Actions that must be allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Giving a pipeline another slug, which changes all of its addresses.
    MoveSlug,
    /// Replacing the configuration of a pipeline that has builds scheduled or running.
    ReplaceConfiguration,
    /// Archiving a pipeline by its desired state.
    Archive,
    /// The stream `requests`: POST, PUT and PATCH to any path of the organization.
    Requests,
    /// DELETE in the stream `requests`.
    DeleteRequests,
}

/// What to wait for after builds are triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// The end of each build, or a block that somebody must unblock.
    Finished,
}

// No `Serialize`: it is never written back.
/// Settings of the Buildkite destination, besides those that it shares with the source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(title = "Buildkite")]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// Slug of the organization for records that name none.
    #[schemars(with = "String")]
    pub organization: Option<String>,
    /// Slug of the pipeline for records that name none.
    #[schemars(with = "String")]
    pub pipeline: Option<String>,
    /// For each stream of the source, how its records become records of a stream here. Without a
    /// mapping, records must have the fields of the stream here with the same name, or else of
    /// `stream`.
    #[serde(default)]
    pub mapping: BTreeMap<String, Mapping>,
    /// The stream here that takes the records of streams without a mapping, unless a stream here
    /// has the same name.
    #[serde(default = "default_stream")]
    pub stream: String,
    /// What makes two records the same, as JSON pointers into the source's record: "/id". Default:
    /// the whole record.
    #[serde(default)]
    pub idempotency_key: Vec<String>,
    /// File that remembers what was sent; put it in a permanent place. Empty for no journal: then
    /// only Buildkite is asked what was sent before. Default: a file for the address and
    /// organization in the user's data folder; buildkite-journal.jsonl in the working directory if
    /// that file exists, or if there is no data folder.
    #[schemars(with = "String")]
    pub journal: Option<String>,
    /// How long a new build may take to appear in Buildkite's lists, in seconds, 0 to 600. If the
    /// outcome of a request is unknown, the connector looks for its build for this long before it
    /// sends the request again.
    #[serde(default = "default_settle_seconds")]
    #[schemars(range(min = 0, max = 600))]
    pub settle_seconds: u32,
    /// What to wait for after builds are triggered. Needs a journal, so that the next run resumes
    /// the wait if this one ends. Default: nothing.
    #[schemars(with = "Wait")]
    pub wait: Option<Wait>,
    /// Maximum time to wait for one build, in minutes, 1 to 10,080.
    #[serde(default = "default_wait_minutes")]
    #[schemars(range(min = 1, max = 10_080))]
    pub wait_minutes: u32,
    /// Time between two requests for the state of awaited builds, in seconds, 1 to 3,600.
    #[serde(default = "default_poll_seconds")]
    #[schemars(range(min = 1, max = 3_600))]
    pub poll_seconds: u32,
    /// Actions to allow that are refused otherwise.
    #[serde(default)]
    pub allow: Vec<Permission>,
}

fn default_stream() -> String {
    "builds".to_owned()
}

fn default_settle_seconds() -> u32 {
    10
}

fn default_wait_minutes() -> u32 {
    60
}

fn default_poll_seconds() -> u32 {
    15
}

/// How a person gets a token that can write.
const WRITE_TOKEN_HELP: &str = "\
Create a token in Buildkite under Personal Settings > API Access Tokens, with access to your
organization and the scopes read_builds and write_builds, and read_pipelines and write_pipelines
for pipelines. Then:
    export BUILDKITE_API_TOKEN=...
or run the command in a terminal without it and paste the token at the prompt.";

impl DestinationConfig {
    /// What can be set, with the flags that a command line gives it.
    pub fn settings() -> SettingsSchema {
        SettingsSchema::new(Self::schema())
            .with_flag(FlagSetting::new(
                "organization",
                "organization",
                "SLUG",
                "Organization of records that name none",
            ))
            .with_flag(FlagSetting::new(
                "pipeline",
                "pipeline",
                "SLUG",
                "Pipeline of records that name none",
            ))
            .with_flag(FlagSetting::new(
                "base-url",
                "base_url",
                "URL",
                "Address of the API",
            ))
            .with_credential(TOKEN_VARIABLE, WRITE_TOKEN_HELP)
    }

    /// JSON Schema (draft 7) of all keys, the shared ones first.
    pub fn schema() -> Value {
        let mut schema = schema_of::<Self>();
        let source = Config::schema();
        let mut properties = serde_json::Map::new();
        for key in SHARED {
            properties.insert(key.to_owned(), source["properties"][key].clone());
        }
        properties["api_key"]["description"] = KEY_OF_WRITERS.into();
        if let Some(own) = schema["properties"].as_object() {
            properties.extend(own.clone());
        }
        schema["properties"] = properties.into();
        schema["required"] = json!(["api_key"]);
        schema
    }

    /// Parses and checks; returns what is shared with the source apart. Pure.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config), naming the key and what is
    /// allowed, never the value.
    pub(crate) fn parse(
        configuration: Configuration,
        credential: Option<Credential>,
    ) -> Result<(Config, Self)> {
        let (shared, own) = configuration.split(&SHARED);
        let connection = Config::parse(shared, credential)?;
        let config: Self = own.parse()?;
        for (key, value, allowed) in [
            ("settle_seconds", config.settle_seconds, 0..=600),
            ("wait_minutes", config.wait_minutes, 1..=10_080),
            ("poll_seconds", config.poll_seconds, 1..=3_600),
        ] {
            if !allowed.contains(&value) {
                let (low, high) = (allowed.start(), allowed.end());
                return Err(invalid_setting(
                    key,
                    &format!("expected a number from {low} to {high}"),
                ));
            }
        }
        if config.wait.is_some() && config.journal.as_deref() == Some("") {
            return Err(invalid_setting(
                "wait",
                "expected a journal, which remembers the builds that are awaited if this run ends: \
                 set `journal` to a file, or leave it out",
            ));
        }
        config.key_parts()?;
        Ok((connection, config))
    }

    /// # Errors
    /// As [`parse`](Self::parse), which has checked that.
    pub(crate) fn key_parts(&self) -> Result<KeyParts> {
        KeyParts::new(self.idempotency_key.clone()).map_err(|position| {
            let key = format!("idempotency_key[{position}]");
            invalid_setting(key, "expected a JSON pointer, as /id or /author/name")
        })
    }

    pub(crate) fn allows(&self, permission: Permission) -> bool {
        self.allow.contains(&permission)
    }

    pub(crate) fn settle(&self) -> Duration {
        Duration::from_secs(self.settle_seconds.into())
    }
}

#[cfg(test)]
mod tests {
    use connector_core::ErrorKind;

    use super::*;

    fn parse(value: Value) -> Result<(Config, DestinationConfig)> {
        DestinationConfig::parse(Configuration::new(value)?, None)
    }

    #[test]
    fn shared_keys_and_own_keys_are_both_taken() {
        let config = json!({"max_concurrency": 7, "pipeline": "web", "allow": ["archive"]});
        let (connection, config) = parse(config).unwrap();
        assert_eq!(connection.max_concurrency, 7);
        assert_eq!(config.pipeline.as_deref(), Some("web"));
        assert!(config.allows(Permission::Archive) && !config.allows(Permission::Requests));
        assert_eq!(config.settle_seconds, 10);
    }

    #[test]
    fn a_bad_value_is_refused_by_key_and_never_repeated() {
        for (key, value) in [
            ("organization", json!(["s3cret"])),
            ("mapping", json!({"rows": {"to": 7, "fields": {}}})),
            ("idempotency_key", json!(["s3cret"])),
            ("settle_seconds", json!(601)),
            ("poll_seconds", json!(0)),
            ("wait", json!("s3cret")),
            ("allow", json!(["s3cret"])),
            ("max_concurrency", json!(0)),
        ] {
            let error = parse(json!({ key: value })).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{key}");
            let text = error.to_string();
            assert!(text.contains(key) && !text.contains("s3cret"), "{text}");
        }
        let error = parse(json!({"wait": "finished", "journal": ""})).unwrap_err();
        assert!(error.to_string().contains("key: wait"), "{error}");
        let text = parse(json!({"start_date": "2026-01-01"}))
            .unwrap_err()
            .to_string();
        assert!(text.contains("start_date"), "{text}");
    }

    #[test]
    fn the_schema_has_every_key_with_its_description_and_marks_the_secret() {
        let schema = DestinationConfig::schema();
        let properties = schema["properties"].as_object().unwrap();
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{key}");
        }
        assert_eq!(schema["properties"]["api_key"]["writeOnly"], true);
        assert!(properties.contains_key("journal") && !properties.contains_key("start_date"));
    }
}

//! The settings of the source, the same in every host. The destination shares some of them.

use std::collections::BTreeSet;

use buildkite_client::DEFAULT_BASE_URL;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use connector_core::{Configuration, Credential, FlagSetting, Result, SettingsSchema};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::error::invalid_setting;
use crate::mask::Sensitive;
use crate::streams::{CustomStream, ListStream, declared, schema_of};

// No `Serialize`: it is never written back.
/// Settings of the Buildkite connector.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(title = "Buildkite", extend("required" = ["api_key"]))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// API access token. Create one in Buildkite under Personal Settings, API Access Tokens, with
    /// the scopes read_organizations, read_pipelines and read_builds. A host that keeps
    /// credentials passes it instead.
    #[schemars(with = "String", extend("writeOnly" = true))]
    pub api_key: Option<SecretString>,
    /// The credential that a host passes; it takes precedence over the API key. Never in a
    /// configuration.
    #[serde(skip)]
    #[schemars(skip)]
    passed: Option<Credential>,
    /// Address of the API: https, or http on this machine.
    #[serde(default = "default_base_url")]
    pub base_url: String,
    /// Name of the remote in saved states, for a remote whose address changes from run to run,
    /// such as a proxy on a free port. Default: the address of the API.
    #[schemars(with = "String")]
    pub state_id: Option<String>,
    /// Slugs of the organizations to read. Default: all that the token sees.
    #[schemars(with = "Vec<String>")]
    pub organizations: Option<Vec<String>>,
    /// Slugs of the pipelines to read, in any of the organizations. Default: all.
    #[schemars(with = "Vec<String>")]
    pub pipelines: Option<Vec<String>>,
    /// Builds created before this date are not read: ISO 8601, such as 2026-01-31 or
    /// 2026-01-31T09:30:00Z. Default: everything that Buildkite still has.
    #[schemars(with = "String")]
    pub start_date: Option<String>,
    /// Maximum number of requests at the same time, 1 to 32.
    #[serde(default = "default_max_concurrency")]
    #[schemars(range(min = 1, max = 32))]
    pub max_concurrency: u32,
    /// Percentage of the organization's rate limit that is left to people and other tools, 0 to
    /// 90.
    #[serde(default = "default_rate_limit_reserve")]
    #[schemars(range(min = 0, max = 90))]
    pub rate_limit_reserve: f64,
    /// Sensitive values that are copied in clear: emails, env, tokens. Default: all are masked.
    #[serde(default)]
    pub include_sensitive: Vec<Sensitive>,
    /// Maximum length of a job log in bytes, 1,024 to 1,073,741,824. Only the end of a longer log
    /// is copied.
    #[serde(default = "default_log_limit")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub log_limit_bytes: u64,
    /// Further lists of the API, as streams.
    #[serde(default)]
    pub custom_streams: Vec<CustomStream>,
}

fn default_base_url() -> String {
    DEFAULT_BASE_URL.to_owned()
}

fn default_max_concurrency() -> u32 {
    4
}

fn default_log_limit() -> u64 {
    4 * 1024 * 1024
}

fn default_rate_limit_reserve() -> f64 {
    10.0
}

/// The environment variable that holds an API token by custom.
pub(crate) const TOKEN_VARIABLE: &str = "BUILDKITE_API_TOKEN";
/// How a person gets a token that can read.
const READ_TOKEN_HELP: &str = "\
Create a token in Buildkite under Personal Settings > API Access Tokens, with access to your
organization and the scopes read_organizations, read_pipelines and read_builds. Then:
    export BUILDKITE_API_TOKEN=...
or run the command in a terminal without it and paste the token at the prompt.";

impl Config {
    /// What can be set, with the flags that a command line gives it.
    pub fn settings() -> SettingsSchema {
        let slugs = |flag, key, help| FlagSetting::new(flag, key, "SLUG", help).repeated();
        SettingsSchema::new(Self::schema())
            .with_flag(slugs(
                "organization",
                "organizations",
                "Organization to read [default: all that the token sees]",
            ))
            .with_flag(slugs(
                "pipeline",
                "pipelines",
                "Pipeline to read [default: all]",
            ))
            .with_flag(
                FlagSetting::new(
                    "since",
                    "start_date",
                    "DATE",
                    "Skip builds created before this date, such as 2026-01-31 or 7d",
                )
                .of_date(),
            )
            .with_flag(FlagSetting::new(
                "base-url",
                "base_url",
                "URL",
                "Address of the API",
            ))
            .with_credential(TOKEN_VARIABLE, READ_TOKEN_HELP)
    }

    /// JSON Schema (draft 7) of the keys.
    pub fn schema() -> Value {
        schema_of::<Self>()
    }

    /// Parses and checks. Pure: no network, file, environment or clock.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config), naming the key and what is allowed, never the value.
    pub fn parse(configuration: Configuration, credential: Option<Credential>) -> Result<Self> {
        let mut config: Self = configuration.parse()?;
        config.passed = credential;
        config.check_ranges()?;
        config.streams()?;
        config.organizations = slugs("organizations", config.organizations)?;
        config.pipelines = slugs("pipelines", config.pipelines)?;
        config.created_from()?;
        Ok(config)
    }

    /// The name of the remote in saved states.
    pub(crate) fn remote(&self) -> &str {
        self.state_id.as_deref().unwrap_or(&self.base_url)
    }

    fn check_ranges(&self) -> Result<()> {
        let (concurrency, log) = (self.max_concurrency, self.log_limit_bytes);
        for (key, is_allowed, expected) in [
            (
                "max_concurrency",
                (1..=32).contains(&concurrency),
                "expected a number from 1 to 32",
            ),
            (
                "rate_limit_reserve",
                (0.0..=90.0).contains(&self.rate_limit_reserve),
                "expected a percentage from 0 to 90",
            ),
            (
                "log_limit_bytes",
                (1024..=1 << 30).contains(&log),
                "expected a number from 1024 to 1073741824",
            ),
        ] {
            if !is_allowed {
                return Err(invalid_setting(key, expected));
            }
        }
        Ok(())
    }

    /// The credential that the host passed, or the API key.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if there is neither.
    pub(crate) fn credential(&self) -> Result<Credential> {
        let key = || self.api_key.clone().map(Credential::ApiKey);
        let credential = self.passed.clone().or_else(key);
        credential.ok_or_else(|| {
            invalid_setting(
                "api_key",
                "must be set: an API access token, created in Buildkite under Personal Settings, \
                 API Access Tokens",
            )
        })
    }

    /// The streams that are declared as lists; those of the configuration come last.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) for a custom stream that cannot be
    /// read; [`parse`](Self::parse) has checked that.
    pub(crate) fn streams(&self) -> Result<Vec<ListStream>> {
        let mut streams = declared();
        for (position, custom) in self.custom_streams.iter().enumerate() {
            let stream = custom.declare(position, &streams)?;
            streams.push(stream);
        }
        Ok(ListStream::with_scopes_of_parents(streams))
    }

    /// `start_date` as a moment.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) if it is not a date; [`parse`](Self::parse) has checked that.
    pub(crate) fn created_from(&self) -> Result<Option<DateTime<Utc>>> {
        let Some(text) = &self.start_date else {
            return Ok(None);
        };
        parse_date(text.trim()).map(Some).ok_or_else(|| {
            invalid_setting(
                "start_date",
                "expected an ISO 8601 date, such as 2026-01-31 or 2026-01-31T09:30:00Z",
            )
        })
    }
}

/// Without a time: midnight. Without a zone: UTC.
fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    if let Ok(at) = text.parse::<NaiveDateTime>() {
        return Some(at.and_utc());
    }
    let date: NaiveDate = text.parse().ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc())
}

/// Each slug once, in their order.
fn slugs(key: &'static str, slugs: Option<Vec<String>>) -> Result<Option<Vec<String>>> {
    let Some(slugs) = slugs else { return Ok(None) };
    if slugs.is_empty() {
        return Err(invalid_setting(
            key,
            "expected at least one slug; leave the key out for all",
        ));
    }
    let mut known = BTreeSet::new();
    let mut unique = Vec::new();
    for (index, slug) in slugs.into_iter().enumerate() {
        let slug = slug.trim().to_owned();
        let is_slug = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if slug.is_empty() || !slug.chars().all(is_slug) || slug.starts_with('.') {
            let what = "expected a slug, the part of the address after the host or the \
                        organization: letters, digits and dashes";
            return Err(invalid_setting(format!("{key}[{index}]"), what));
        }
        if known.insert(slug.clone()) {
            unique.push(slug);
        }
    }
    Ok(Some(unique))
}

#[cfg(test)]
mod tests {
    use connector_core::ErrorKind;
    use serde_json::json;

    use super::*;

    fn parse(value: Value) -> Result<Config> {
        Config::parse(Configuration::new(value)?, None)
    }

    #[test]
    fn only_the_key_has_no_default() {
        let config = parse(json!({})).unwrap();
        assert_eq!(config.base_url, DEFAULT_BASE_URL);
        assert_eq!(config.max_concurrency, 4);
        assert_eq!(config.created_from().unwrap(), None);
        let error = config.credential().unwrap_err();
        assert!(error.to_string().contains("api_key"), "{error}");
    }

    #[test]
    fn a_bad_value_is_refused_by_key_and_never_repeated() {
        for (key, value) in [
            ("api_key", json!(["s3cret"])),
            ("organizations", json!("s3cret")),
            ("organizations", json!(["acme", "s3cret/.."])),
            ("organizations", json!([])),
            ("pipelines", json!([1])),
            ("start_date", json!("s3cret")),
            ("start_date", json!(20260101)),
            ("max_concurrency", json!(0)),
            ("max_concurrency", json!("s3cret")),
            ("rate_limit_reserve", json!(100)),
            ("base_url", json!(7)),
        ] {
            let error = parse(json!({ key: value })).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{key}");
            let text = error.to_string();
            assert!(text.contains(key) && !text.contains("s3cret"), "{text}");
        }
        let unknown = parse(json!({"organisation": "s3cret"})).unwrap_err();
        let text = unknown.to_string();
        assert!(text.contains("organisation") && text.contains("`organizations`"));
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[test]
    fn dates_with_and_without_time_and_zone_are_read() {
        for text in [
            "2026-01-31",
            "2026-01-31T00:00:00",
            "2026-01-31T00:00:00Z",
            "2026-01-31T02:00:00+02:00",
        ] {
            let config = parse(json!({ "start_date": text })).unwrap();
            let at = config.created_from().unwrap().unwrap();
            assert_eq!(at.to_rfc3339(), "2026-01-31T00:00:00+00:00", "{text}");
        }
    }

    #[test]
    fn the_schema_marks_the_secret_and_asks_for_it() {
        let schema = Config::schema();
        assert_eq!(schema["properties"]["api_key"]["writeOnly"], true);
        assert_eq!(schema["required"], json!(["api_key"]));
        let properties = schema["properties"].as_object().unwrap();
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{key}");
            assert_ne!(property.get("default"), Some(&Value::Null), "{key}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let config = parse(json!({"api_key": "s3cret"})).unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}

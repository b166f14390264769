//! The configuration, the same in every host.

use std::collections::BTreeSet;

use buildkite_client::{Credential as Authentication, DEFAULT_BASE_URL};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use connector_core::{Configuration, Credential, Error, ErrorKind, Result};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::lists::{CustomStream, ListStream};
use crate::mask::Sensitive;
use crate::streams::{declared, schema_of};

// No `Serialize`: it is never written back.
/// Settings of the Buildkite connector.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(title = "Buildkite", extend("required" = ["api_key"]))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// API access token. To make one: Buildkite, Personal Settings, API Access Tokens; scopes
    /// read_organizations, read_pipelines and read_builds. A host that keeps credentials gives it
    /// instead.
    #[schemars(with = "String", extend("writeOnly" = true))]
    pub api_key: Option<SecretString>,
    /// What a host gives in the place of an API key. Never in a configuration.
    #[serde(skip)]
    #[schemars(skip)]
    private_key: Option<Authentication>,
    /// Where the API is: https, or http on this machine.
    #[serde(default = "default_base_url")]
    pub base_url: String,
    /// Slugs of the organizations to read; all that the token sees if left out.
    #[schemars(with = "Vec<String>")]
    pub organizations: Option<Vec<String>>,
    /// Slugs of the pipelines to read, in whichever of the organizations they are; all if left
    /// out.
    #[schemars(with = "Vec<String>")]
    pub pipelines: Option<Vec<String>>,
    /// Builds created before this are not read: ISO 8601, as 2026-01-31 or 2026-01-31T09:30:00Z.
    /// Everything that Buildkite still has if left out.
    #[schemars(with = "String")]
    pub start_date: Option<String>,
    /// Requests at the same time, 1 to 32.
    #[serde(default = "default_max_concurrency")]
    #[schemars(range(min = 1, max = 32))]
    pub max_concurrency: u32,
    /// Share of the organization's rate limit that is left to people and other tools, in per
    /// cent, 0 to 90.
    #[serde(default = "default_rate_limit_reserve")]
    #[schemars(range(min = 0, max = 90))]
    pub rate_limit_reserve: f64,
    /// What is copied though it is sensitive: emails, env, tokens. Masked if left out.
    #[serde(default)]
    pub include_sensitive: Vec<Sensitive>,
    /// Of job logs that are longer than this only the end is copied, in bytes, 1,024 to
    /// 1,073,741,824.
    #[serde(default = "default_log_limit")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub log_limit_bytes: u64,
    /// Lists of the API that this connector does not know, as streams.
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

impl Config {
    /// JSON Schema (draft 7) of the keys.
    pub fn schema() -> Value {
        schema_of::<Self>()
    }

    /// Parses and checks. Pure: no network, file, environment or clock.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the key and what is allowed, never the value.
    pub fn parse(configuration: Configuration, credential: Option<Credential>) -> Result<Self> {
        let mut config: Self = configuration.parse()?;
        match credential {
            None => {}
            Some(Credential::ApiKey(key)) => config.api_key = Some(key),
            Some(Credential::PrivateKey { issuer, pem }) => {
                config.private_key = Some(Authentication::PrivateKey { issuer, pem });
            }
            Some(_) => {
                let what = "expected a credential that is an API key or a private key";
                return Err(refuse("api_key", what));
            }
        }
        if !(1..=32).contains(&config.max_concurrency) {
            return Err(refuse("max_concurrency", "expected a number from 1 to 32"));
        }
        if !(0.0..=90.0).contains(&config.rate_limit_reserve) {
            return Err(refuse(
                "rate_limit_reserve",
                "expected per cent from 0 to 90",
            ));
        }
        if !(1024..=1 << 30).contains(&config.log_limit_bytes) {
            return Err(refuse(
                "log_limit_bytes",
                "expected a number from 1024 to 1073741824",
            ));
        }
        config.streams()?;
        config.organizations = slugs("organizations", config.organizations)?;
        config.pipelines = slugs("pipelines", config.pipelines)?;
        config.created_from()?;
        Ok(config)
    }

    /// The private key, or the API token.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if there is none.
    pub(crate) fn authentication(&self) -> Result<Authentication> {
        if let Some(key) = &self.private_key {
            return Ok(key.clone());
        }
        let token = self.api_key.clone().map(Authentication::ApiKey);
        token.ok_or_else(|| {
            refuse(
                "api_key",
                "must be set: an API access token, made in Buildkite under Personal Settings, \
                 API Access Tokens",
            )
        })
    }

    /// The streams that are declared as lists, those of the configuration last.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a custom stream that cannot be read;
    /// [`parse`](Self::parse) has checked that.
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
    /// [`ErrorKind::Config`] if it is no date; [`parse`](Self::parse) has checked that.
    pub(crate) fn created_from(&self) -> Result<Option<DateTime<Utc>>> {
        let Some(text) = &self.start_date else {
            return Ok(None);
        };
        parse_date(text.trim()).map(Some).ok_or_else(|| {
            refuse(
                "start_date",
                "expected an ISO 8601 date, as 2026-01-31 or 2026-01-31T09:30:00Z",
            )
        })
    }
}

/// Without a time it is midnight, without a zone UTC.
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

/// Each once, in their order.
fn slugs(key: &'static str, slugs: Option<Vec<String>>) -> Result<Option<Vec<String>>> {
    let Some(slugs) = slugs else { return Ok(None) };
    if slugs.is_empty() {
        return Err(refuse(
            key,
            "expected at least one slug; leave it out for all",
        ));
    }
    let mut known = BTreeSet::new();
    let mut unique = Vec::new();
    for (index, slug) in slugs.into_iter().enumerate() {
        let slug = slug.trim().to_owned();
        let is_slug = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if slug.is_empty() || !slug.chars().all(is_slug) || slug.starts_with('.') {
            let what = "expected a slug, the part of the address behind the host or the \
                        organization: letters, digits and dashes";
            return Err(refuse(format!("{key}[{index}]"), what));
        }
        if known.insert(slug.clone()) {
            unique.push(slug);
        }
    }
    Ok(Some(unique))
}

pub(crate) fn refuse(key: impl std::fmt::Display, what: &str) -> Error {
    Error::new(ErrorKind::Config, what).with_context("key", key)
}

#[cfg(test)]
mod tests {
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
        let error = config.authentication().unwrap_err();
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

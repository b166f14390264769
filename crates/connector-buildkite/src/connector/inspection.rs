//! What an API token is, what it opens, and which of its scopes nothing here needs.

use std::collections::BTreeSet;

use async_trait::async_trait;
use buildkite_client::{AccessToken, Timestamp, TokenUser, format_timestamp};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{
    CredentialInspector, CredentialReport, ErrorKind, MissingScopes, Result, Setup, Stream,
    StreamName,
};

use super::Buildkite;
use crate::config::Config;
use crate::connection::{client, missing_scopes};
use crate::destination::destination_streams;
use crate::error::explain;
use crate::source::scope::Scope;
use crate::streams::catalog;

/// The owner is warned this long before a token expires.
const EXPIRES_SOON: TimeDelta = TimeDelta::days(30);
/// The owner is warned once a token is older than this.
const OLD: TimeDelta = TimeDelta::days(365);

#[async_trait]
impl CredentialInspector for Buildkite {
    /// Two requests.
    async fn inspect(&self, setup: Setup) -> Result<CredentialReport> {
        let config = Config::parse(setup.configuration, setup.credential)?;
        let client = client(&config)?;
        let token = client.access_token().await.map_err(explain)?;
        let organizations = match Scope::new(&config, Vec::new()).organizations(&client).await {
            Ok(slugs) => Some(slugs),
            Err(error) if error.kind() == ErrorKind::Permission => None,
            Err(error) => return Err(error),
        };
        report(&config, token, organizations, Utc::now())
    }

    async fn revoke(&self, setup: Setup) -> Result<()> {
        let config = Config::parse(setup.configuration, setup.credential)?;
        client(&config)?.revoke().await.map_err(explain)
    }
}

fn report(
    config: &Config,
    token: AccessToken,
    organizations: Option<Vec<String>>,
    now: DateTime<Utc>,
) -> Result<CredentialReport> {
    let sources = catalog(&config.streams()?).streams;
    let targets = destination_streams().streams;
    let granted: Vec<&str> = token.scopes.iter().flatten().map(String::as_str).collect();
    let read = scopes(&sources);
    let needed: Vec<&str> = read.union(&scopes(&targets)).copied().collect();
    let surplus = missing_scopes(granted.iter().copied(), &needed);
    let at = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse).map(|t| t.at);
    let (created_at, expires_at) = (at(&token.created_at), at(&token.expires_at));

    let mut report = CredentialReport::default();
    (report.readable, report.unreadable) = rights(&sources, &granted);
    (report.writable, report.unwritable) = rights(&targets, &granted);
    report.surplus = surplus.into_iter().map(str::to_owned).collect();
    report.preset = preset(&granted, &read).map(str::to_owned);
    report.warnings = warnings(created_at, expires_at, now);
    report.created_at = created_at.map(format_timestamp);
    report.expires_at = expires_at.map(format_timestamp);
    report.owner = token.user.map(owner);
    report.description = token.description;
    report.organizations = organizations;
    report.scopes = token.scopes;
    Ok(report)
}

fn owner(user: TokenUser) -> String {
    match (user.name, user.email) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (name, email) => name.or(email).unwrap_or_default(),
    }
}

/// What the owner of a token should do soon.
fn warnings(
    created_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(end) = expires_at.filter(|end| *end - now <= EXPIRES_SOON) {
        warnings.push(format!(
            "the token expires in {} days, on {}: create a new one and rotate",
            (end - now).num_days(),
            end.format("%Y-%m-%d")
        ));
    }
    if let Some(made) = created_at.filter(|made| now - *made >= OLD) {
        warnings.push(format!(
            "the token was created on {}, over a year ago: create a new one and rotate",
            made.format("%Y-%m-%d")
        ));
    }
    warnings
}

fn scopes(streams: &[Stream]) -> BTreeSet<&str> {
    let scopes = streams.iter().flat_map(|stream| &stream.scopes);
    scopes.map(String::as_str).collect()
}

/// The streams that these scopes open, and the others with the scopes that they lack.
fn rights(streams: &[Stream], granted: &[&str]) -> (Vec<StreamName>, Vec<MissingScopes>) {
    let (mut opened, mut closed) = (Vec::new(), Vec::new());
    for stream in streams {
        let needed = stream.scopes.iter().map(String::as_str);
        let missing = missing_scopes(needed, granted);
        if missing.is_empty() {
            opened.push(stream.name.clone());
        } else {
            let missing = missing.into_iter().map(str::to_owned).collect();
            closed.push(MissingScopes::new(stream.name.clone(), missing));
        }
    }
    (opened, closed)
}

/// Buildkite's presets for the scopes of a new token, as far as a token shows them.
fn preset(granted: &[&str], needed: &BTreeSet<&str>) -> Option<&'static str> {
    let reads_all = needed.iter().all(|scope| granted.contains(scope));
    let deletes = granted.iter().any(|scope| scope.starts_with("delete_"));
    let writes = granted.iter().any(|scope| scope.starts_with("write_"));
    match (reads_all, writes, deletes) {
        (true, true, true) => Some("Full Access"),
        (true, true, false) => Some("Read + Write"),
        (true, false, false) => Some("Read Only"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report_on(scopes: &[&str], times: (&str, Option<&str>)) -> CredentialReport {
        let token = serde_json::from_value(json!({
            "uuid": "u", "scopes": scopes, "created_at": times.0, "expires_at": times.1,
            "user": {"name": "Ada", "email": "a@b.c"},
        }))
        .unwrap();
        let configuration = connector_core::Configuration::new(json!({})).unwrap();
        let config = Config::parse(configuration, None).unwrap();
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        report(&config, token, None, now).unwrap()
    }

    #[test]
    fn missing_and_surplus_scopes_are_listed() {
        let made = ("2026-10-01 09:00:00 UTC", None);
        let report = report_on(&["read_builds", "delete_packages"], made);

        let missing = |lists: &[MissingScopes], name: &str| {
            let found = lists.iter().find(|one| one.stream == name);
            found.unwrap().scopes.clone()
        };
        assert_eq!(report.surplus, ["delete_packages"]);
        assert!(report.readable.contains(&"builds".into()));
        assert_eq!(missing(&report.unreadable, "artifacts"), ["read_artifacts"]);
        assert_eq!(missing(&report.unwritable, "builds"), ["write_builds"]);
        assert_eq!(report.writable, ["requests"]);
        assert_eq!(report.preset, None);
        assert_eq!(report.owner.as_deref(), Some("Ada <a@b.c>"));
        assert_eq!(
            report.created_at.as_deref(),
            Some("2026-10-01T09:00:00.000Z")
        );
        assert_eq!(report.warnings, Vec::<String>::new());
    }

    #[test]
    fn the_owner_is_warned_of_an_expiry_that_is_near_and_of_an_old_token() {
        let made = "2026-10-01 09:00:00 UTC";
        let near = report_on(&[], (made, Some("2026-11-20T00:00:00Z")));
        assert!(near.warnings[0].contains("expires in 19 days, on 2026-11-20"));
        let far = report_on(&[], (made, Some("2026-12-20T00:00:00Z")));
        assert_eq!(far.warnings, Vec::<String>::new());
        let old = report_on(&[], ("2025-10-01 09:00:00 UTC", None));
        assert!(old.warnings[0].contains("over a year ago"));
    }
}

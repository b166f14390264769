//! What an API token is, what it opens, and what of it nothing here needs.

use std::collections::BTreeSet;

use buildkite_client::{AccessToken, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};
use connector_core::{ErrorKind, Result, Setup, Stream};

use crate::config::Config;
use crate::connector::client;
use crate::destination::destination_streams;
use crate::error::explain;
use crate::scope::Scope;
use crate::streams::catalog;

/// A token that ends sooner than this is warned of.
const ENDS_SOON: TimeDelta = TimeDelta::days(30);
/// A token that is older than this is to be rotated.
const OLD: TimeDelta = TimeDelta::days(365);

/// Buildkite's presets for the scopes of a new token, as far as a token shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Reads everything that it is asked for here, and nothing else.
    ReadOnly,
    /// Reads and writes, and deletes nothing.
    ReadWrite,
    /// Everything.
    FullAccess,
    /// Chosen one by one.
    Custom,
}

/// A token as Buildkite tells it, beside the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenReport {
    /// Name and e-mail address of its owner, where the API tells.
    pub owner: Option<String>,
    /// What its owner calls it at Buildkite.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it ends; `None` if never, or if the API does not tell.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it may do; `None` if the API does not tell.
    pub scopes: Option<Vec<String>>,
    /// Slugs of the organizations it sees; `None` if it may not list them.
    pub organizations: Option<Vec<String>>,
    /// Which preset it matches.
    pub preset: Preset,
    /// Streams that it opens.
    pub opens: Vec<String>,
    /// Streams that it does not open, each with the scopes it lacks.
    pub lacks: Vec<(String, Vec<String>)>,
    /// Streams of the destination that it may write.
    pub writes: Vec<String>,
    /// Streams of the destination that it may not write, each with the scopes it lacks.
    pub lacks_to_write: Vec<(String, Vec<String>)>,
    /// Scopes that nothing here needs.
    pub surplus: Vec<String>,
}

impl TokenReport {
    /// Asks Buildkite about the token of a configuration: two requests.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] if Buildkite does not accept it, [`ErrorKind::Config`] for the
    /// configuration, and those of a read.
    pub async fn read(setup: Setup) -> Result<Self> {
        let config = Config::parse(setup.configuration, setup.credential)?;
        let client = client(&config)?;
        let token = client.access_token().await.map_err(explain)?;
        let organizations = match Scope::new(&config, Vec::new()).organizations(&client).await {
            Ok(slugs) => Some(slugs),
            Err(error) if error.kind() == ErrorKind::Permission => None,
            Err(error) => return Err(error),
        };
        Self::of(&config, token, organizations)
    }

    fn of(config: &Config, token: AccessToken, organizations: Option<Vec<String>>) -> Result<Self> {
        let streams = catalog(&config.streams()?).streams;
        let granted: BTreeSet<&str> = token.scopes.iter().flatten().map(String::as_str).collect();
        let targets = destination_streams().streams;
        let read = scopes(&streams);
        let needed: BTreeSet<&str> = read.union(&scopes(&targets)).copied().collect();
        let (opens, lacks) = rights(&streams, &granted);
        let (writes, lacks_to_write) = rights(&targets, &granted);
        let surplus = granted.difference(&needed);
        let surplus = surplus.map(|one| (*one).to_owned()).collect();
        let at = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse).map(|t| t.at);
        let preset = preset(&granted, &read);
        Ok(Self {
            owner: token.user.map(|user| match (user.name, user.email) {
                (Some(name), Some(email)) => format!("{name} <{email}>"),
                (name, email) => name.or(email).unwrap_or_default(),
            }),
            description: token.description,
            created_at: at(&token.created_at),
            expires_at: at(&token.expires_at),
            preset,
            opens,
            lacks,
            writes,
            lacks_to_write,
            surplus,
            organizations,
            scopes: token.scopes,
        })
    }

    /// What its owner should know at `now`: that it ends, or is old.
    pub fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(end) = self.expires_at.filter(|end| *end - now <= ENDS_SOON) {
            let days = (end - now).num_days();
            warnings.push(format!(
                "the token ends in {days} days, on {}: make a new one and rotate",
                end.format("%Y-%m-%d")
            ));
        }
        if let Some(made) = self.created_at.filter(|made| now - *made >= OLD) {
            warnings.push(format!(
                "the token was made on {}, over a year ago: make a new one and rotate",
                made.format("%Y-%m-%d")
            ));
        }
        warnings
    }
}

fn scopes(streams: &[Stream]) -> BTreeSet<&str> {
    let scopes = streams.iter().flat_map(|stream| &stream.scopes);
    scopes.map(String::as_str).collect()
}

/// The streams that these scopes open, and the others with what they lack.
fn rights(
    streams: &[Stream],
    granted: &BTreeSet<&str>,
) -> (Vec<String>, Vec<(String, Vec<String>)>) {
    let (mut opens, mut lacks) = (Vec::new(), Vec::new());
    for stream in streams {
        let missing = stream.scopes.iter();
        let missing = missing.filter(|one| !granted.contains(one.as_str()));
        let missing: Vec<_> = missing.cloned().collect();
        match missing.is_empty() {
            true => opens.push(stream.name.to_string()),
            false => lacks.push((stream.name.to_string(), missing)),
        }
    }
    (opens, lacks)
}

fn preset(granted: &BTreeSet<&str>, needed: &BTreeSet<&str>) -> Preset {
    let reads_all = needed.iter().all(|scope| granted.contains(scope));
    let deletes = granted.iter().any(|scope| scope.starts_with("delete_"));
    let writes = granted.iter().any(|scope| scope.starts_with("write_"));
    match (reads_all, writes, deletes) {
        (true, true, true) => Preset::FullAccess,
        (true, true, false) => Preset::ReadWrite,
        (true, false, false) => Preset::ReadOnly,
        _ => Preset::Custom,
    }
}

/// Revokes the token of a configuration at Buildkite. It cannot be taken back.
///
/// # Errors
/// Those of [`TokenReport::read`].
pub async fn revoke_token(setup: Setup) -> Result<()> {
    let config = Config::parse(setup.configuration, setup.credential)?;
    client(&config)?.revoke().await.map_err(explain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(scopes: &[&str], times: (&str, Option<&str>)) -> TokenReport {
        let token = serde_json::from_value(json!({
            "uuid": "u", "scopes": scopes, "created_at": times.0, "expires_at": times.1,
            "user": {"name": "Ada", "email": "a@b.c"},
        }))
        .unwrap();
        let configuration = connector_core::Configuration::new(json!({})).unwrap();
        let config = Config::parse(configuration, None).unwrap();
        TokenReport::of(&config, token, None).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-11-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_missing_and_what_is_surplus_is_named() {
        let made = ("2026-10-01 09:00:00 UTC", None);
        let report = report(&["read_builds", "delete_packages"], made);

        assert_eq!(report.surplus, ["delete_packages"]);
        assert!(report.opens.contains(&"builds".to_owned()));
        let lacks = report
            .lacks
            .iter()
            .find(|(stream, _)| stream == "artifacts");
        assert_eq!(lacks.unwrap().1, ["read_artifacts"]);
        let lacks = report.lacks_to_write.iter();
        let lacks: Vec<_> = lacks.filter(|(stream, _)| stream == "builds").collect();
        assert_eq!(lacks[0].1, ["write_builds"]);
        assert_eq!(report.writes, ["requests"]);
        assert_eq!(report.preset, Preset::Custom);
        assert_eq!(report.owner.as_deref(), Some("Ada <a@b.c>"));
        assert_eq!(report.warnings(now()), Vec::<String>::new());
    }

    #[test]
    fn an_end_that_is_near_and_an_old_token_are_warned_of() {
        let near = report(
            &[],
            ("2026-10-01 09:00:00 UTC", Some("2026-11-20T00:00:00Z")),
        );
        assert!(near.warnings(now())[0].contains("ends in 19 days, on 2026-11-20"));
        let far = report(
            &[],
            ("2026-10-01 09:00:00 UTC", Some("2026-12-20T00:00:00Z")),
        );
        assert_eq!(far.warnings(now()), Vec::<String>::new());
        let old = report(&[], ("2025-10-01 09:00:00 UTC", None));
        assert!(old.warnings(now())[0].contains("over a year ago"));
    }
}

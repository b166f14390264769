//! Access tokens: their users, scopes and lifetimes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::signed_token::is_signed;
use super::{User, World};
use crate::ids::id_of_name;

/// The token of every world: all scopes, all organizations, no expiry. It is worthless elsewhere.
pub const DEMO_TOKEN: &str = "bkua_mock_buildkite_demo_token";

/// The scopes of a token that is created without a list.
const ALL_SCOPES: [&str; 42] = [
    "read_agents",
    "write_agents",
    "read_clusters",
    "write_clusters",
    "read_teams",
    "write_teams",
    "read_artifacts",
    "write_artifacts",
    "read_builds",
    "write_builds",
    "read_job_env",
    "read_build_logs",
    "write_build_logs",
    "read_organizations",
    "write_organizations",
    "read_organization_settings",
    "write_organization_settings",
    "read_organization_invitations",
    "write_organization_invitations",
    "read_organization_repository_connections",
    "read_notification_services",
    "write_notification_services",
    "read_pipelines",
    "write_pipelines",
    "read_pipeline_templates",
    "write_pipeline_templates",
    "read_user",
    "read_suites",
    "write_suites",
    "read_rules",
    "write_rules",
    "read_audit_events",
    "read_secrets_details",
    "write_secrets",
    "read_registries",
    "write_registries",
    "delete_registries",
    "read_packages",
    "write_packages",
    "delete_packages",
    "read_portals",
    "write_portals",
];

/// An API access token.
///
/// ```
/// use mock_buildkite::Token;
///
/// let token = Token::new("bkua_reader")
///     .scopes(["read_builds"])
///     .organizations(["acme-inc"])
///     .user("Sam Rivers");
/// assert!(!format!("{token:?}").contains("bkua_reader"));
/// ```
#[derive(Clone)]
pub struct Token {
    secret: String,
    pub(crate) description: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) user: User,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    organizations: Option<Vec<String>>,
    hidden_pipelines: Vec<(String, String)>,
    read_only: Vec<(String, String)>,
    /// Addresses from which it may be used; all if there are none.
    networks: Vec<IpNet>,
    /// The UUID of the signer and the public key.
    signer: Option<(String, String)>,
}

/// Stands for pipelines that do not exist yet.
const NEW: &str = "";

impl Token {
    /// A token with all scopes of the fake, for all organizations, without expiry.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            description: "Token of the fake".to_owned(),
            scopes: ALL_SCOPES.map(str::to_owned).to_vec(),
            user: User::demo(),
            expires_at: None,
            organizations: None,
            hidden_pipelines: Vec::new(),
            read_only: Vec::new(),
            networks: Vec::new(),
            signer: None,
        }
    }

    /// A public-key token: accepts JWTs that are signed with the private key of this public key
    /// (RSA, PEM) and name this UUID.
    #[must_use]
    pub fn signed_by(uuid: &str, public_key: &str) -> Self {
        Self {
            signer: Some((uuid.to_owned(), public_key.to_owned())),
            ..Self::new(uuid)
        }
    }

    /// Reads the notation of the program's `--token`: a secret, which may be followed by `=` and
    /// scopes, and by limits after semicolons:
    /// `bkua_reader=read_builds,read_user;organizations=acme;user=Sam;expires=2h;ip=192.0.2.0/24`.
    /// `expires` is a time from `now` on (`90s`, `15m`, `2h`, `7d`) or an RFC 3339 time.
    ///
    /// # Errors
    /// If a part is not understood; the text says which.
    pub fn parse(text: &str, now: DateTime<Utc>) -> Result<Self, String> {
        let mut parts = text.split(';');
        let first = parts.next().unwrap_or_default();
        let (secret, scopes) = first.split_once('=').unwrap_or((first, ""));
        if secret.trim().is_empty() {
            return Err("a token needs a secret".to_owned());
        }
        let list = |text: &str| -> Vec<String> {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            items.map(str::to_owned).collect()
        };
        if let Some(unknown) = list(scopes)
            .iter()
            .find(|one| !ALL_SCOPES.contains(&one.as_str()))
        {
            return Err(format!("there is no scope `{unknown}`"));
        }
        let mut token = Self::new(secret.trim());
        if !scopes.is_empty() {
            token = token.scopes(list(scopes));
        }
        for part in parts.filter(|part| !part.trim().is_empty()) {
            token = match part.trim().split_once('=') {
                Some(("organizations", slugs)) => token.organizations(list(slugs)),
                Some(("user", name)) => token.user(name),
                Some(("ip", networks)) => token.allowed_addresses(list(networks)),
                Some(("expires", end)) => token.expires_at(end_of(end, now)?),
                _ => return Err(format!("a token has no setting `{}`", part.trim())),
            };
        }
        Ok(token)
    }

    /// Sets its scopes.
    #[must_use]
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        Self { scopes, ..self }
    }

    /// Limits it to these organizations, by slug.
    #[must_use]
    pub fn organizations<S: Into<String>>(self, slugs: impl IntoIterator<Item = S>) -> Self {
        let organizations = Some(slugs.into_iter().map(Into::into).collect());
        Self {
            organizations,
            ..self
        }
    }

    /// Sets its user, by name. Tokens of one user share the rate limit per user.
    #[must_use]
    pub fn user(self, name: &str) -> Self {
        let user = User::new(name);
        Self { user, ..self }
    }

    /// Sets when it expires, by the fake's clock.
    #[must_use]
    pub fn expires_at(self, time: DateTime<Utc>) -> Self {
        let expires_at = Some(time);
        Self { expires_at, ..self }
    }

    /// Sets the addresses from which it may be used: `192.0.2.0/24`, `198.51.100.7`. A request from
    /// elsewhere gets 403. Texts that are no addresses count as an address that nobody has.
    #[must_use]
    pub fn allowed_addresses<S: AsRef<str>>(self, networks: impl IntoIterator<Item = S>) -> Self {
        let networks = networks.into_iter().map(|text| network(text.as_ref()));
        Self {
            networks: networks.collect(),
            ..self
        }
    }

    /// True if it may be used from this address.
    pub(crate) fn admits_address(&self, address: IpAddr) -> bool {
        is_in(address, &self.networks)
    }

    /// Hides a pipeline from its user, as teams do: it is not in lists, and 404 by slug.
    #[must_use]
    pub fn hide_pipeline(mut self, organization: &str, pipeline: &str) -> Self {
        let hidden = (organization.to_owned(), pipeline.to_owned());
        self.hidden_pipelines.push(hidden);
        self
    }

    /// Makes a pipeline read-only for its user, whatever its scopes: every write to the pipeline,
    /// its builds and their jobs gets 403.
    #[must_use]
    pub fn read_only_pipeline(mut self, organization: &str, pipeline: &str) -> Self {
        let place = (organization.to_owned(), pipeline.to_owned());
        self.read_only.push(place);
        self
    }

    /// Forbids its user to create pipelines in an organization, whatever its scopes: 403.
    #[must_use]
    pub fn cannot_create_pipelines(self, organization: &str) -> Self {
        self.read_only_pipeline(organization, NEW)
    }

    /// Keeps a pipeline hidden or read-only under its new slug, or forgets a deleted one.
    pub(super) fn follow_pipeline(&mut self, organization: &str, slug: &str, new: Option<&str>) {
        let follow = |(owner, known): &mut (String, String)| {
            if owner != organization || known != slug {
                return true;
            }
            if let Some(new) = new {
                new.clone_into(known);
            }
            new.is_some()
        };
        self.hidden_pipelines.retain_mut(follow);
        self.read_only.retain_mut(follow);
    }

    /// True until it expires.
    pub(crate) fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// True if this is the secret.
    pub(crate) fn is(&self, secret: &str) -> bool {
        self.signer.is_none() && self.secret == secret
    }

    /// True if it accepts this bearer token at this time.
    pub(crate) fn admits(&self, presented: &str, now: DateTime<Utc>) -> bool {
        match &self.signer {
            None => self.is(presented),
            Some((uuid, key)) => is_signed(presented, uuid, key, now),
        }
    }

    /// The secret; none for a public-key token.
    pub(super) fn secret(&self) -> Option<&str> {
        self.signer.is_none().then_some(self.secret.as_str())
    }

    /// The organizations that it is limited to.
    pub(super) fn organizations_of(&self) -> Option<&Vec<String>> {
        self.organizations.as_ref()
    }

    /// The id of the token, not its secret.
    pub(crate) fn uuid(&self) -> String {
        match &self.signer {
            Some((uuid, _)) => uuid.clone(),
            None => id_of_name(&self.secret, 1_700_000_000_000),
        }
    }

    /// True if the token may see the organization.
    pub(crate) fn sees_organization(&self, slug: &str) -> bool {
        let is_it = |slugs: &Vec<String>| slugs.iter().any(|one| one == slug);
        self.organizations.as_ref().is_none_or(is_it)
    }

    /// True if the pipeline is not hidden from the token's user.
    pub(crate) fn sees_pipeline(&self, organization: &str, slug: &str) -> bool {
        !names(&self.hidden_pipelines, organization, slug)
    }

    /// True if the token's user may create a pipeline.
    pub(crate) fn makes_pipelines(&self, organization: &str) -> bool {
        self.writes_pipeline(organization, NEW)
    }

    /// True if the token's user may change the pipeline.
    pub(crate) fn writes_pipeline(&self, organization: &str, slug: &str) -> bool {
        !names(&self.read_only, organization, slug)
    }
}

/// A time from now on, `2h`, or an absolute one.
fn end_of(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let unit = text.chars().last().unwrap_or_default();
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => 0,
    };
    let number = text.trim_end_matches(unit).parse::<i64>().ok();
    if let Some(number) = number.filter(|_| seconds > 0) {
        let by = chrono::TimeDelta::try_seconds(number.saturating_mul(seconds));
        return by
            .and_then(|by| now.checked_add_signed(by))
            .ok_or_else(|| format!("`{text}` is too far away"));
    }
    text.parse()
        .map_err(|_| format!("`{text}` is no time: write 90s, 15m, 2h, 7d or 2027-01-01T00:00:00Z"))
}

/// True if an address is in one of the networks, or there are none.
fn is_in(address: IpAddr, networks: &[IpNet]) -> bool {
    networks.is_empty() || networks.iter().any(|network| network.contains(&address))
}

/// A network, or one address as a network.
fn network(text: &str) -> IpNet {
    const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::BROADCAST);
    let address = || IpNet::from(text.parse().unwrap_or(NOBODY));
    text.parse().unwrap_or_else(|_| address())
}

impl World {
    /// True if an organization's allow list has the address, or is empty.
    pub(crate) fn admits_address(&self, organization: &str, address: IpAddr) -> bool {
        let place = [("organization_slug".to_owned(), organization.to_owned())];
        let settings = self.at("organization_api_settings", &place);
        let allowed = settings
            .first()
            .and_then(|one| one.object.text("allowed_ip_addresses"));
        let allowed = allowed.unwrap_or_default();
        let networks: Vec<_> = allowed.split_whitespace().map(network).collect();
        is_in(address, &networks)
    }
}

/// True if the pipeline is among these.
fn names(pipelines: &[(String, String)], organization: &str, slug: &str) -> bool {
    let is_it = |(owner, known): &(String, String)| owner == organization && known == slug;
    pipelines.iter().any(is_it)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("user", &self.user.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

//! Access tokens: their users, scopes and lifetimes.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::ids::{graphql_id, id_of_name};

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
    /// The UUID of the signer and the public key.
    signer: Option<(String, String)>,
}

/// What a signed token claims.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    iat: i64,
    exp: i64,
}

/// Stands for pipelines that do not exist yet.
const NEW: &str = "";

/// A signed token must be presented within 10 s of its creation and lives at most 5 minutes.
const SIGNED_WITHIN_SECS: i64 = 10;
const SIGNED_FOR_SECS: i64 = 300;

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

/// The owner of a token.
#[derive(Debug, Clone)]
pub struct User {
    /// The id, derived from the name.
    pub id: String,
    /// The full name.
    pub name: String,
    /// The email address, derived from the name.
    pub email: String,
}

impl User {
    fn new(name: &str) -> Self {
        let local = name
            .to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        Self {
            id: id_of_name(name, 1_600_000_000_000),
            name: name.to_owned(),
            email: format!("{local}@example.com"),
        }
    }

    /// The user of a token that is created without one.
    pub(crate) fn demo() -> Self {
        Self::new("Demo User")
    }

    /// The user as answers show it.
    pub(crate) fn object(&self) -> Value {
        json!({
            "id": self.id,
            "graphql_id": graphql_id("User", &self.id),
            "name": self.name,
            "email": self.email,
            "avatar_url": "https://www.gravatar.com/avatar/00000000000000000000000000000000",
            "created_at": "2020-09-13T12:26:40.000Z",
        })
    }
}

/// Whether a token was signed just now with the private key of this public key.
fn is_signed(presented: &str, uuid: &str, key: &str, now: DateTime<Utc>) -> bool {
    let Ok(key) = DecodingKey::from_rsa_pem(key.as_bytes()) else {
        return false;
    };
    let mut validation = Validation::new(Algorithm::RS256);
    // Times are those of this world.
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let Ok(signed) = jsonwebtoken::decode::<Claims>(presented, &key, &validation) else {
        return false;
    };
    let Claims { iss, iat, exp } = signed.claims;
    let now = now.timestamp();
    iss == uuid
        && (now - iat).abs() <= SIGNED_WITHIN_SECS
        && exp > now
        && exp - iat <= SIGNED_FOR_SECS
}

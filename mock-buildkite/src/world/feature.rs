//! Features that an organization does not have.

use super::World;

/// A collection that an organization does not have.
#[derive(Debug)]
pub(crate) struct Missing {
    organization: String,
    collection: String,
    pub(crate) status: u16,
    pub(crate) message: String,
}

/// Features, the status and the message of their refusal, and their collections.
const FEATURES: [(&str, u16, &str, &[&str]); 7] = [
    (
        "usage",
        503,
        "Usage data is not available. Try again later.",
        &["usage"],
    ),
    (
        "teams",
        403,
        "Your plan doesn't include team permissions. Upgrade your plan to enable teams.",
        &["teams", "team_members", "team_pipelines", "team_suites"],
    ),
    (
        "audit_log",
        403,
        "Your plan doesn't include the audit log. Upgrade your plan to enable it.",
        &["audit_events"],
    ),
    (
        "pipeline_templates",
        403,
        "Your plan doesn't include pipeline templates. Upgrade your plan to enable them.",
        &["pipeline_templates"],
    ),
    ("hosted_agents", 404, "Not Found", &["agent_images"]),
    (
        "hosted_storage",
        503,
        "Could not load cache volumes: service unavailable",
        &["cache_volumes"],
    ),
    (
        "hosted_network",
        503,
        "Could not load network ranges: service unavailable",
        &["network_ranges"],
    ),
];

impl World {
    /// Refuses requests for a collection of an organization with this status and message, as if
    /// its plan lacked the feature.
    pub fn without_feature(
        &mut self,
        organization: &str,
        collection: &str,
        status: u16,
        message: &str,
    ) {
        self.missing.push(Missing {
            organization: organization.to_owned(),
            collection: collection.to_owned(),
            status,
            message: message.to_owned(),
        });
    }

    /// Takes a feature from an organization: `teams`, `audit_log` and `pipeline_templates` are not
    /// in its plan (403), `hosted_agents` is not enabled (404), `hosted_storage` and
    /// `hosted_network` do not answer (503), nor does `usage`. The messages are inferred, except those of teams and
    /// the hosted services. Returns false if there is no such feature.
    pub fn remove_feature(&mut self, organization: &str, feature: &str) -> bool {
        let found = FEATURES.iter().find(|(name, ..)| *name == feature);
        if let Some((_, status, message, collections)) = found {
            for collection in *collections {
                self.without_feature(organization, collection, *status, message);
            }
        }
        found.is_some()
    }

    pub(crate) fn missing(&self, organization: &str, collection: &str) -> Option<&Missing> {
        let mut missing = self.missing.iter();
        missing.find(|one| one.organization == organization && one.collection == collection)
    }
}

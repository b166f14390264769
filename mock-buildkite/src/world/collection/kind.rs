//! How the API treats the objects of each collection, as data.

use crate::document::Document;

/// What is special about a collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What identifies an object among those with the same parents.
    pub(crate) identity: Identity,
    pub(crate) order: Order,
    /// Fields that a list omits and a single object shows.
    pub(crate) detail: &'static [&'static str],
    /// A field, and the values with which an object is not listed.
    unlisted: (&'static str, &'static [&'static str]),
    /// True if its objects belong to a build or one of its jobs.
    pub(crate) is_of_builds: bool,
}

/// What identifies an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A field.
    Field(&'static str),
    /// Its parents have only one.
    Single,
    /// Nothing: equal objects are different objects.
    None,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The order of insertion.
    AsPut,
    /// By this time, newest first.
    Newest(&'static str),
    /// By this text.
    Ascending(&'static str),
}

/// Fields of a test that need a dated version of the API, or a request for one test.
const METRICS: &[&str] = &[
    "reliability",
    "duration_avg",
    "duration_sum",
    "duration_min",
    "duration_max",
    "executions_count",
    "executions_count_by_result",
];

/// Fields that no read shows.
const SECRETS: [(&str, &str); 4] = [
    ("cluster_secrets", "value"),
    ("cluster_tokens", "token"),
    ("portals", "token"),
    ("registry_tokens", "token"),
];

const KINDS: [Kind; 28] = [
    Kind::of_builds("artifacts").unlisted("state", &["deleted"]),
    Kind::of_builds("annotations"),
    Kind::of_builds("job_logs").identity(Identity::Single),
    Kind::of_builds("job_environments").identity(Identity::Single),
    Kind::of_builds("build_tests"),
    Kind::of_builds("step_uploads")
        .by("uuid")
        .order(Order::Newest("created_at"))
        .detail(&[
            "definition_bytes",
            "definition_yaml",
            "definition_yaml_omitted",
        ]),
    Kind::new("pipeline_webhooks").identity(Identity::Single),
    Kind::new("organization_api_settings").identity(Identity::Single),
    Kind::new("organization_pipeline_settings").identity(Identity::Single),
    Kind::new("emojis").identity(Identity::None),
    Kind::new("network_ranges").identity(Identity::None),
    Kind::new("connection_repositories").by("full_name"),
    Kind::new("pipeline_templates").by("uuid"),
    Kind::new("rules").by("uuid"),
    Kind::new("cache_registries").by("uuid"),
    Kind::new("portals").by("uuid"),
    Kind::new("team_members").by("user_id"),
    Kind::new("team_pipelines").by("pipeline_id"),
    Kind::new("team_suites").by("suite_id"),
    Kind::new("failed_executions").by("execution_id"),
    Kind::new("pipeline_schedules").order(Order::Newest("created_at")),
    Kind::new("packages")
        .order(Order::Newest("created_at"))
        .detail(&["organization", "registry"]),
    Kind::new("agent_images").order(Order::Ascending("name")),
    Kind::new("notification_services").order(Order::Ascending("created_at")),
    Kind::new("repository_connections").detail(&["service_account", "host", "rate_limit"]),
    Kind::new("tests").detail(METRICS),
    Kind::new("test_suites").detail(&["api_token"]),
    Kind::new("audit_events")
        .by("uuid")
        .order(Order::Newest("occurred_at")),
];

const AGENTS: Kind = Kind::new("agents").unlisted(
    "connection_state",
    &["never_connected", "disconnected", "stopped", "lost"],
);

const INVITATIONS: Kind = Kind::new("organization_invitations")
    .order(Order::Newest("created_at"))
    .unlisted("state", &["accepted", "revoked", "expired"]);

impl Kind {
    /// The kind of a collection. By default objects have ids and keep their order.
    pub(crate) fn of(collection: &str) -> Self {
        let mut all = KINDS.into_iter().chain([AGENTS, INVITATIONS]);
        let found = all.find(|kind| kind.name == collection);
        found.unwrap_or(Self::new(""))
    }

    const fn new(name: &'static str) -> Self {
        Self {
            name,
            identity: Identity::Field("id"),
            order: Order::AsPut,
            detail: &[],
            unlisted: ("", &[]),
            is_of_builds: false,
        }
    }

    const fn of_builds(name: &'static str) -> Self {
        Self {
            is_of_builds: true,
            ..Self::new(name)
        }
    }

    const fn by(self, field: &'static str) -> Self {
        self.identity(Identity::Field(field))
    }

    const fn identity(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    const fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    const fn detail(self, detail: &'static [&'static str]) -> Self {
        Self { detail, ..self }
    }

    const fn unlisted(self, field: &'static str, values: &'static [&'static str]) -> Self {
        Self {
            unlisted: (field, values),
            ..self
        }
    }

    /// True if a list shows the object.
    pub(crate) fn lists(&self, object: &Document) -> bool {
        let (field, values) = self.unlisted;
        values.is_empty()
            || object
                .text(field)
                .is_none_or(|value| !values.contains(&value.as_str()))
    }

    /// The object as a list shows it.
    pub(crate) fn listed_json(&self, object: &Document) -> String {
        let mut out = Vec::new();
        object.write(&mut out, |key| !self.detail.contains(&key));
        String::from_utf8(out).unwrap_or_default()
    }

    /// True if the first object comes before the second.
    pub(crate) fn is_before(&self, one: &Document, other: &Document) -> bool {
        let text = |object: &Document, field| object.text(field).unwrap_or_default();
        match self.order {
            Order::AsPut => false,
            Order::Newest(field) => text(one, field) > text(other, field),
            Order::Ascending(field) => text(one, field) < text(other, field),
        }
    }
}

/// Removes the fields of an object that nobody may read.
pub(super) fn without_secrets(collection: &str, object: &mut Document) {
    for (_, field) in SECRETS.iter().filter(|(name, _)| *name == collection) {
        object.remove(field);
    }
}

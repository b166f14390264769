//! Agent tokens and secrets of clusters.

use super::body::Body;
use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::routes::params::Params;
use crate::routes::{Call, Outcome};

#[rustfmt::skip]
pub(in crate::routes) const TOKEN: Resource = Resource {
    collection: "cluster_tokens", path: "tokens", item: "id", noun: "cluster token",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("ClusterToken")),
        Field::text("description").required(),
        Field::text("allowed_ip_addresses").default("\"0.0.0.0/0\""),
        Field::text("expires_at").kept(),
        Field::new("url", Source::Url),
        Field::new("cluster_url", Source::ParentUrl),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
        Field::new("token", Source::Secret("bkct_")),
    ],
    hooks: Hooks { check: hide_token, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const SECRET: Resource = Resource {
    collection: "cluster_secrets", path: "secrets", item: "id", noun: "secret",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("ClusterSecret")),
        Field::text("key").required().kept(),
        Field::text("description"),
        Field::text("policy"),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&["id", "name", "email"])),
        Field::new("updated_at", Source::Changed),
        Field::new("updated_by", Source::ChangedBy),
        Field::fixed("last_read_at", "null"),
        Field::new("url", Source::Url),
        Field::new("cluster_url", Source::ParentUrl),
        Field::new("organization", Source::Embedded),
    ],
    hooks: Hooks { check: check_secret, ..Hooks::NONE },
};

/// The token is shown when it is created, and never again.
fn hide_token(_: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() {
        making.object.remove("token");
    }
}

/// Keys and values of secrets have rules, and an update changes neither.
fn check_secret(call: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() {
        for (key, message) in [
            ("key", "The key parameter cannot be updated."),
            (
                "value",
                "The value parameter cannot be updated on this endpoint.",
            ),
        ] {
            if making.body.has(key) {
                making.body.fail(key, message);
            }
        }
        return;
    }
    let key = making.object.text("key").unwrap_or_default();
    let lower = key.to_lowercase();
    let is_word = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts_well = key.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_reserved = lower.starts_with("buildkite") || lower.starts_with("bk");
    if !key.is_empty() && (!is_word || !starts_well || is_reserved || key.len() > 255) {
        making.body.fail("key", "invalid");
    }
    let place = [(
        "cluster_id".to_owned(),
        making.params.get("cluster_id").to_owned(),
    )];
    let secrets = call.world.stored_below("cluster_secrets", &place);
    if secrets
        .iter()
        .any(|secret| secret.object.text("key").as_ref() == Some(&key))
    {
        making.body.fail("key", "has already been taken");
    }
    let value = making.body.required_text("value");
    if value.len() > 8 * 1024 {
        making
            .body
            .fail("value", "is too long (maximum is 8 kilobytes)");
    }
}

/// `PUT CLUSTER/secrets/{id}/value`
pub(in crate::routes) fn set_secret(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let mut body = Body::parse(call)?;
    objects::act(call, params, &SECRET, |secret, context| {
        body.required_text("value");
        body.check_reason()?;
        secret.set("updated_at", &context.now);
        secret.set("updated_by", context.user_with(&["id", "name", "email"]));
        Ok(())
    })
}

//! Schedules and webhooks of pipelines, and the templates of the organization.

use serde_json::{Value, json};

use super::{DAY, Owner};
use crate::ids::graphql_id;
use crate::time::millis_to_string;

pub(super) fn fill(owner: &mut Owner<'_>) {
    for at in 0..owner.pipelines.len() {
        schedules(owner, at);
        webhook(owner, at);
    }
    templates(owner);
}

/// Pipelines have no schedule, one or two, in turn.
fn schedules(owner: &mut Owner<'_>, at: usize) {
    let pipeline = owner.pipelines[at];
    let url = format!("{}/pipelines/{}", owner.url(), pipeline.slug);
    for (label, cronline) in [("Nightly", "@daily"), ("Dependencies", "30 4 * * 1")]
        .into_iter()
        .take(2 - at % 3)
    {
        let new = owner.new_id(100);
        let is_enabled = label == "Nightly";
        let schedule = json!({
            "id": new.id,
            "graphql_id": graphql_id("PipelineSchedule", &new.id),
            "url": format!("{url}/schedules/{}", new.id),
            "label": label,
            "cronline": cronline,
            "message": format!("{label} run"),
            "commit": "HEAD",
            "branch": "main",
            "env": if is_enabled { json!({"NIGHTLY": "1"}) } else { json!({}) },
            "enabled": is_enabled,
            "next_build_at": is_enabled.then(|| tomorrow(owner)),
            "failed_message": (!is_enabled).then_some("Branch not found"),
            "failed_at": (!is_enabled).then(|| owner.before(300_000)),
            "created_at": new.at,
            "created_by": owner.user(at),
            "pipeline": {"id": pipeline.id, "slug": pipeline.slug, "url": url},
        });
        owner.put(
            "pipeline_schedules",
            &[("pipeline_slug", &pipeline.slug)],
            schedule,
        );
    }
}

/// The next midnight.
fn tomorrow(owner: &Owner<'_>) -> String {
    millis_to_string((owner.now.div_euclid(DAY) + 1) * DAY)
}

fn webhook(owner: &mut Owner<'_>, at: usize) {
    let slug = &owner.pipelines[at].slug;
    let is_enabled = at % 4 != 3;
    let by = owner.user(1)["name"].clone();
    let state = json!({
        "url": format!("{}/pipelines/{slug}/github-webhooks", owner.url()),
        "enabled": is_enabled,
        "disabled_at": (!is_enabled).then(|| owner.before(1_800_000)),
        "disabled_by": if is_enabled { Value::Null } else { by },
    });
    owner.put("pipeline_webhooks", &[("pipeline_slug", slug)], state);
}

fn templates(owner: &mut Owner<'_>) {
    for (at, name) in ["Service", "Library"].into_iter().enumerate() {
        let new = owner.new_id(400);
        let path = format!("pipeline-templates/{}", new.id);
        let template = json!({
            "uuid": new.id,
            "graphql_id": graphql_id("PipelineTemplate", &new.id),
            "name": name,
            "description": format!("Steps of a {}", name.to_lowercase()),
            "configuration": "steps:\n  - label: \":hammer: Build\"\n    command: \"scripts/build.sh\"\n",
            "available": at == 0,
            "url": format!("{}/{path}", owner.url()),
            "web_url": format!("{}/{path}", owner.web_url()),
            "created_at": new.at,
            "created_by": owner.user(0),
            "updated_at": owner.before(6_000_000),
            "updated_by": owner.user(1),
        });
        owner.put("pipeline_templates", &[], template);
    }
}

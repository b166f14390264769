//! Settings, notification services and repository connections of an organization.

use serde_json::{Value, json};

use super::Owner;

pub(super) fn fill(owner: &mut Owner<'_>) {
    settings(owner);
    services(owner);
    repository_connections(owner);
}

fn settings(owner: &mut Owner<'_>) {
    let url = owner.url();
    let api = json!({
        "url": format!("{url}/api-settings"),
        "allowed_ip_addresses": null,
        "revoke_inactive_tokens_after_days": 90,
        "restrict_user_api_token_creation": false,
        "features": {"api_ip_allow_list": true, "inactive_api_token_revocation": true},
    });
    owner.put("organization_api_settings", &[], api);
    let off = json!({"enabled": false, "enabled_at": null, "enabled_by": null});
    let pipelines = json!({
        "url": format!("{url}/pipeline-settings"),
        "default_branch": "main",
        "default_cluster_id": owner.organization.cluster.to_string(),
        "default_timeout_in_minutes": 60,
        "maximum_timeout_in_minutes": 120,
        "scheduled_job_expiry_in_minutes": null,
        "hosted_agents_terminal_access": {
            "enabled": true,
            "enabled_at": owner.before(30_000_000),
            "enabled_by": owner.user_with(0, &["id", "name"]),
        },
        "public_pipeline_creation": off,
        "advanced_queue_metrics": {
            "enabled": false, "enabled_at": null, "enabled_by": null, "disable_supported": false,
        },
        "build_exports": {
            "available": true,
            "enabled": true,
            "location": "acme-build-export",
            "strategy_id": "s3",
            "supported_strategies": ["s3", "gcs"],
        },
    });
    owner.put("organization_pipeline_settings", &[], pipelines);
}

fn services(owner: &mut Owner<'_>) {
    let webhook = json!({
        "url": "https://hooks.example.com/buildkite",
        "token": "fake-webhook-token-of-the-fake",
        "token_mode": "token",
        "version": 2,
        "events": ["build.finished", "job.finished"],
        "tls_verify": true,
    });
    let datadog = json!({
        "api_key": "XXXXXXXXXXXXcdef",
        "datadog_site": "datadoghq.example",
        "datadog_tags": null,
    });
    for (at, (id, name, settings)) in [
        ("webhook", "Webhook", webhook),
        (
            "datadog_pipeline_visibility",
            "Datadog Pipeline Visibility",
            datadog,
        ),
        ("slack", "Slack", json!({"channels": ["#ci"]})),
    ]
    .into_iter()
    .enumerate()
    {
        let new = owner.new_id(200 - 50 * at as i64);
        let service = json!({
            "id": new.id,
            "graphql_id": null,
            "url": format!("{}/services/{}", owner.url(), new.id),
            "provider": {"id": id, "name": name},
            "description": format!("{name} of the build team"),
            "enabled": at != 2,
            "scope": "all",
            "scope_uuids": [],
            "branch_configuration": "",
            "build_states": {
                "build_passed": true, "build_fixed": true, "build_failed": true,
                "build_blocked": false, "build_canceled": false, "build_failing": false,
                "job_activated": false,
            },
            "settings": settings,
            "created_at": new.at,
            "created_by": if at == 1 { Value::Null } else { owner.user(at) },
        });
        owner.put("notification_services", &[], service);
    }
}

fn repository_connections(owner: &mut Owner<'_>) {
    let slug = owner.organization.slug.clone();
    for (kind, host, name) in [
        ("github_code_access_app", "https://github.com", "GitHub"),
        (
            "gitlab_self_managed",
            "https://gitlab.example.com",
            "GitLab Self-Managed",
        ),
    ] {
        let new = owner.new_id(700);
        let is_github = kind.starts_with("github");
        let connection = json!({
            "id": new.id,
            "type": kind,
            "display_name": format!("{name} ({slug})"),
            "url": format!("{}/repository_connections/{}", owner.url(), new.id),
            "service_account": is_github.then(|| json!({"login": slug})),
            "host": {"type": if is_github { "github" } else { "gitlab" }, "url": host},
            "rate_limit": is_github.then(|| json!({
                "limit": 5000, "used": 42, "remaining": 4958, "reset_at": owner.before(-3600),
            })),
        });
        owner.put("repository_connections", &[], connection);
        for (repository, branch) in [("widgets", "main"), ("gadgets", "trunk")] {
            let full_name = format!("{slug}/{repository}");
            let object = json!({
                "full_name": full_name,
                "html_url": format!("{host}/{full_name}"),
                "clone_url": format!("{host}/{full_name}.git"),
                "default_branch": branch,
            });
            owner.put(
                "connection_repositories",
                &[("connection_id", &new.id)],
                object,
            );
        }
    }
}

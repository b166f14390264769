//! Teams and what they may use, rules between pipelines, and portals.

use serde_json::json;

use super::test_engine::{SUITES, suite_id};
use super::{DAY, New, Owner};
use crate::ids::{graphql_id, id_of_name};
use crate::time::millis_to_string;

pub(super) fn fill(owner: &mut Owner<'_>) {
    for (at, (name, slug)) in TEAMS.into_iter().enumerate() {
        team(owner, at, name, slug);
    }
    rule(owner);
    portal(owner);
}

/// Names and slugs of the teams of each organization.
const TEAMS: [(&str, &str); 3] = [
    ("Everyone", "everyone"),
    ("Platform", "platform"),
    ("Überblick", "uberblick"),
];

/// The id of a team, and when it was created.
pub(super) fn team_id(owner: &Owner<'_>, slug: &str) -> New {
    let name = format!("{}/teams/{slug}", owner.organization.slug);
    let millis = owner.now - 600 * DAY;
    New {
        id: id_of_name(&name, millis),
        at: millis_to_string(millis),
        millis,
    }
}

fn team(owner: &mut Owner<'_>, at: usize, name: &str, slug: &str) {
    let new = team_id(owner, slug);
    let team = json!({
        "id": new.id,
        "graphql_id": graphql_id("Team", &new.id),
        "name": name,
        "slug": slug,
        "description": if at == 0 { "" } else { "Who keeps the agents running" },
        "created_at": new.at,
        "privacy": if at == 2 { "secret" } else { "visible" },
        "default": at == 0,
        "created_by": owner.user(0),
    });
    owner.put("teams", &[], team);
    let below = [("team_id", new.id.as_str())];
    // The first team holds everybody, the others one less each.
    for person in 2 * at..owner.organization.people.len() {
        let user = owner.user(person);
        let member = json!({
            "role": if person == 2 * at { "maintainer" } else { "member" },
            "created_at": new.at,
            "user_id": user["id"],
            "user_name": user["name"],
        });
        owner.put("team_members", &below, member);
    }
    let level = ["manage_build_and_read", "build_and_read", "read_only"][at];
    for index in 0..owner.pipelines.len().saturating_sub(at) {
        let pipeline = owner.pipelines[index];
        let access = json!({
            "access_level": level,
            "created_at": new.at,
            "pipeline_id": pipeline.id,
            "pipeline_url": format!("{}/pipelines/{}", owner.url(), pipeline.slug),
        });
        owner.put("team_pipelines", &below, access);
    }
    for (suite, _) in &SUITES[at.min(1)..] {
        let access = json!({
            "access_level": if at == 0 { json!(["read"]) } else { json!(["read", "edit"]) },
            "created_at": new.at,
            "suite_id": suite_id(owner.seed, &owner.organization.slug, suite),
            "suite_url": format!("{}/suites/{suite}", super::test_engine::base(&owner.organization.slug)),
        });
        owner.put("team_suites", &below, access);
    }
}

fn rule(owner: &mut Owner<'_>) {
    let pipelines: Vec<_> = owner
        .pipelines
        .iter()
        .map(|pipeline| pipeline.id.clone())
        .collect();
    for pair in pipelines.windows(2).take(3) {
        let new = owner.new_id(350);
        let rule = json!({
            "uuid": new.id,
            "graphql_id": graphql_id("Rule", &new.id),
            "organization_uuid": owner.id(),
            "url": format!("{}/rules/{}", owner.url(), new.id),
            "type": "pipeline.trigger_build.pipeline",
            "source_type": "pipeline",
            "source_uuid": pair[0],
            "target_type": "pipeline",
            "target_uuid": pair[1],
            "effect": "allow",
            "action": "trigger_build",
            "created_at": new.at,
            "created_by": owner.user(0),
        });
        owner.put("rules", &[], rule);
    }
}

fn portal(owner: &mut Owner<'_>) {
    for (name, slug) in [
        ("Trigger main build", "trigger-main-build"),
        ("Who am I", "who-am-i"),
    ] {
        let new = owner.new_id(250);
        let portal = json!({
            "uuid": new.id,
            "slug": slug,
            "organization_uuid": owner.id(),
            "name": name,
            "description": null,
            "query": "query { viewer { user { name } } }",
            "created_at": new.at,
            "created_by": owner.user(1),
            "allowed_ip_addresses": "192.0.2.1/32 198.51.100.0/24",
            "user_invokable": slug == "who-am-i",
        });
        owner.put("portals", &[], portal);
    }
}

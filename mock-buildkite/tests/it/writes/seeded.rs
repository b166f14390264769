//! Writes to a made-up world, whose builds are not kept until somebody changes them.

use std::time::Duration;

use mock_buildkite::{MockBuildkite, Seed, World};
use reqwest::Method;
use serde_json::{Value, json};

use super::{put, trigger_at};
use crate::caller::Caller;

const ORGANIZATION: &str = "/v2/organizations/";

/// A made-up world and the path of its first organization.
async fn fake() -> (MockBuildkite, Caller, String) {
    let world = World::seeded(&Seed {
        organizations: 1,
        pipelines: 2,
        builds: 200,
        ..Seed::default()
    });
    let slug = world.organization_slugs().remove(0);
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    (server, caller, format!("{ORGANIZATION}{slug}"))
}

/// The path of an object behind the host.
fn path_of(object: &Value) -> String {
    let url = object["url"].as_str().expect("an address");
    url[url.find("/v2/").expect("a version")..].to_owned()
}

/// The first build that a filter leaves.
async fn first(caller: &Caller, organization: &str, filter: &str) -> Value {
    let builds = caller
        .items(&format!("{organization}/builds?{filter}"))
        .await;
    builds.into_iter().next().expect("such a build")
}

#[tokio::test]
async fn every_pipeline_takes_a_build_of_its_default_branch() {
    let (server, caller, organization) = fake().await;
    for pipeline in caller.items(&format!("{organization}/pipelines")).await {
        let answer = trigger_at(&caller, &format!("{}/builds", path_of(&pipeline))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let made = answer.json();
        assert_eq!(made["jobs"][0]["name"], ":pipeline: Upload");
        server.clock().advance(Duration::from_secs(60));
        assert_eq!(caller.get(&path_of(&made)).await.json()["state"], "passed");
    }
}

#[tokio::test]
async fn a_running_build_is_canceled_and_a_failed_one_retried_to_its_end() {
    let (server, caller, organization) = fake().await;
    let running = path_of(&first(&caller, &organization, "state=running").await);
    let answer = put(&caller, &format!("{running}/cancel"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let failed = path_of(&first(&caller, &organization, "state=failed").await);
    let retry = put(&caller, &format!("{failed}/retry_failed_jobs"), json!({})).await;
    assert_eq!(retry.status, 202);
    assert!(retry.json()["retried_jobs_count"].as_u64() > Some(0));
    assert_eq!(caller.get(&failed).await.json()["state"], "running");
    server.clock().advance(Duration::from_secs(3600));
    assert_eq!(caller.get(&running).await.json()["state"], "canceled");
    assert_ne!(caller.get(&failed).await.json()["state"], "running");
}

#[tokio::test]
async fn a_listed_member_can_be_named_as_who_unblocks() {
    let (_server, caller, organization) = fake().await;
    let members = caller.items(&format!("{organization}/members")).await;
    let blocked = first(&caller, &organization, "state=blocked").await;
    let jobs = blocked["jobs"].as_array().unwrap();
    let block = jobs
        .iter()
        .find(|job| job["state"] == "blocked" && job["type"] == "manual");
    let block = block.unwrap()["id"].as_str().unwrap();
    let unblock = format!("{}/jobs/{block}/unblock", path_of(&blocked));
    let answer = put(&caller, &unblock, json!({"unblocker": members[0]["id"]})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["unblocked_by"]["name"], members[0]["name"]);
}

#[tokio::test]
async fn an_annotation_of_the_seed_is_replaced_by_one_with_its_context() {
    let (server, caller, _) = fake().await;
    let of_build = |world: &mut World| {
        let all = world.objects("annotations").into_iter();
        let mut all = all.map(|one| (one.parents, serde_json::from_str::<Value>(&one.json)));
        all.find(|(_, one)| one.as_ref().is_ok_and(|one| one["scope"] == "build"))
    };
    let (parents, old) = server.with_world(of_build).unwrap();
    let old = old.unwrap();
    let parent = |key: &str| {
        let found = parents.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let path = format!(
        "{ORGANIZATION}{}/pipelines/{}/builds/{}/annotations",
        parent("organization_slug"),
        parent("pipeline_slug"),
        parent("build_number"),
    );
    let before = caller.items(&path).await.len();
    let body = json!({"body": "new", "context": old["context"]});
    let new = caller.write(Method::POST, &path, &body).await.json();
    assert_eq!(
        (&new["id"], &new["created_at"]),
        (&old["id"], &old["created_at"])
    );
    let listed = caller.items(&path).await;
    assert_eq!(listed.len(), before);
    assert!(listed.contains(&new));
}

#[tokio::test]
async fn a_pipeline_of_the_seed_is_changed_moved_and_deleted() {
    let (server, caller, organization) = fake().await;
    let pipelines = format!("{organization}/pipelines");
    let pipeline = caller.items(&pipelines).await.remove(0);
    let body = json!({"name": "Moved", "configuration": "steps:\n  - command: make\n"});
    let moved = caller
        .write(Method::PATCH, &path_of(&pipeline), &body)
        .await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(moved.json()["slug"], "moved");
    assert_eq!(moved.json()["steps"].as_array().unwrap().len(), 1);
    assert_eq!(caller.get(&path_of(&pipeline)).await.status, 404);
    let builds = caller.items(&format!("{pipelines}/moved/builds")).await;
    assert!(path_of(&builds[0]).contains("/moved/"));
    assert_eq!(
        caller.delete(&format!("{pipelines}/moved")).await.status,
        204
    );
    let left = server.with_world(|world| world.pipeline_slugs(&organization[ORGANIZATION.len()..]));
    assert_eq!(left.len(), 1);
}

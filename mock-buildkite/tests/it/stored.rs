//! Lists as a test changes them, and as they follow what they hang off.

use mock_buildkite::{MockBuildkite, World};
use serde_json::{Value, json};

use crate::caller::{Caller, texts};
use crate::collections::{build_of, parent};
use crate::routes::seeded;

const ORG: &str = "/v2/organizations/acme-inc";

#[tokio::test]
async fn what_is_put_replaces_its_like_and_what_is_removed_is_gone() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let build = build_of(&server, "artifacts");
    let list = format!("{build}/artifacts");
    let before = caller.items(&list).await;
    let id = before[0]["id"].as_str().unwrap().to_owned();
    let build_id = parent(&server, "artifacts", "build_id");

    let mut changed = before[0].clone();
    changed["state"] = Value::from("expired");
    let parents = [("build_id", build_id.as_str())];
    server.with_world(|world| world.put("artifacts", &parents, &changed));
    assert_eq!(caller.items(&list).await[0], changed);
    assert_eq!(caller.items(&list).await.len(), before.len());

    assert!(server.with_world(|world| world.remove("artifacts", &parents, &id)));
    assert_eq!(caller.items(&list).await, before[1..]);
    assert!(!server.with_world(|world| world.remove("artifacts", &parents, &id)));

    server.with_world(|world| world.clear("artifacts", &[("organization_slug", "acme-inc")]));
    assert!(
        server
            .with_world(|world| world.objects("artifacts"))
            .is_empty()
    );
    assert_eq!(caller.items(&list).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_hangs_off_builds_stays_when_a_build_changes_and_goes_with_it() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let id = parent(&server, "artifacts", "build_id");
    let list = format!("{}/artifacts", build_of(&server, "artifacts"));
    let before = caller.items(&list).await;
    server.with_world(|world| world.change_build(&id, |build| build.set("message", "new")));
    assert_eq!(caller.items(&list).await, before);
    let count = server.with_world(|world| world.objects("artifacts").len());
    server.with_world(|world| world.remove_build(&id));
    assert_eq!(caller.get(&list).await.status, 404);
    let left = server.with_world(|world| world.objects("artifacts").len());
    assert_eq!(left, count - before.len());
}

#[tokio::test]
async fn lists_follow_a_pipeline_that_is_renamed_hidden_or_deleted() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let slug = parent(&server, "pipeline_schedules", "pipeline_slug");
    let count = |server: &MockBuildkite| {
        server.with_world(|world| world.objects("pipeline_schedules").len())
    };
    let all = count(&server);
    let own = caller
        .items(&format!("{ORG}/pipelines/{slug}/schedules"))
        .await
        .len();
    server.with_world(|world| world.rename_pipeline("acme-inc", &slug, "renamed"));
    let moved = caller
        .items(&format!("{ORG}/pipelines/renamed/schedules"))
        .await;
    assert_eq!(moved.len(), own);
    assert!(
        moved[0]["url"]
            .as_str()
            .unwrap()
            .contains("/pipelines/renamed/schedules/")
    );
    server.with_world(|world| world.hide_pipeline("acme-inc", "renamed"));
    assert_eq!(count(&server), all - own);
    server.with_world(|world| world.delete_pipeline("acme-inc", "renamed"));
    assert_eq!(count(&server), all - own);
}

#[tokio::test]
async fn a_new_object_stands_where_the_order_of_its_list_puts_it() {
    let mut world = World::empty();
    world.add_organization("acme");
    let acme = [("organization_slug", "acme")];
    for (id, time) in [
        ("b", "2026-02-01"),
        ("c", "2026-03-01"),
        ("a", "2026-01-01"),
    ] {
        let created_at = format!("{time}T00:00:00.000Z");
        let event = json!({"uuid": id, "occurred_at": created_at});
        world.put("audit_events", &acme, event);
        let service = json!({"id": id, "created_at": created_at});
        world.put("notification_services", &acme, service);
    }
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    for (list, key, expected) in [("audit_events", "uuid", "cba"), ("services", "id", "abc")] {
        let body = caller
            .get(&format!("/v2/organizations/acme/{list}"))
            .await
            .json();
        assert_eq!(
            texts(body["items"].as_array().unwrap(), key).concat(),
            expected
        );
    }
}

#[tokio::test]
async fn numbers_beyond_what_a_float_holds_are_given_to_the_digit() {
    let server = MockBuildkite::start(seeded()).await;
    let text = r#"{"content":"ok","header_times":[9223372036854775807],"size":1.50}"#;
    let job = parent(&server, "job_logs", "job_id");
    let parents = [("organization_slug", "acme-inc"), ("job_id", job.as_str())];
    server.with_world(|world| world.put_json("job_logs", &parents, text));
    let answer = Caller::new(&server)
        .get(&format!("{ORG}/jobs/{job}/log"))
        .await;
    assert_eq!(answer.text(), text);
}

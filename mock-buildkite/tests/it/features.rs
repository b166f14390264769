//! What an organization does not have.

use mock_buildkite::MockBuildkite;

use crate::caller::Caller;
use crate::routes::seeded;

const ORG: &str = "/v2/organizations/acme-inc";

#[tokio::test]
async fn a_plan_without_a_feature_refuses_its_lists_and_nothing_else() {
    for (feature, path, status, message) in [
        (
            "teams",
            "teams",
            403,
            "Your plan doesn't include team permissions. Upgrade your plan to enable teams.",
        ),
        (
            "audit_log",
            "audit_events",
            403,
            "Your plan doesn't include the audit log. Upgrade your plan to enable it.",
        ),
        (
            "pipeline_templates",
            "pipeline-templates",
            403,
            "Your plan doesn't include pipeline templates. Upgrade your plan to enable them.",
        ),
    ] {
        let mut world = seeded();
        assert!(world.remove_feature("acme-inc", feature));
        let server = MockBuildkite::start(world).await;
        let caller = Caller::new(&server);
        let answer = caller.get(&format!("{ORG}/{path}")).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (status, message)
        );
        assert_eq!(
            caller.get(&format!("{ORG}/{path}/any")).await.status,
            status
        );
        assert_eq!(caller.get(&format!("{ORG}/agents")).await.status, 200);
    }
}

#[tokio::test]
async fn services_of_hosted_agents_are_off_or_do_not_answer() {
    let mut world = seeded();
    let image = world.objects("agent_images").remove(0);
    let (_, cluster) = image
        .parents
        .into_iter()
        .find(|(key, _)| key == "cluster_id")
        .unwrap();
    for feature in ["hosted_agents", "hosted_storage", "hosted_network"] {
        assert!(world.remove_feature("acme-inc", feature));
    }
    assert!(!world.remove_feature("acme-inc", "no such feature"));
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    for (path, status) in [
        ("agent-images", 404),
        ("cache_volumes", 503),
        ("network_ranges", 503),
    ] {
        let answer = caller
            .get(&format!("{ORG}/clusters/{cluster}/{path}"))
            .await;
        assert_eq!(answer.status, status, "{path}");
    }
    assert_eq!(
        caller
            .get(&format!("{ORG}/clusters/{cluster}/queues"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_refusal_can_be_any_for_one_organization() {
    let mut world = seeded();
    world.without_feature("acme-inc", "portals", 404, "Not Found");
    world.add_organization("other");
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    assert_eq!(caller.get(&format!("{ORG}/portals")).await.status, 404);
    assert_eq!(
        caller.get("/v2/organizations/other/portals").await.status,
        200
    );
}

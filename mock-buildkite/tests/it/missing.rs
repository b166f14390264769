//! Objects that do not exist.

use mock_buildkite::MockBuildkite;

use crate::caller::Caller;
use crate::routes::seeded;

#[tokio::test]
async fn what_is_missing_is_named_from_left_to_right() {
    let server = MockBuildkite::start(seeded()).await;
    let caller = Caller::new(&server);
    let slug = server.with_world(|world| world.pipeline_slugs("acme-inc").remove(0));
    for (path, message) in [
        (
            "organizations/none/clusters/none/queues".to_owned(),
            "No organization found",
        ),
        (
            "organizations/acme-inc/clusters/none/queues".to_owned(),
            "No cluster found",
        ),
        (
            "organizations/acme-inc/teams/none/members".to_owned(),
            "No team found",
        ),
        (
            "organizations/acme-inc/pipelines/none/schedules".to_owned(),
            "No pipeline found",
        ),
        (
            format!("organizations/acme-inc/pipelines/{slug}/builds/99999/artifacts"),
            "No build found",
        ),
        (
            "organizations/acme-inc/jobs/none/log".to_owned(),
            "No job found",
        ),
        (
            "organizations/acme-inc/agents/none".to_owned(),
            "No agent found",
        ),
        (
            "analytics/organizations/acme-inc/suites/none/runs".to_owned(),
            "No suite found",
        ),
        (
            "analytics/organizations/acme-inc/suites/rspec/runs/none/failed_executions".to_owned(),
            "No run found",
        ),
        (
            "analytics/organizations/acme-inc/builds/none/tests".to_owned(),
            "No build found",
        ),
        (
            "packages/organizations/acme-inc/registries/none/packages".to_owned(),
            "No registry found",
        ),
    ] {
        let answer = caller.get(&format!("/v2/{path}")).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (404, message),
            "{path}"
        );
    }
}

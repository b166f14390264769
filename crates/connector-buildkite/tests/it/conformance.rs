//! The conformance suite, over the fake.

use std::sync::Arc;

use connector_buildkite::Buildkite;
use connector_core::Credential;
use connector_testkit::{Access, Reading, Report, Suite};
use mock_buildkite::{DEMO_TOKEN, MockBuildkite, Seed, Token, World};
use serde_json::{Value, json};

/// Jobs of each build.
const JOBS: usize = 2;

/// Small: a read of it is killed after each of its messages.
async fn fake(builds: usize) -> Arc<MockBuildkite> {
    let world = World::seeded(&Seed {
        pipelines: 3,
        builds,
        jobs_per_build: JOBS,
        ..Seed::default()
    });
    // Several pages, and so several checkpoints.
    let builder = MockBuildkite::builder(world).max_per_page(builds.div_ceil(3));
    Arc::new(builder.start().await.expect("a free port"))
}

fn access(server: &MockBuildkite, token: &str, more: Value) -> Access {
    let mut configuration = json!({"base_url": server.uri()});
    for (key, value) in more.as_object().into_iter().flatten() {
        configuration[key] = value.clone();
    }
    Access::new(configuration).with_credential(Credential::ApiKey(token.into()))
}

/// Reads that fail for good at each of these requests.
fn with_failures(mut reading: Reading, server: &Arc<MockBuildkite>, requests: &[u64]) -> Reading {
    for at in requests.iter().copied() {
        let (healed, broken) = (Arc::clone(server), Arc::clone(server));
        let prepare = move || {
            healed.add_token(Token::new(DEMO_TOKEN));
            access(&healed, DEMO_TOKEN, json!({}))
        };
        let arm = move || {
            let last = broken.requests().len() as u64 + at;
            broken.on_request(move |count, world| {
                if count == last {
                    world.revoke_token(DEMO_TOKEN);
                }
            });
        };
        reading = reading.with_failure(prepare, arm);
    }
    reading
}

/// What is read from a world of some builds, and which requests fail in some of the reads.
async fn report(builds: usize, streams: &[&str], failing: &[u64]) -> Report {
    let (server, breaks) = (fake(builds).await, fake(builds).await);
    let counted = Arc::clone(&server);
    let nobody = "bkua_fedcba9876543210fedcba9876543210";
    let reading = Reading::new(access(&server, DEMO_TOKEN, json!({})))
        .with_streams(streams)
        .with_counts(&[("builds", builds), ("jobs", builds * JOBS)])
        .with_wrong(access(&server, nobody, json!({})))
        .with_wrong(access(
            &server,
            DEMO_TOKEN,
            json!({"organizations": ["nobodys"]}),
        ))
        .with_wrong(access(
            &server,
            DEMO_TOKEN,
            json!({"pipelines": ["nothing"]}),
        ))
        .with_requests(move || counted.requests().len() as u64);
    let reading = with_failures(reading, &breaks, failing);

    let report = Suite::new(&Buildkite).with_reading(reading).run().await;

    assert_eq!(server.unknown_requests(), []);
    report
}

#[tokio::test]
async fn the_default_streams_pass_every_check() {
    report(12, &[], &[2, 3, 4]).await.assert_passed();
}

#[tokio::test]
async fn the_streams_below_builds_pass_every_check() {
    let streams = [
        "builds",
        "jobs",
        "artifacts",
        "annotations",
        "step_uploads",
        "build_tests",
        "job_logs",
        "job_environments",
    ];
    report(4, &streams, &[3, 7, 12]).await.assert_passed();
}

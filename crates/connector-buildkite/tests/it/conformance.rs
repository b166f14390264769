//! The conformance suite, over the fake.

use std::sync::Arc;

use connector_buildkite::Buildkite;
use connector_core::{Configuration, Connector, Credential, Setup};
use connector_testkit::{Access, Reading, Report, Suite};
use mock_buildkite::{DEMO_TOKEN, MockBuildkite, Seed, Token, World};
use serde_json::{Value, json};

const PIPELINES: usize = 3;
/// Jobs of each build.
const JOBS: usize = 2;

/// Small: a read of it is killed after each of its messages.
async fn fake(builds: usize) -> Arc<MockBuildkite> {
    let world = World::seeded(&Seed {
        pipelines: PIPELINES,
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

/// What is found in a world of some builds; some of the requests fail in some of the reads.
async fn report(
    builds: usize,
    streams: &[&str],
    counts: &[(&str, usize)],
    failing: &[u64],
) -> Report {
    let (server, breaks) = (fake(builds).await, fake(builds).await);
    let counted = Arc::clone(&server);
    let nobody = "bkua_fedcba9876543210fedcba9876543210";
    let reading = Reading::new(access(&server, DEMO_TOKEN, json!({})))
        .with_streams(streams)
        .with_counts(counts)
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

/// Streams that are read with builds, and whose states say which.
const OF_BUILDS: [&str; 8] = [
    "builds",
    "jobs",
    "artifacts",
    "annotations",
    "step_uploads",
    "build_tests",
    "job_logs",
    "job_environments",
];

#[tokio::test]
async fn the_default_streams_pass_every_check() {
    let counts = [
        ("organizations", 1),
        ("pipelines", PIPELINES),
        ("builds", 12),
        ("jobs", 12 * JOBS),
    ];
    let report = report(12, &[], &counts, &[2, 3, 4]).await;
    report.assert_passed();
}

#[tokio::test]
async fn builds_and_all_below_them_pass_every_check() {
    let counts = [("builds", 3), ("jobs", 3 * JOBS)];
    let report = report(3, &OF_BUILDS, &counts, &[3, 7, 12]).await;
    report.assert_passed();
}

#[tokio::test]
async fn all_other_lists_pass_every_check_but_those_of_states() {
    let server = fake(4).await;
    let setup = Setup::new(Configuration::default().with("base_url", server.uri()));
    let key = Credential::ApiKey(DEMO_TOKEN.into());
    let source = Buildkite
        .open_source(setup.with_credential(Some(key)))
        .await;
    let catalog = source.expect("it opens").discover().await;
    let streams = catalog.expect("it needs no request").streams;
    let names = streams.iter().map(|stream| stream.name.as_str());
    // What is left of a rate limit differs in each read.
    let is_list = |name: &&str| !OF_BUILDS.contains(name) && *name != "rate_limits";
    let lists: Vec<_> = names.filter(is_list).collect();
    assert!(lists.len() > 35, "{lists:?}");

    let counts = [("organizations", 1), ("pipelines", PIPELINES), ("user", 1)];
    let report = report(4, &lists, &counts, &[4, 20, 40]).await;

    report.assert_passed_skipping(&[
        "far_future_reads_nothing",
        "resuming_misses_nothing",
        "resuming_twice_misses_nothing",
    ]);
}

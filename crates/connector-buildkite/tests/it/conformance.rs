//! The conformance suite, over the fake.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connector_buildkite::{Buildkite, destination_streams};
use connector_core::{Configuration, Connector, Credential, JsonObject, Record, Setup};
use connector_testkit::{Access, Reading, Report, Suite, Writing};
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

    let writing = writing(&server);
    let suite = Suite::new(&Buildkite).with_reading(reading);
    let report = suite.with_writing(writing).run().await;

    assert_eq!(server.unknown_requests(), []);
    report
}

/// Builds of the first pipeline, sent from a new journal each time.
fn writing(server: &Arc<MockBuildkite>) -> Writing {
    let folder = tempfile::tempdir().expect("a folder");
    let count = AtomicUsize::new(0);
    let to = Arc::clone(server);
    let pipeline = server.with_world(|world| {
        let builds = world.builds_json();
        let build: Value = serde_json::from_str(&builds[0]).expect("a build");
        build["pipeline"]["slug"]
            .as_str()
            .expect("a slug")
            .to_owned()
    });
    let settings = move |server: &MockBuildkite, token: &str, journal: &str| {
        let settings = json!({
            "organization": "acme-inc", "pipeline": pipeline, "settle_seconds": 0,
            "journal": journal,
        });
        access(server, token, settings)
    };
    let wrong = settings(server, "bkua_fedcba9876543210fedcba9876543210", "");
    let fresh = move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        let journal = folder.path().join(format!("journal-{count}"));
        settings(&to, DEMO_TOKEN, &journal.to_string_lossy())
    };
    let streams = destination_streams();
    let builds = streams.stream("builds").expect("it is there").clone();
    Writing::new(fresh, &[builds])
        .accepts(record(r#"{"commit":"HEAD","branch":"main","message":"é"}"#))
        .rejects(record(r#"{"branch":"main"}"#))
        .rejects(record(r#"{"commit":"HEAD","branch":"main","env":{"A":1}}"#))
        .rejects(record(
            r#"{"commit":"HEAD","branch":"main","pipeline":"not-there"}"#,
        ))
        .accepts(record(
            r#"{"commit":"HEAD","branch":"main","meta_data":{"n":1.50}}"#,
        ))
        .with_wrong(wrong)
}

fn record(text: &str) -> Record {
    Record::new("builds".into(), JsonObject::parse(text).expect("an object"))
}

/// What the plugin does not fulfil yet, and why.
const GAPS: [&str; 9] = [
    // Records of lists below builds and jobs are not estimated, and pages of the fake are so small
    // here that a read sends more requests than a forecast of full pages says.
    "forecasts_are_near",
    "forecasts_honor_the_state",
    // A forecast for a pipeline that does not exist says that nothing costs nothing.
    "forecasts_need_access",
    // Jobs are compared below the builds that are sampled, and builds that are open are left to
    // the next read.
    "missing_rows_are_found",
    "stale_rows_are_found",
    // Lists that are read in full have no state: nothing to resume from, which takes too long to try.
    "reads_end_with_a_checkpoint",
    "far_future_reads_nothing",
    "resuming_misses_nothing",
    // Which outcome differs is not known yet.
    "dry_runs_say_what_would_be",
];

/// Fails if anything else than a known gap failed, or if little was checked at all.
#[track_caller]
fn assert_only_gaps(report: &Report) {
    let mut failed = report.failed();
    failed.retain(|name| !GAPS.contains(name));
    assert!(failed.is_empty(), "{failed:?} failed:\n{report}");
    let passed = report.passed().len();
    assert!(passed > 50, "only {passed} checks passed:\n{report}");
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
    assert_only_gaps(&report);
}

#[tokio::test]
async fn builds_and_all_below_them_pass_every_check() {
    let counts = [("builds", 3), ("jobs", 3 * JOBS)];
    let report = report(3, &OF_BUILDS, &counts, &[3, 7, 12]).await;
    assert_only_gaps(&report);
}

#[tokio::test]
async fn all_other_lists_pass_every_check_but_those_of_states() {
    let server = fake(4).await;
    let setup = Setup::new(Configuration::default().with("base_url", server.uri()));
    let key = Credential::ApiKey(DEMO_TOKEN.into());
    let source = Buildkite.source().expect("it is a source");
    let source = source.open(setup.with_credential(Some(key))).await;
    let catalog = source.expect("it opens").discover().await;
    let streams = catalog.expect("it needs no request").streams;
    let names = streams.iter().map(|stream| stream.name.as_str());
    // What is left of a rate limit differs in each read.
    let is_list = |name: &&str| !OF_BUILDS.contains(name) && *name != "rate_limits";
    let lists: Vec<_> = names.filter(is_list).collect();
    assert!(lists.len() > 35, "{lists:?}");

    let counts = [("organizations", 1), ("pipelines", PIPELINES), ("user", 1)];
    let report = report(4, &lists, &counts, &[4, 20, 40]).await;

    assert_only_gaps(&report);
}

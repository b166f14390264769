//! The conformance suite on the destination alone, with builds that are waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connector_core::{Credential, JsonObject, Record};
use connector_testkit::{Access, Acting, Suite, Writing};
use mock_buildkite::{MockBuildkite, Token, World};
use serde_json::{Value, json};

/// The fake's clock moves on by this much with each request.
const TICK: Duration = Duration::from_secs(3);
const NOBODY: &str = "bkua_fedcba9876543210fedcba9876543210";

/// What a destination that acts must pass.
const OF_ACTING: [&str; 10] = [
    "results_are_complete",
    "results_fit_their_stream",
    "results_survive_a_failed_write",
    "owed_results_survive_a_kill",
    "kills_repeat_nothing",
    "stored_results_are_forgotten",
    "waits_can_be_dropped",
    "stop_attempts_nothing_more",
    "unfinished_results_are_known_and_owed",
    "secrets_stay_secret",
];

/// Builds that end half a minute after they were triggered.
async fn fake() -> Arc<MockBuildkite> {
    let mut world = World::empty();
    world.hold_builds();
    world.set_build_timing(Duration::from_secs(5), Duration::from_secs(20));
    let server = MockBuildkite::builder(world).start().await.unwrap();
    Arc::new(server)
}

/// Settings for a pipeline and a journal that nobody has used.
fn fresh(server: &Arc<MockBuildkite>) -> impl Fn() -> Access + Send + Sync + 'static {
    let folder = tempfile::tempdir().unwrap();
    let (server, count) = (Arc::clone(server), AtomicUsize::new(0));
    move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        let pipeline = format!("pipeline-{count}");
        server.add_token(Token::new(server.token()));
        let clock = server.clock();
        server.on_request(move |_, _| clock.advance(TICK));
        server.with_world(|world| {
            world.add_pipeline("acme", &pipeline);
            let steps = json!([{"label": "Make", "command": "make"}]);
            world.set_steps("acme", &pipeline, &steps);
        });
        let journal = folder.path().join(&pipeline);
        access(
            &server,
            server.token(),
            &pipeline,
            journal.to_str().unwrap(),
        )
    }
}

fn access(server: &MockBuildkite, token: &str, pipeline: &str, journal: &str) -> Access {
    Access::new(json!({
        "base_url": server.uri(), "organization": "acme", "pipeline": pipeline,
        "settle_seconds": 0, "wait": "finished", "poll_seconds": 1, "journal": journal,
    }))
    .with_credential(Credential::ApiKey(token.into()))
}

fn acting(server: &Arc<MockBuildkite>) -> Acting {
    let (counts, breaks, ends) = (Arc::clone(server), Arc::clone(server), Arc::clone(server));
    let effects = move |access: &Access| {
        let pipeline = access
            .get("pipeline")
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mark = ("triggered-by", "buildkite-connector");
        counts.with_world(|world| {
            let builds = world.builds_with_meta_data("acme", &pipeline, mark.0, mark.1);
            builds.len()
        })
    };
    // The list of builds and a build are answered, the next build is not.
    let arm = move || {
        let last = breaks.requests().len() as u64 + 3;
        let (token, clock) = (breaks.token(), breaks.clock());
        breaks.on_request(move |count, world| {
            clock.advance(TICK);
            if count == last {
                world.revoke_token(token);
            }
        });
    };
    Acting::new()
        .with_effects(effects)
        .with_failure(fresh(server), arm)
        .with_advance(move || ends.clock().advance(Duration::from_secs(60)))
}

fn record(value: &Value) -> Record {
    Record::new("builds".into(), JsonObject::from_serialize(value).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_destination_passes_every_check_of_destinations_that_act() {
    let server = fake().await;
    let streams = crate::destination_streams();
    let builds = streams.stream("builds").unwrap().clone();
    let wrong = access(&server, NOBODY, "pipeline-0", "unused");
    let writing = Writing::new(fresh(&server), &[builds])
        .accepts(record(&super::build(1)))
        .accepts(record(&super::build(2)))
        .rejects(record(&json!({"branch": "main"})))
        .with_wrong(wrong)
        .with_acting(acting(&server));

    let report = Suite::new(&crate::Buildkite)
        .with_writing(writing)
        .run()
        .await;

    // The suite asks the inspector with the destination's settings, which are not the source's.
    let failed = report.failed();
    assert_eq!(failed, ["inspection_agrees_with_reading"], "{report}");
    let passed = report.passed();
    let missing = OF_ACTING.iter().filter(|check| !passed.contains(check));
    assert_eq!(missing.count(), 0, "{report}");
}

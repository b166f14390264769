//! What a comparison finds in copies that are sound, behind, or damaged.

use std::sync::Arc;
use std::time::Duration;

use connector_core::FindingKind::{Gone, Harmless, Missing, Stale};
use connector_core::{
    ErrorKind, Finding, FindingKind, ReadRequest, Selection, Source, State, Verification,
};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, Seed, World};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, checkpoints, seeded};
use crate::copy::Copy;

fn request(streams: &[&str], state: Option<State>) -> ReadRequest {
    let selection = |name: &&str| match *name {
        "builds" | "jobs" => Selection::incremental(*name),
        _ => Selection::full_refresh(*name),
    };
    ReadRequest::new(streams.iter().map(selection)).with_state(state)
}

/// A fake, a copy of it, and the state of the copy.
struct Synced {
    bench: Bench,
    source: Arc<dyn Source>,
    copy: Arc<Copy>,
    state: Option<State>,
}

impl Synced {
    async fn new(world: World) -> Self {
        Self::with(world, json!({})).await
    }

    async fn with(world: World, settings: Value) -> Self {
        Self::of(Bench::with(world, settings).await).await
    }

    async fn of(bench: Bench) -> Self {
        let mut synced = Self {
            source: Arc::clone(&bench.source),
            bench,
            copy: Arc::default(),
            state: None,
        };
        synced.sync().await;
        pass(&synced.bench.server, 60);
        synced
    }

    async fn sync(&mut self) {
        let reading = self.source.read(request(&STREAMS, self.state.clone()));
        let messages: Vec<_> = reading.try_collect().await.expect("a sync that succeeds");
        self.copy.write(&messages);
        let last = checkpoints(&messages).pop().map(|(_, state)| state);
        self.state = last.or(self.state.take());
    }

    async fn verify(&self, samples: u32) -> Verification {
        let request = request(&STREAMS, self.state.clone());
        let verification = self
            .source
            .verify(request, self.copy.clone(), samples)
            .await;
        let verification = verification.expect("a comparison");
        assert_eq!(self.bench.server.unknown_requests(), []);
        assert!(!verification.compared.is_empty());
        verification
    }

    async fn assert_nothing(&self, samples: u32) {
        let mut verification = self.verify(samples).await;
        verification
            .findings
            .retain(|finding| finding.kind != Harmless);
        assert_eq!(verification.findings, [], "{:#?}", verification.compared);
    }

    /// The only findings of a kind; there must be none of an error of another kind.
    async fn assert_only(&self, kind: FindingKind, samples: u32) -> Vec<Finding> {
        let verification = self.verify(samples).await;
        let is_other =
            |finding: &&Finding| finding.kind != kind && [Missing, Stale].contains(&finding.kind);
        let others: Vec<_> = verification.findings.iter().filter(is_other).collect();
        assert!(others.is_empty(), "{others:#?}");
        let findings = verification.findings.into_iter();
        let findings: Vec<_> = findings.filter(|finding| finding.kind == kind).collect();
        assert!(!findings.is_empty(), "{:#?}", verification.compared);
        findings
    }

    /// Ids of all builds, newest first.
    fn ids(&self) -> Vec<String> {
        self.bench.server.with_world(|world| world.build_ids())
    }

    /// The place of a build: `acme-inc/web #12`.
    fn place(&self, id: &str) -> String {
        let text = self.bench.server.with_world(|world| world.build_json(id));
        let build: Value = serde_json::from_str(&text.expect("a build")).expect("JSON");
        let slug = build["pipeline"]["slug"].as_str().expect("a slug");
        format!("acme-inc/{slug} #{}", build["number"])
    }
}

fn pass(server: &MockBuildkite, minutes: u64) {
    server.clock().advance(Duration::from_secs(60 * minutes));
}

#[tokio::test]
async fn a_sound_copy_has_nothing_to_find() {
    for builds in [1, 101, 950] {
        let synced = Synced::new(seeded(builds, 3)).await;
        for samples in [0, 3, u32::MAX] {
            synced.assert_nothing(samples).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_builds_are_compared_in_a_minute_of_requests() {
    let synced = Synced::new(World::seeded(&Seed {
        pipelines: 500,
        builds: 20_000,
        jobs_per_build: 0,
        ..Seed::default()
    }))
    .await;
    let before = synced.bench.server.requests().len();
    synced.assert_nothing(3).await;
    let asked = synced.bench.server.requests().len() - before;
    assert!(asked <= 20, "{asked}");

    let ids = synced.ids();
    for index in [0, 7_000, 19_999] {
        synced.copy.delete("builds", &ids[index]);
    }
    let before = synced.bench.server.requests().len();
    let found = synced.assert_only(Missing, 0).await;
    let asked = synced.bench.server.requests().len() - before;
    assert_eq!(found.len(), 3);
    assert!(asked <= 50, "{asked}");
}

#[tokio::test]
async fn a_deleted_row_is_found_wherever_it_was() {
    let synced = Synced::new(seeded(850, 1)).await;
    let ids = synced.ids();
    for index in [0, 1, 424, 848, 849] {
        let id = &ids[index];
        let kept = synced
            .copy
            .change(|rows| rows.remove(&("builds".into(), id.clone())));
        let found = synced.assert_only(Missing, 1).await;
        let places: Vec<_> = found.iter().map(|finding| finding.at.as_str()).collect();
        assert_eq!(places, [synced.place(id)], "{index}");
        assert_eq!(found[0].stream, "builds");
        synced
            .copy
            .change(|rows| rows.insert(("builds".into(), id.clone()), kept.expect("a row")));
    }
    synced.assert_nothing(1).await;
}

#[tokio::test]
async fn servers_that_cut_times_or_do_not_count_are_compared_all_the_same() {
    let token = mock_buildkite::DEMO_TOKEN;
    let builder = || MockBuildkite::builder(seeded(420, 1));
    let synced = Bench::started(builder().lists_are_cut_to_seconds(), token, json!({})).await;
    let synced = Synced::of(synced).await;
    synced.assert_nothing(u32::MAX).await;
    for index in [400, 200, 1] {
        synced.copy.delete("builds", &synced.ids()[index]);
    }
    assert_eq!(synced.assert_only(Missing, 0).await.len(), 3);

    let synced = Bench::started(builder().without_last_link(), token, json!({})).await;
    let synced = Synced::of(synced).await;
    synced.assert_nothing(3).await;
    let told = synced.verify(0).await.compared.join("\n");
    assert!(told.contains("the server does not tell them"), "{told}");
    synced.copy.delete("builds", &synced.ids()[200]);
    synced.assert_only(Missing, u32::MAX).await;
}

#[tokio::test]
async fn many_deleted_rows_are_told_at_least_by_their_number() {
    let synced = Synced::new(seeded(1_500, 0)).await;
    let ids = synced.ids();
    for id in ids.iter().step_by(2) {
        synced.copy.delete("builds", id);
    }
    synced.assert_only(Missing, 0).await;
    for id in ids.iter().skip(1).step_by(2) {
        synced.copy.delete("builds", id);
    }
    synced.assert_only(Missing, 0).await;
}

#[tokio::test]
async fn a_row_set_back_to_running_is_stale() {
    let synced = Synced::new(seeded(400, 1)).await;
    let ids = synced.ids();
    let is_over =
        |row: &Value| ["passed", "failed", "canceled"].contains(&row.as_str().unwrap_or(""));
    let over: Vec<_> = ids
        .iter()
        .filter(|id| {
            let rows = synced.copy.of("builds");
            rows.iter()
                .any(|row| row["id"] == **id && is_over(&row["state"]))
        })
        .collect();
    for id in [over[0], over[over.len() / 2], over[over.len() - 1]] {
        let key = ("builds".to_owned(), id.clone());
        let kept = synced.copy.change(|rows| rows[&key].clone());
        synced.copy.set("builds", id, "state", "running".into());
        synced.copy.set("builds", id, "finished_at", Value::Null);
        let found = synced.assert_only(Stale, 0).await;
        assert_eq!((found.len(), found[0].at.as_str()), (1, &*synced.place(id)));
        assert!(
            found[0].message.contains("the copy says `running`"),
            "{}",
            found[0].message
        );
        synced.copy.change(|rows| rows.insert(key, kept));
    }
    for id in &over[..60] {
        synced.copy.set("builds", id, "state", "running".into());
        synced.copy.set("builds", id, "finished_at", Value::Null);
    }
    assert_eq!(synced.assert_only(Stale, 0).await.len(), 60);
}

/// A build whose only job was retried, among others.
fn with_a_retry() -> (World, String) {
    let mut world = seeded(250, 1);
    let made = world.create_build(
        BuildFixture::new("acme-inc", "retried")
            .state("failed")
            .job(JobFixture::script("Test").id("first").state("failed")),
    );
    assert!(world.retry_first_failed_job(&made.id).is_some());
    (world, made.id)
}

#[tokio::test]
async fn a_missing_attempt_is_found_without_a_request() {
    let (world, build) = with_a_retry();
    let synced = Synced::new(world).await;
    synced.assert_nothing(3).await;
    let jobs = synced.copy.of("jobs");
    let attempts = jobs.iter().filter(|row| row["build_id"] == build);
    let ids: Vec<_> = attempts
        .map(|row| row["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        let key = ("jobs".to_owned(), id.to_owned());
        let kept = synced.copy.change(|rows| rows.remove(&key)).expect("a row");
        let found = synced.assert_only(Missing, 0).await;
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].stream.as_str(), &*found[0].at),
            ("jobs", "acme-inc/retried #1")
        );
        assert!(found[0].message.contains(id), "{}", found[0].message);
        synced.copy.change(|rows| rows.insert(key, kept));
    }
}

#[tokio::test]
async fn other_values_and_missing_jobs_are_found_by_content() {
    let synced = Synced::new(seeded(300, 2)).await;
    let builds = synced.copy.of("builds");
    let over = builds
        .iter()
        .find(|row| row["state"] == "passed")
        .expect("a build that passed");
    let id = over["id"].as_str().expect("an id");
    synced.copy.set("builds", id, "message", "changed".into());
    let found = synced.assert_only(Stale, u32::MAX).await;
    assert_eq!((found.len(), found[0].at.as_str()), (1, &*synced.place(id)));
    assert!(
        found[0].message.ends_with(": message"),
        "{}",
        found[0].message
    );
    synced
        .copy
        .set("builds", id, "message", over["message"].clone());

    let jobs = synced.copy.of("jobs");
    let job = jobs
        .iter()
        .find(|row| row["build_id"] == over["id"])
        .expect("a job");
    let job = job["id"].as_str().expect("an id");
    synced.copy.set("jobs", job, "agent", "another".into());
    synced.assert_nothing(u32::MAX).await;
    synced.copy.delete("jobs", job);
    let found = synced.assert_only(Missing, u32::MAX).await;
    assert_eq!(
        (found[0].stream.as_str(), &*found[0].at),
        ("jobs", &*synced.place(id))
    );
}

#[tokio::test]
async fn numbers_that_were_never_given_out_are_harmless() {
    let mut world = World::empty();
    for number in [1, 2, 3, 5, 6, 9, 10] {
        world.clock().advance(Duration::from_secs(60));
        world.create_build(
            BuildFixture::new("acme-inc", "web")
                .number(number)
                .state("passed"),
        );
    }
    let synced = Synced::new(world).await;

    let found = synced.assert_only(Harmless, 3).await;

    assert_eq!(found.len(), 1);
    assert_eq!(found[0].at, "acme-inc/web");
    assert!(
        found[0]
            .message
            .ends_with("3 missing numbers either: 4, 7-8"),
        "{}",
        found[0].message
    );

    synced.copy.delete("builds", &synced.ids()[1]);
    let found = synced.verify(0).await.findings;
    let kinds: Vec<_> = found
        .iter()
        .map(|finding| (finding.kind, finding.at.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [(Missing, "acme-inc/web #9"), (Harmless, "acme-inc/web")]
    );
}

#[tokio::test]
async fn builds_that_aged_out_are_gone_and_no_error() {
    let synced = Synced::new(seeded(600, 1)).await;
    let aged = synced.bench.server.with_world(|world| {
        let text = world.build_json(&world.build_ids()[400]).expect("a build");
        let build: Value = serde_json::from_str(&text).expect("JSON");
        let before = build["created_at"].as_str().expect("a time").parse();
        world.age_out(before.expect("a time"))
    });
    assert_eq!(aged, 199);

    let found = synced.assert_only(Gone, 3).await;

    let told: u64 = found
        .iter()
        .map(|finding| finding.message.split(' ').next().expect("a number"))
        .map(|number| number.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(told, 199, "{found:#?}");
    let ids = synced.ids();
    synced.copy.delete("builds", &ids[100]);
    let found = synced.assert_only(Missing, 0).await;
    assert_eq!(found[0].at, synced.place(&ids[100]));
}

#[tokio::test]
async fn a_build_that_is_marked_as_gone_is_not_missing() {
    let mut world = seeded(200, 2);
    let fixture = BuildFixture::new("acme-inc", "web").state("running");
    let made = world.create_build(fixture.job(JobFixture::script("Test").state("running")));
    let mut synced = Synced::new(world).await;
    synced
        .bench
        .server
        .with_world(|world| assert!(world.remove_build(&made.id)));
    synced.sync().await;
    synced.assert_nothing(3).await;
}

/// All that may happen to builds between a sync and a comparison.
fn change(world: &mut World) {
    world.skipped_builds_have_no_end(true);
    let ids = world.build_ids();
    for id in &ids[..40] {
        world.finish_build(id, "passed");
    }
    for id in &ids[40..120] {
        world.retry_first_failed_job(id);
    }
    for id in &ids[40..80] {
        world.finish_build(id, "failed");
    }
    for id in &ids[120..160] {
        world.cancel_build(id);
    }
    for _ in 0..130 {
        world.clock().advance(Duration::from_secs(1));
        world.create_build(BuildFixture::new("acme-inc", "new").job(JobFixture::script("Test")));
    }
}

#[tokio::test]
async fn what_is_not_synced_yet_is_told_and_no_finding() {
    let mut world = seeded(700, 2);
    for state in ["scheduled", "running", "creating"] {
        for _ in 0..5 {
            let job = JobFixture::script("Test").state("scheduled");
            world.create_build(BuildFixture::new("acme-inc", "web").state(state).job(job));
        }
    }
    let synced = Synced::new(world).await;
    let ids = synced.ids();
    synced.bench.server.with_world(|world| {
        for id in &ids[..15] {
            world.skip_build(id);
        }
        change(world);
        world.add_pipeline("acme-inc", "newer");
    });
    for samples in [0, 4, u32::MAX] {
        synced.assert_nothing(samples).await;
    }
    let told = synced.verify(u32::MAX).await.compared.join("\n");
    assert!(told.contains("changed since and not synced yet"), "{told}");
    assert!(
        told.contains("new or renamed ones not synced yet"),
        "{told}"
    );
}

#[tokio::test]
async fn pipelines_that_were_renamed_or_came_into_sight_are_not_synced_yet() {
    let mut world = seeded(600, 1);
    let slugs = world.pipeline_slugs("acme-inc");
    assert!(world.hide_pipeline("acme-inc", &slugs[0]));
    let mut synced = Synced::new(world).await;
    synced.bench.server.with_world(|world| {
        assert!(world.show_pipeline("acme-inc", &slugs[0]));
        assert!(world.rename_pipeline("acme-inc", &slugs[1], "renamed"));
    });
    synced.assert_nothing(u32::MAX).await;
    let told = synced.verify(0).await.compared.join("\n");
    assert!(told.contains("came into sight since"), "{told}");
    synced.sync().await;
    synced.assert_nothing(u32::MAX).await;

    let deleted = |world: &mut World| world.delete_pipeline("acme-inc", &slugs[2]);
    assert!(synced.bench.server.with_world(deleted));
    let gone = synced.assert_only(Gone, u32::MAX).await;
    assert!(gone.iter().any(|finding| finding.stream == "pipelines"));
    assert!(gone.iter().any(|finding| finding.stream == "builds"));
    synced.sync().await;
    synced.assert_only(Gone, u32::MAX).await;
}

#[tokio::test]
async fn a_copy_kept_up_to_date_stays_sound() {
    let mut synced = Synced::new(seeded(500, 2)).await;
    for _ in 0..3 {
        synced.bench.server.with_world(change);
        synced.assert_nothing(u32::MAX).await;
        synced.sync().await;
        pass(&synced.bench.server, 10);
        synced.assert_nothing(u32::MAX).await;
    }
}

#[tokio::test]
async fn two_organizations_and_selected_pipelines_are_compared_by_themselves() {
    let world = || {
        World::seeded(&Seed {
            organizations: 2,
            pipelines: 8,
            builds: 900,
            jobs_per_build: 1,
            ..Seed::default()
        })
    };
    let slugs = world().pipeline_slugs("acme-inc");
    let selected = json!({"organizations": ["acme-inc"], "pipelines": slugs[..2]});
    for settings in [json!({}), selected, json!({"start_date": "2026-08-17"})] {
        let synced = Synced::with(world(), settings).await;
        synced.assert_nothing(4).await;
        let rows = synced.copy.of("builds");
        let id = rows[rows.len() / 2]["id"].as_str().expect("an id");
        synced.copy.delete("builds", id);
        assert_eq!(synced.assert_only(Missing, 0).await.len(), 1);
    }
}

#[tokio::test]
async fn what_a_cut_off_sync_has_not_read_is_not_missing() {
    let mut synced = Synced::new(seeded(900, 1)).await;
    let reading = synced.source.read(request(&STREAMS, None));
    let messages: Vec<_> = reading.try_collect().await.expect("a sync that succeeds");
    for (at, state) in checkpoints(&messages) {
        synced.copy = Arc::default();
        synced.copy.write(&messages[..at]);
        synced.state = Some(state);
        synced.assert_nothing(3).await;
    }
}

#[tokio::test]
async fn short_lists_are_compared_whole_but_for_their_counters() {
    let synced = Synced::new(seeded(50, 1)).await;
    let pipelines = synced.copy.of("pipelines");
    let id = pipelines[0]["id"].as_str().expect("an id");
    synced
        .copy
        .set("pipelines", id, "running_builds_count", 77.into());
    synced.assert_nothing(0).await;
    synced.copy.set("pipelines", id, "name", "another".into());
    let found = synced.assert_only(Stale, 0).await;
    assert!(found[0].message.ends_with(": name"), "{}", found[0].message);
    synced.copy.delete("pipelines", id);
    assert_eq!(synced.assert_only(Missing, 0).await[0].stream, "pipelines");
}

#[tokio::test]
async fn without_a_state_there_is_nothing_to_compare() {
    let bench = Bench::new(seeded(10, 1)).await;
    let copy = Arc::new(Copy::default());

    let refused = bench.source.verify(request(&STREAMS, None), copy, 3).await;

    let error = refused.expect_err("nothing to compare");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("there is nothing to compare yet"));
    assert_eq!(bench.paths().len(), 0);
}

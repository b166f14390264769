//! Forecasts beside the reads that follow them.

use std::time::Duration;

use connector_core::{Forecast, ReadRequest, Selection, Source, State};
use futures::TryStreamExt;
use mock_buildkite::{BuildFixture, JobFixture, MockBuildkite, Seed, World};
use serde_json::{Value, json};

use crate::bench::{Bench, STREAMS, checkpoints, records, seeded};

/// All four streams as a host reads them by default.
fn request(streams: &[&str], state: Option<State>) -> ReadRequest {
    let selection = |name: &&str| match *name {
        "builds" | "jobs" => Selection::incremental(*name),
        _ => Selection::full_refresh(*name),
    };
    ReadRequest::new(streams.iter().map(selection)).with_state(state)
}

/// A forecast, and the read that it is about.
struct Compared {
    forecast: Forecast,
    /// Requests that the forecast itself sent.
    asked: usize,
    requests: usize,
    builds: usize,
    jobs: usize,
    state: Option<State>,
}

impl Compared {
    fn forecast_requests(&self) -> u64 {
        self.forecast.streams.iter().map(|s| s.requests).sum()
    }

    /// Within 10 per cent of the requests.
    fn assert_near(&self, what: &str) {
        let (told, sent) = (self.forecast_requests(), self.requests as u64);
        assert!(
            told.abs_diff(sent) * 10 <= sent,
            "{what}: {told} told, {sent} sent"
        );
    }

    fn stream(&self, name: &str) -> &connector_core::StreamForecast {
        let mut streams = self.forecast.streams.iter();
        streams
            .find(|s| s.stream == name)
            .expect("it was asked for")
    }
}

async fn compare(
    server: &MockBuildkite,
    source: &dyn Source,
    streams: &[&str],
    state: Option<State>,
) -> Compared {
    let before = server.requests().len();
    let forecast = source
        .forecasting()
        .expect("it has the capability")
        .forecast(request(streams, state.clone()))
        .await;
    let forecast = forecast.expect("a forecast");
    let asked = server.requests().len() - before;
    let reading = source.read(request(streams, state.clone()));
    let messages: Vec<_> = reading.try_collect().await.expect("a read that succeeds");
    Compared {
        forecast,
        asked,
        requests: server.requests().len() - before - asked,
        builds: records(&messages, "builds").len(),
        jobs: records(&messages, "jobs").len(),
        state: checkpoints(&messages).pop().map(|(_, state)| state),
    }
}

async fn first(world: World, settings: Value, what: &str) -> (Bench, Compared) {
    let bench = Bench::with(world, settings).await;
    let compared = compare(&bench.server, &*bench.source, &STREAMS, None).await;
    compared.assert_near(what);
    (bench, compared)
}

#[tokio::test]
async fn a_small_first_read_costs_what_was_told() {
    for builds in [0, 1, 99, 100, 101, 199, 200, 450] {
        let (_bench, compared) = first(seeded(builds, 2), json!({}), "small").await;
        assert_eq!(
            compared.forecast_requests(),
            compared.requests as u64,
            "{builds}"
        );
        assert_eq!(compared.stream("builds").records, builds as u64);
        assert!(compared.asked <= 5, "{}", compared.asked);
    }
}

#[tokio::test]
async fn records_and_bytes_are_those_of_a_page_of_the_newest() {
    let (_bench, compared) = first(seeded(450, 3), json!({}), "sizes").await;
    assert_eq!(compared.stream("builds").records, 450);
    let jobs = compared.stream("jobs").records as usize;
    assert!(jobs.abs_diff(compared.jobs) * 20 <= compared.jobs, "{jobs}");
    assert!(compared.stream("jobs").bytes > compared.stream("jobs").records * 500);
    let note = compared.stream("jobs").note.as_deref();
    assert_eq!(
        note,
        Some("comes with builds; estimated from the newest 100 builds")
    );
    assert_eq!(compared.stream("jobs").requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_first_read_costs_what_was_told() {
    let seed = |builds| Seed {
        pipelines: 500,
        builds,
        jobs_per_build: 0,
        ..Seed::default()
    };
    for (builds, concurrency) in [(3_000, 1), (20_000, 4), (3_000, 16)] {
        let settings = json!({"max_concurrency": concurrency});
        let (_bench, compared) = first(World::seeded(&seed(builds)), settings, "large").await;
        assert!(compared.asked <= 8, "{}", compared.asked);
    }
}

#[tokio::test]
async fn two_organizations_selected_pipelines_and_a_start_date_cost_what_was_told() {
    let seed = Seed {
        organizations: 2,
        pipelines: 12,
        builds: 3_000,
        jobs_per_build: 1,
        ..Seed::default()
    };
    let world = || World::seeded(&seed);
    let slugs = world().pipeline_slugs("acme-inc");
    first(world(), json!({}), "two organizations").await;
    let settings = json!({"start_date": "2026-08-15"});
    first(world(), settings, "a start date").await;
    let settings = json!({"organizations": ["acme-inc"], "pipelines": slugs[..3]});
    first(world(), settings, "three pipelines").await;
    for streams in [
        &["builds"][..],
        &["jobs"],
        &["pipelines", "jobs"],
        &["organizations"],
    ] {
        let bench = Bench::new(world()).await;
        let compared = compare(&bench.server, &*bench.source, streams, None).await;
        compared.assert_near(&format!("{streams:?}"));
    }
}

fn pass(server: &MockBuildkite, minutes: u64) {
    server.clock().advance(Duration::from_secs(60 * minutes));
}

/// Some builds run again, some have finished again, some are new, some were skipped.
fn change(world: &mut World, builds: usize) {
    let ids = world.build_ids();
    for id in &ids[builds..2 * builds] {
        world.change_build(id, |build| {
            build.set("state", "running");
            build.set("finished_at", Value::Null);
        });
    }
    for id in &ids[2 * builds..3 * builds] {
        let now = world.now().to_rfc3339();
        world.change_build(id, |build| build.set("finished_at", now));
    }
    for _ in 0..builds {
        world.clock().advance(Duration::from_secs(1));
        let job = JobFixture::script("Test");
        world.create_build(
            BuildFixture::new("acme-inc", "new")
                .state("running")
                .job(job),
        );
    }
}

#[tokio::test]
async fn an_incremental_read_costs_what_was_told() {
    let (bench, compared) = first(seeded(1_500, 1), json!({}), "first").await;
    let mut state = compared.state;
    for builds in [0, 1, 40, 150, 520, 0, 1, 0] {
        pass(&bench.server, 60);
        bench.server.with_world(|world| change(world, builds));
        pass(&bench.server, 1);
        let compared = compare(&bench.server, &*bench.source, &STREAMS, state).await;
        compared.assert_near(&format!("{builds} changed"));
        let told = compared.stream("builds").records as usize;
        assert!(
            told.abs_diff(compared.builds) * 10 <= compared.builds,
            "{told}"
        );
        state = compared.state;
    }
}

#[tokio::test]
async fn builds_that_were_open_and_vanished_are_reckoned_with() {
    for vanished in [1, 3, 5, 12] {
        let (bench, compared) = first(seeded(300, 1), json!({}), "first").await;
        let made = bench.server.with_world(|world| {
            let fixture = || BuildFixture::new("acme-inc", "new").state("scheduled");
            let made = (0..2 * vanished).map(|_| world.create_build(fixture()).id);
            made.collect::<Vec<_>>()
        });
        pass(&bench.server, 5);
        let second = compare(&bench.server, &*bench.source, &STREAMS, compared.state).await;
        pass(&bench.server, 5);
        bench.server.with_world(|world| {
            world.skipped_builds_have_no_end(true);
            for (index, id) in made.iter().enumerate() {
                match index % 2 {
                    0 => assert!(world.skip_build(id)),
                    _ => assert!(world.remove_build(id)),
                }
            }
        });
        let third = compare(&bench.server, &*bench.source, &STREAMS, second.state).await;
        third.assert_near(&format!("{vanished} skipped, {vanished} gone"));
    }
}

#[tokio::test]
async fn a_renamed_pipeline_is_reckoned_with() {
    let (bench, compared) = first(seeded(900, 1), json!({}), "first").await;
    let slug = bench
        .server
        .with_world(|world| world.pipeline_slugs("acme-inc")[0].clone());
    pass(&bench.server, 5);
    bench
        .server
        .with_world(|world| assert!(world.rename_pipeline("acme-inc", &slug, "other")));
    let second = compare(&bench.server, &*bench.source, &STREAMS, compared.state).await;
    second.assert_near("a renamed pipeline");
}

#[tokio::test]
async fn a_read_that_was_cut_off_and_an_earlier_start_cost_what_is_left() {
    let bench = Bench::new(seeded(2_500, 1)).await;
    let source = bench.open(json!({"max_concurrency": 1})).await;
    let reading = source.read(request(&STREAMS, None));
    let messages: Vec<_> = reading.try_collect().await.expect("a read that succeeds");
    let all = checkpoints(&messages);
    for at in [1, all.len() / 2, all.len() - 2] {
        let state = Some(all[at].1.clone());
        let compared = compare(&bench.server, &*source, &STREAMS, state).await;
        compared.assert_near(&format!("from checkpoint {at}"));
    }

    let late = bench.open(json!({"start_date": "2026-08-18"})).await;
    let compared = compare(&bench.server, &*late, &STREAMS, None).await;
    let compared = compare(&bench.server, &*source, &STREAMS, compared.state).await;
    compared.assert_near("an earlier start");
}

#[tokio::test]
async fn the_limits_are_told_and_waited_for() {
    let builder = MockBuildkite::builder(seeded(1_000, 1))
        .rate_limit_user(50)
        .rate_limit_organization(200);
    let settings = json!({"organizations": ["acme-inc"]});
    let bench = Bench::started(builder, mock_buildkite::DEMO_TOKEN, settings).await;

    let forecast = bench
        .source
        .forecasting()
        .expect("it has the capability")
        .forecast(request(&STREAMS, None))
        .await;

    let forecast = forecast.expect("a forecast");
    let left = 50 - bench.server.requests().len();
    let limits = [
        format!(
            "the limit of the organization acme-inc: 200 requests a minute, 20 of them reserved \
             for others, {} left",
            200 - 20 - bench.server.requests().len()
        ),
        format!("the user's limit: 50 requests a minute, {left} left"),
    ];
    assert_eq!(forecast.limits, limits);

    let builder = MockBuildkite::builder(seeded(10_000, 0)).rate_limit_user(50);
    let bench = Bench::started(builder, mock_buildkite::DEMO_TOKEN, json!({})).await;
    let forecast = bench
        .source
        .forecasting()
        .expect("it has the capability")
        .forecast(request(&["builds"], None))
        .await;
    let minutes = forecast.expect("a forecast").duration.as_secs() / 60;
    assert!(
        (1..=3).contains(&minutes),
        "{minutes} minutes for 102 requests"
    );
}

#[tokio::test]
async fn a_server_that_does_not_count_makes_a_forecast_that_says_so() {
    let builder = MockBuildkite::builder(seeded(300, 1)).without_last_link();
    let bench = Bench::started(builder, mock_buildkite::DEMO_TOKEN, json!({})).await;

    let forecast = bench
        .source
        .forecasting()
        .expect("it has the capability")
        .forecast(request(&["builds"], None))
        .await;

    let forecast = forecast.expect("a forecast");
    let note = forecast.streams[0].note.as_deref().expect("a note");
    assert!(note.contains("does not tell how many builds"), "{note}");
}

use std::time::Duration;

use mock_buildkite::{MockBuildkite, World};

use super::{Bench, build};

#[tokio::test]
async fn five_hundred_builds_take_as_long_as_the_limits_ask_and_cause_no_429() {
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    world.hold_builds();
    // Buildkite's limits for a minute.
    let builder = MockBuildkite::builder(world);
    let builder = builder.rate_limit_user(50).rate_limit_organization(200);
    let server = builder.start().await.unwrap();
    let bench = Bench::over(server).with("rate_limit_reserve", 10);
    let records: Vec<_> = (0..500).map(build).collect();

    bench.accept("builds", &records).await;

    assert_eq!(bench.builds("web"), 500);
    let refused = bench
        .server
        .requests()
        .iter()
        .filter(|one| one.status == 429)
        .count();
    assert_eq!(refused, 0);
    // Beside the 500, one request for the token and one for the builds that are there: eleven
    // windows of 50, of which the last begins after ten minutes.
    assert_eq!(bench.server.requests().len(), 502);
    let least = Duration::from_secs(10 * 60);
    let passed = *bench.time.passed.lock().unwrap();
    assert!(
        passed >= least && passed <= least.mul_f64(1.1),
        "{passed:?} of at least {least:?}"
    );
}

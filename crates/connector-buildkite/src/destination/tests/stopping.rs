//! The request to stop. These tests use the clock of this machine, but for the last ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_core::{
    ActingDestination, Configuration, Connector, Destination, Event, Observer, Outcome, Setup,
    Stop, WaitReason,
};
use mock_buildkite::{Fault, MockBuildkite, When, World};
use serde_json::{Value, json};

use super::{Bench, build, plan, record};

/// A run that stops must end within this time.
const SOON: Duration = Duration::from_secs(4);

/// Asks to stop at the first event that `when` picks.
struct StopAt<F> {
    stop: Stop,
    when: F,
}

impl<F: Fn(&Event) -> bool + Send + Sync> Observer for StopAt<F> {
    fn observe(&self, event: Event) {
        if (self.when)(&event) {
            self.stop.request();
        }
    }
}

/// Writes records until something asks to stop.
async fn write_until(
    bench: &Bench,
    stream: &str,
    records: &[Value],
    when: impl Fn(&Event) -> bool + Send + Sync + 'static,
) -> (Vec<Outcome>, Duration) {
    let stop = Stop::new();
    let observer = StopAt {
        stop: stop.clone(),
        when,
    };
    let setup = Setup::new(Configuration::new(bench.keys.clone()).unwrap())
        .with_stop(stop)
        .with_observer(Arc::new(observer));
    let mut destination = crate::Buildkite
        .destination()
        .unwrap()
        .open(setup)
        .await
        .unwrap();
    destination.start(&plan("test", stream)).await.unwrap();
    let batch = records.iter().map(|one| record(stream, one)).collect();
    let began = Instant::now();
    let outcomes = destination.write(batch).await.unwrap();
    destination.commit(None).await.unwrap();
    (outcomes, began.elapsed())
}

fn counted(outcomes: &[Outcome]) -> (usize, usize) {
    let count = |wanted: &Outcome| outcomes.iter().filter(|one| *one == wanted).count();
    (count(&Outcome::Accepted), count(&Outcome::NotAttempted))
}

/// Picks the `number`-th request.
fn at_request(number: usize) -> impl Fn(&Event) -> bool + Send + Sync {
    let seen = std::sync::atomic::AtomicUsize::new(0);
    move |event| {
        let is_request = matches!(event, Event::Request { .. });
        is_request && seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == number
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_the_request_under_way_finish_and_sends_nothing_more() {
    let bench = Bench::new().await.with("settle_seconds", 0);
    let slow = When::method("POST").always();
    bench
        .server
        .fail_when(Fault::SlowHead(Duration::from_millis(200)), slow);
    let records: Vec<_> = (0..20).map(build).collect();

    // The token, the list of builds, and two builds.
    let (outcomes, passed) = write_until(&bench, "builds", &records, at_request(4)).await;

    assert_eq!(counted(&outcomes), (2, 18));
    assert_eq!(bench.server.write_requests().len(), 2);
    assert!(passed < SOON, "{passed:?}");
    bench.server.clear_faults();
    bench.accept("builds", &records).await;
    assert_eq!(bench.builds("web"), 20);
    assert_eq!(bench.server.write_requests().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_wait_for_the_rate_limit_and_what_waited_was_not_sent() {
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    world.hold_builds();
    let builder = MockBuildkite::builder(world).rate_limit_user(50);
    let server = builder.start().await.unwrap();
    let bench = Bench::over(server).with("allow", json!(["requests"]));
    // Of such a request nothing could tell whether it was done.
    let records: Vec<_> = (0..60)
        .map(|number| {
            let body = build(number);
            json!({"method": "POST", "path": "pipelines/web/builds", "body": body})
        })
        .collect();
    let is_limit = |event: &Event| {
        matches!(
            event,
            Event::Wait {
                reason: WaitReason::RateLimit(_),
                ..
            }
        )
    };

    let (outcomes, passed) = write_until(&bench, "requests", &records, is_limit).await;

    let (accepted, left) = counted(&outcomes);
    assert_eq!((accepted + left, accepted > 40), (60, true), "{outcomes:?}");
    assert!(left > 5 && passed < SOON, "{left} {passed:?}");
    assert_eq!(bench.server.write_requests().len(), accepted);
    bench.server.clock().advance(Duration::from_secs(60));
    bench.accept("requests", &records).await;
    assert_eq!(bench.server.write_requests().len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_wait_for_lists_to_settle() {
    let bench = Bench::new().await.with("settle_seconds", 600);
    let is_wait = |event: &Event| matches!(event, Event::Wait { .. });
    let (outcomes, passed) = write_until(&bench, "builds", &[build(1)], is_wait).await;
    assert_eq!(outcomes, [Outcome::NotAttempted]);
    assert!(passed < SOON, "{passed:?}");
    assert_eq!(bench.builds("web"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_does_not_come_in_time_is_looked_for_by_the_next_run() {
    let bench = Bench::new().await;
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    let never = Fault::SlowHead(Duration::from_secs(60));
    bench.server.fail_when(never, When::method("POST"));
    let (server, stop) = (&bench.server, bench.stop.clone());
    let batch = vec![record("builds", &build(1)), record("builds", &build(2))];
    let stop_once_it_left = async {
        while server.write_requests().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.request();
    };

    let (outcomes, ()) = tokio::join!(destination.write(batch), stop_once_it_left);

    assert_eq!(counted(&outcomes.unwrap()), (0, 2));
    assert_eq!(destination.take_results(), []);
    let mut bench = bench;
    (bench.stop, destination.open) = (Stop::new(), None);
    bench.server.clear_faults();
    let made = bench.builds("web");
    bench.accept("builds", &[build(1), build(2)]).await;
    assert_eq!(bench.builds("web"), 2, "{made} of them by the stopped run");
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_builds() {
    let bench = Bench::new().await.with("wait", "finished");
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    destination
        .write(vec![record("builds", &build(1))])
        .await
        .unwrap();
    let before = bench.server.requests().len();
    bench.stop.request();
    assert!(!destination.follow().await.unwrap());
    destination.commit(None).await.unwrap();
    assert_eq!(bench.server.requests().len(), before);
    assert_eq!(destination.unfinished_results().len(), 1);
}

#[tokio::test]
async fn after_a_stop_nothing_is_attempted_not_even_what_would_be_rejected() {
    let bench = Bench::new().await;
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    bench.stop.request();
    let bad = record("builds", &json!({"branch": "main"}));
    let outcomes = destination.write(vec![record("builds", &build(1)), bad]);
    assert_eq!(counted(&outcomes.await.unwrap()), (0, 2));
    assert_eq!(bench.server.write_requests().len(), 0);
}

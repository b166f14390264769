//! Readers against a made-up server, in simulated time: how much of a limit they use, and that they
//! never exceed it.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{BoxFuture, join_all};
use proptest::prelude::*;
use tokio::time::{Instant as SimulatedInstant, sleep, sleep_until};

use super::headers::RateLimit;
use super::*;

const WINDOW: Duration = Duration::from_secs(60);

/// Simulated time, which moves to the next event when all wait.
struct Simulated;

impl Clock for Simulated {
    fn now(&self) -> Instant {
        SimulatedInstant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(sleep(duration))
    }
}

/// A server with fixed windows, which counts a request when it arrives and answers later.
struct Server {
    start: SimulatedInstant,
    /// How much of the first window has passed at the start.
    phase: Duration,
    limit: u32,
    rounds_up: bool,
    /// Requests by window.
    used: Mutex<Vec<u32>>,
}

impl Server {
    fn new(limit: u32, phase: Duration, rounds_up: bool) -> Arc<Self> {
        Arc::new(Self {
            start: SimulatedInstant::now(),
            phase,
            limit,
            rounds_up,
            used: Mutex::default(),
        })
    }

    /// Counts a request. Returns what its answer reports, and whether it is refused.
    fn count(&self) -> (RateLimit, bool) {
        let passed = (self.start.elapsed() + self.phase).as_millis();
        let window = usize::try_from(passed / WINDOW.as_millis()).unwrap();
        let mut used = self.used.lock().unwrap();
        if used.len() <= window {
            used.resize(window + 1, 0);
        }
        used[window] += 1;
        let left = WINDOW.as_millis() - passed % WINDOW.as_millis();
        let seconds = if self.rounds_up {
            left.div_ceil(1000)
        } else {
            left / 1000
        };
        let report = RateLimit {
            limit: self.limit,
            remaining: self.limit.saturating_sub(used[window]),
            reset: Duration::from_secs(u64::try_from(seconds).unwrap()),
        };
        (report, used[window] > self.limit)
    }

    fn used(&self) -> Vec<u32> {
        self.used.lock().unwrap().clone()
    }
}

/// Sends requests until there is nothing left to do, with this many in flight.
async fn read(
    limiter: RateLimiter,
    server: Arc<Server>,
    at_once: usize,
    requests: usize,
    latency: Duration,
) {
    let left = AtomicUsize::new(requests);
    let next = || {
        left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        })
    };
    let workers = (0..at_once).map(|_| async {
        while next().is_ok() {
            let permit = limiter.permit("acme", |_| Ok::<_, Infallible>(())).await;
            let Ok(permit) = permit;
            let (report, is_refused) = server.count();
            sleep(latency).await;
            let limits = RateLimits {
                organization: None,
                user: Some(report),
            };
            if is_refused {
                let exceeded = Exceeded {
                    is_user: true,
                    wait: Some(report.reset),
                };
                permit.refused(limits, &exceeded, WINDOW);
            } else {
                permit.answered(limits);
            }
        }
    });
    join_all(workers).await;
}

fn limiter(share: Option<Share>) -> RateLimiter {
    RateLimiter::new(Arc::new(Simulated), 0.1, share)
}

fn share(readers: u32) -> Option<Share> {
    NonZeroU32::new(readers).map(Share::of)
}

#[tokio::test(start_paused = true)]
async fn under_a_limit_of_fifty_nearly_all_of_the_ideal_time_is_used() {
    // 200 requests need four windows, so they cannot be done in less than the first three.
    let ideal = 3 * WINDOW;
    for (latency, least) in [(800, 0.96), (2_000, 0.94)] {
        for rounds_up in [true, false] {
            let server = Server::new(50, Duration::ZERO, rounds_up);
            let latency = Duration::from_millis(latency);
            let at_once = crate::options::DEFAULT_MAX_CONCURRENCY;

            read(limiter(None), Arc::clone(&server), at_once, 200, latency).await;

            let share = ideal.as_secs_f64() / server.start.elapsed().as_secs_f64();
            assert!(share >= least, "{latency:?}, {rounds_up}: {share:.3}");
            assert_eq!(server.used(), [50; 4]);
        }
    }
}

/// Readers with a share each, which begin at different times.
async fn read_shared(
    server: &Arc<Server>,
    readers: u32,
    requests: &[usize],
    starts: &[u64],
    latency: Duration,
) {
    let reading = requests.iter().zip(starts).map(|(requests, start)| {
        let (server, start) = (Arc::clone(server), Duration::from_millis(*start));
        async move {
            sleep_until(server.start + start).await;
            read(limiter(share(readers)), server, 4, *requests, latency).await;
        }
    });
    join_all(reading).await;
}

#[tokio::test(start_paused = true)]
async fn eight_readers_with_a_share_each_use_the_limit_and_never_exceed_it() {
    for rounds_up in [true, false] {
        for (phase, latency) in [(0, 50), (1_500, 800), (30_250, 2_000), (59_000, 800)] {
            let server = Server::new(50, Duration::from_millis(phase), rounds_up);
            let latency = Duration::from_millis(latency);

            read_shared(&server, 8, &[60; 8], &[0; 8], latency).await;

            let used = server.used();
            let whole = &used[1..used.len() - 1];
            assert!(used.iter().all(|used| *used <= 50), "{used:?}");
            assert!(whole.len() >= 8, "{used:?}");
            assert!(whole.iter().all(|used| *used >= 45), "{used:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn readers_use_what_others_leave_over() {
    let server = Server::new(50, Duration::ZERO, false);

    // Three of eight readers have something to do.
    read_shared(&server, 8, &[60; 3], &[0; 3], Duration::from_millis(300)).await;

    let used = server.used();
    let least = &used[1..4];
    // Their shares are 18 requests.
    assert!(least.iter().all(|used| *used >= 25), "{used:?}");
    assert!(used.iter().all(|used| *used <= 50), "{used:?}");
}

#[tokio::test(start_paused = true)]
async fn more_readers_than_requests_still_advance() {
    let server = Server::new(5, Duration::ZERO, false);
    read_shared(&server, 8, &[3; 8], &[0; 8], Duration::from_millis(300)).await;
    assert!(server.used().iter().sum::<u32>() >= 24);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whenever readers start and stop, they never exceed the limit.
    #[test]
    fn readers_with_a_share_never_exceed_the_limit(
        readers in 2_u32..12,
        limit in 20_u32..200,
        phase in 0_u64..60_000,
        latency in 20_u64..3_000,
        rounds_up: bool,
        work in proptest::collection::vec((1_usize..120, 0_u64..180_000), 2..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let used = runtime.block_on(async {
            let server = Server::new(limit, Duration::from_millis(phase), rounds_up);
            let (requests, starts): (Vec<_>, Vec<_>) =
                work.into_iter().take(readers as usize).unzip();
            let latency = Duration::from_millis(latency);
            read_shared(&server, readers, &requests, &starts, latency).await;
            server.used()
        });
        prop_assert!(used.iter().all(|used| *used <= limit), "{:?}", used);
    }
}

//! The rate limiter against a made-up server, in simulated time.

use std::convert::Infallible;

use futures::executor::block_on;
use proptest::prelude::*;

use super::headers::RateLimit;
use super::window::{RESET_PRECISION, Turn};
use super::*;
use crate::clock::TestClock;

const WINDOW: Duration = Duration::from_secs(60);

/// A server with one fixed window, which tells its reset in whole seconds.
struct Server {
    clock: Arc<TestClock>,
    limit: u32,
    rounds_up: bool,
    /// When its windows begin, after the start of the clock.
    phase: Duration,
    window: u128,
    used: u32,
    refusals: u32,
}

impl Server {
    fn new(clock: &Arc<TestClock>, limit: u32, rounds_up: bool, phase: Duration) -> Self {
        Self {
            clock: Arc::clone(clock),
            limit,
            rounds_up,
            phase,
            window: 0,
            used: 0,
            refusals: 0,
        }
    }

    fn answer(&mut self) -> RateLimit {
        let time = self.clock.passed() + WINDOW - self.phase;
        let window = time.as_millis() / WINDOW.as_millis();
        if window != self.window {
            (self.window, self.used) = (window, 0);
        }
        self.used += 1;
        self.refusals += u32::from(self.used > self.limit);
        let left = WINDOW.as_millis() - time.as_millis() % WINDOW.as_millis();
        let seconds = if self.rounds_up {
            left.div_ceil(1000)
        } else {
            left / 1000
        };
        RateLimit {
            limit: self.limit,
            remaining: self.limit.saturating_sub(self.used),
            reset: Duration::from_secs(u64::try_from(seconds).unwrap()),
        }
    }
}

fn permit(limiter: &RateLimiter) -> (Permit, Duration) {
    let waited = std::cell::Cell::new(Duration::ZERO);
    let permit = block_on(limiter.permit("acme", |wait| {
        waited.set(waited.get() + wait.news.unwrap_or_default());
        Ok::<_, Infallible>(())
    }));
    let Ok(permit) = permit;
    (permit, waited.get())
}

fn organization(limit: RateLimit) -> RateLimits {
    RateLimits {
        organization: Some(limit),
        user: None,
    }
}

#[test]
fn no_request_is_refused_and_no_window_is_wasted_however_the_reset_is_rounded() {
    for rounds_up in [true, false] {
        for phase in [0, 1, 500, 30_250, 59_999] {
            let clock = TestClock::new();
            let limiter = RateLimiter::new(Arc::<TestClock>::clone(&clock), 0.0, None);
            let phase = Duration::from_millis(phase);
            let mut server = Server::new(&clock, 50, rounds_up, phase);
            for _ in 0..500 {
                let (permit, _) = permit(&limiter);
                clock.advance(Duration::from_millis(20));
                permit.answered(organization(server.answer()));
            }
            assert_eq!(server.refusals, 0);
            // Ten windows of 50, the last only begun. The first ends at `phase`. If that is too
            // soon for 50 requests of 20 ms, one more window is needed.
            let least = match phase.as_millis() {
                0 => 9 * WINDOW,
                1..1000 => phase + 9 * WINDOW,
                _ => phase + 8 * WINDOW,
            };
            let passed = clock.passed();
            assert!(passed <= least.mul_f64(1.05), "{phase:?}: {passed:?}");
        }
    }
}

#[test]
fn the_reserve_is_left_to_others() {
    let clock = TestClock::new();
    let limiter = RateLimiter::new(Arc::<TestClock>::clone(&clock), 0.1, None);
    let mut server = Server::new(&clock, 200, true, Duration::ZERO);
    let mut sent = 0;
    loop {
        let (permit, waited) = permit(&limiter);
        if !waited.is_zero() {
            break;
        }
        permit.answered(organization(server.answer()));
        sent += 1;
    }
    assert_eq!(sent, 180);
}

#[test]
fn the_limit_that_ends_later_binds() {
    let clock = TestClock::new();
    let limiter = RateLimiter::new(Arc::<TestClock>::clone(&clock), 0.0, None);
    let used_up = |reset| RateLimit {
        limit: 50,
        remaining: 0,
        reset: Duration::from_secs(reset),
    };
    let (first, _) = permit(&limiter);
    first.answered(RateLimits {
        organization: Some(used_up(10)),
        user: Some(used_up(40)),
    });
    let (_second, waited) = permit(&limiter);
    assert_eq!(waited, Duration::from_secs(41));
}

#[test]
fn a_reset_of_zero_and_a_refusal_without_a_word_do_not_spin() {
    let clock = TestClock::new();
    let limiter = RateLimiter::new(Arc::<TestClock>::clone(&clock), 0.0, None);
    let (first, _) = permit(&limiter);
    first.answered(organization(RateLimit {
        limit: 50,
        remaining: 0,
        reset: Duration::ZERO,
    }));
    let (second, waited) = permit(&limiter);
    assert_eq!(waited, RESET_PRECISION);

    let exceeded = Exceeded {
        is_user: true,
        wait: None,
    };
    second.refused(RateLimits::default(), &exceeded, Duration::from_secs(3));
    let (_third, waited) = permit(&limiter);
    assert_eq!(waited, Duration::from_secs(3));
}

#[test]
fn requests_under_way_count_as_sent() {
    let clock = TestClock::new();
    let limiter = RateLimiter::new(Arc::<TestClock>::clone(&clock), 0.0, None);
    let (first, _) = permit(&limiter);
    assert_eq!(
        limiter.take("acme", clock.now()),
        Turn::OtherRequests,
        "limits unknown"
    );
    first.answered(organization(RateLimit {
        limit: 50,
        remaining: 2,
        reset: WINDOW,
    }));
    let _second = permit(&limiter);
    let (third, _) = permit(&limiter);
    assert_eq!(limiter.take("acme", clock.now()), Turn::OtherRequests);
    // It failed without an answer, but the server may have counted it.
    drop(third);
    assert_eq!(limiter.take("acme", clock.now()), Turn::OtherRequests);
}

#[test]
fn without_any_header_requests_are_not_held_back() {
    let clock = TestClock::new();
    let limiter = RateLimiter::new(Arc::<TestClock>::clone(&clock), 0.1, None);
    let (first, _) = permit(&limiter);
    first.answered(RateLimits::default());
    let permits: Vec<_> = (0..10).map(|_| permit(&limiter)).collect();
    assert!(permits.iter().all(|(_, waited)| waited.is_zero()));
}

proptest! {
    /// Whatever a server reports, a request is sent after a finite wait, and no sum overflows.
    #[test]
    fn no_report_stops_or_breaks_the_rate_limiter(
        reports in proptest::collection::vec((any::<u32>(), any::<u32>(), 0_u64..=86_400, any::<bool>()), 1..20),
        reserve in 0.0..0.9,
    ) {
        let clock = TestClock::new();
        let limiter = RateLimiter::new(Arc::<TestClock>::clone(&clock), reserve, None);
        for (limit, remaining, reset, is_refusal) in reports {
            let report = RateLimit { limit, remaining, reset: Duration::from_secs(reset) };
            let (permit, _) = permit(&limiter);
            if is_refusal {
                let wait = Some(report.reset);
                let exceeded = Exceeded { is_user: limit % 2 == 0, wait };
                permit.refused(organization(report), &exceeded, WINDOW);
            } else {
                permit.answered(organization(report));
            }
            for known in limiter.limits("acme") {
                let _forecast = known.wait_for(u64::MAX);
            }
        }
    }
}

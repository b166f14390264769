//! Paces requests so that no limit is ever exceeded by our own doing.
//!
//! One governor serves everything that reads or writes with the same token at the same host. It
//! learns both limits from every answer, spends at once what the window still allows, less a
//! reserve that is left to people and other tools, and then waits until the binding window ends.
//!
//! `Reset` comes in whole seconds, and nothing says whether they are rounded up or down; so a
//! window may end up to a second after the time the header gives. Every answer narrows that down:
//! the earliest of `arrival + reset + 1 s` is the first moment that is certainly behind the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::select;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::known_limit::KnownLimit;
use crate::rate_limit::{Exceeded, RateLimit, RateLimits};

/// How far a window's true end may lie behind the end that a header in whole seconds tells.
const RESET_PRECISION: Duration = Duration::from_secs(1);

/// Which of the two limits a wait is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Organization,
    User,
}

impl Limit {
    /// The name that Buildkite gives it.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Organization => "rest",
            Self::User => "rest_user",
        }
    }
}

/// Hands out the right to send a request.
pub(crate) struct Governor {
    clock: Arc<dyn Clock>,
    /// Of the organization's limit, 0.0 to 0.9.
    reserve: f64,
    windows: Mutex<Windows>,
    answered: Notify,
}

/// A wait for the end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) total: Duration,
    /// The part that nobody has been told of; absent if everybody knows.
    pub(crate) news: Option<Duration>,
    pub(crate) limit: Limit,
    /// The size of that limit; 0 if it is not known.
    pub(crate) requests: u32,
}

#[derive(Default)]
struct Windows {
    /// Until when waiting has been announced.
    announced: Option<Instant>,
    user: Window,
    /// By organization slug; requests that are about no organization share the empty one.
    organizations: HashMap<String, Window>,
}

/// What is known of one limit.
#[derive(Debug, Default)]
struct Window {
    /// Absent until an answer reports it.
    known: Option<Known>,
    /// An answer came and reported nothing: do not hold requests back to learn more.
    silent: bool,
    /// Requests sent and not answered.
    in_flight: u32,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    limit: u32,
    remaining: u32,
    /// The first moment that is certainly in the next window.
    ends: Instant,
}

impl Known {
    /// How many requests of a window are left to others.
    fn held_back(&self, reserve: f64) -> u32 {
        let held_back = (f64::from(self.limit) * reserve) as u32;
        held_back.min(self.limit.saturating_sub(1))
    }
}

/// The right to send one request; given back by [`Governor::answered`] or by dropping it.
pub(crate) struct Permit {
    governor: Arc<Governor>,
    organization: String,
    is_open: bool,
}

/// What a request has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Go,
    /// Nothing is left in this window, which ends then.
    Until(Instant, Limit, u32),
    /// What is left is taken by requests under way.
    OtherRequests,
}

impl Governor {
    pub(crate) fn new(clock: Arc<dyn Clock>, reserve: f64) -> Arc<Self> {
        Arc::new(Self {
            clock,
            reserve,
            windows: Mutex::default(),
            answered: Notify::new(),
        })
    }

    /// Waits for the right to send a request about `organization` (empty: about none).
    ///
    /// `on_wait` is told of each wait for a window before it begins; if it refuses, so does this.
    pub(crate) async fn permit<E>(
        self: &Arc<Self>,
        organization: &str,
        on_wait: impl Fn(Wait) -> Result<(), E>,
    ) -> Result<Permit, E> {
        loop {
            // Asked for before the look, so that no answer is missed in between.
            let answered = self.answered.notified();
            match self.take(organization) {
                Turn::Go => {
                    return Ok(Permit {
                        governor: Arc::clone(self),
                        organization: organization.to_owned(),
                        is_open: true,
                    });
                }
                Turn::OtherRequests => answered.await,
                Turn::Until(ends, limit, requests) => {
                    let wait = self.wait(ends, limit, requests);
                    on_wait(wait)?;
                    // An answer may show that the window has ended already.
                    futures::pin_mut!(answered);
                    select(self.clock.sleep(wait.total), answered).await;
                }
            }
        }
    }

    /// Takes one request out of both windows, if both allow it.
    fn take(&self, organization: &str) -> Turn {
        let now = self.clock.now();
        let mut windows = self.lock();
        let windows = &mut *windows;
        let ours = windows
            .organizations
            .entry(organization.to_owned())
            .or_default();
        let turn = later(
            ours.turn(now, self.reserve, Limit::Organization),
            windows.user.turn(now, 0.0, Limit::User),
        );
        if turn == Turn::Go {
            ours.in_flight += 1;
            windows.user.in_flight += 1;
        }
        turn
    }

    /// Several requests wait at the same time, and are woken early: each second is told once.
    fn wait(&self, ends: Instant, limit: Limit, requests: u32) -> Wait {
        let now = self.clock.now();
        let mut windows = self.lock();
        let told = windows.announced.map_or(now, |until| until.max(now));
        let news = ends.saturating_duration_since(told);
        windows.announced = Some(told.max(ends));
        Wait {
            total: ends.saturating_duration_since(now),
            news: (!news.is_zero()).then_some(news),
            limit,
            requests,
        }
    }

    /// What is known of the limits that requests about `organization` count towards.
    pub(crate) fn limits(&self, organization: &str) -> Vec<KnownLimit> {
        let now = self.clock.now();
        let windows = self.lock();
        let ours = windows.organizations.get(organization);
        let parts = [
            (ours, self.reserve, Limit::Organization),
            (Some(&windows.user), 0.0, Limit::User),
        ];
        let known = parts.into_iter().filter_map(|(window, reserve, which)| {
            let known = window?.known.filter(|known| now < known.ends)?;
            let held_back = known.held_back(reserve);
            Some(KnownLimit {
                scope: which.scope(),
                requests: known.limit,
                usable: known.limit.saturating_sub(held_back),
                left: known.remaining.saturating_sub(held_back),
                window_ends: known.ends - now,
            })
        });
        known.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, organization: &str, learn: impl FnOnce(&mut Window, &mut Window)) {
        let mut windows = self.lock();
        let windows = &mut *windows;
        let ours = windows
            .organizations
            .entry(organization.to_owned())
            .or_default();
        ours.in_flight = ours.in_flight.saturating_sub(1);
        windows.user.in_flight = windows.user.in_flight.saturating_sub(1);
        learn(ours, &mut windows.user);
        self.answered.notify_waiters();
    }
}

impl Permit {
    /// The request was answered, with these limits.
    pub(crate) fn answered(mut self, limits: RateLimits) {
        self.is_open = false;
        let now = self.governor.clock.now();
        self.governor.close(&self.organization, |ours, user| {
            ours.learn(limits.organization, now);
            user.learn(limits.user, now);
        });
    }

    /// The request was refused with 429. If the answer does not say for how long, its limit
    /// counts as used up for `fallback`.
    pub(crate) fn refused(mut self, limits: RateLimits, exceeded: &Exceeded, fallback: Duration) {
        self.is_open = false;
        let now = self.governor.clock.now();
        let wait = exceeded
            .wait
            .map_or(fallback, |wait| wait + RESET_PRECISION);
        self.governor.close(&self.organization, |ours, user| {
            ours.learn(limits.organization, now);
            user.learn(limits.user, now);
            let window = if exceeded.is_user { user } else { ours };
            window.exhaust(now + wait);
        });
    }
}

impl Drop for Permit {
    /// A request without an answer may have been counted.
    fn drop(&mut self) {
        if self.is_open {
            self.governor.close(&self.organization, |ours, user| {
                ours.spend();
                user.spend();
            });
        }
    }
}

impl Window {
    fn turn(&mut self, now: Instant, reserve: f64, which: Limit) -> Turn {
        if self.known.is_some_and(|known| now >= known.ends) {
            // A new window has begun; its first answer tells when it ends.
            self.known = None;
            self.silent = false;
        }
        let Some(known) = self.known else {
            // The first answer tells the limits; until then one request goes alone.
            let goes = self.silent || self.in_flight == 0;
            return if goes { Turn::Go } else { Turn::OtherRequests };
        };
        let left = known.remaining.saturating_sub(known.held_back(reserve));
        if left == 0 {
            return Turn::Until(known.ends, which, known.limit);
        }
        match left > self.in_flight {
            true => Turn::Go,
            false => Turn::OtherRequests,
        }
    }

    fn learn(&mut self, report: Option<RateLimit>, now: Instant) {
        let Some(report) = report else {
            match &mut self.known {
                // It counted, though the answer does not say so.
                Some(known) => known.remaining = known.remaining.saturating_sub(1),
                None => self.silent = true,
            }
            return;
        };
        let ends = now + report.reset + RESET_PRECISION;
        let same = self
            .known
            .filter(|known| now < known.ends && ends <= known.ends + 2 * RESET_PRECISION);
        self.known = Some(match same {
            // Answers may overtake each other: the lowest count and the earliest end are true.
            Some(known) => Known {
                limit: report.limit,
                remaining: report.remaining.min(known.remaining),
                ends: ends.min(known.ends),
            },
            None => Known {
                limit: report.limit,
                remaining: report.remaining,
                ends,
            },
        });
    }

    fn spend(&mut self) {
        if let Some(known) = &mut self.known {
            known.remaining = known.remaining.saturating_sub(1);
        }
    }

    fn exhaust(&mut self, ends: Instant) {
        let limit = self.known.map_or(0, |known| known.limit);
        self.known = Some(Known {
            limit,
            remaining: 0,
            ends,
        });
    }
}

/// Both windows must allow a request: the wait that is longer counts.
fn later(a: Turn, b: Turn) -> Turn {
    match (a, b) {
        (Turn::Go, turn) | (turn, Turn::Go) => turn,
        (Turn::Until(x, ..), Turn::Until(y, ..)) => {
            if x >= y {
                a
            } else {
                b
            }
        }
        (until @ Turn::Until(..), _) | (_, until) => until,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::executor::block_on;

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
            let seconds = match self.rounds_up {
                true => left.div_ceil(1000),
                false => left / 1000,
            };
            RateLimit {
                limit: self.limit,
                remaining: self.limit.saturating_sub(self.used),
                reset: Duration::from_secs(u64::try_from(seconds).unwrap()),
            }
        }
    }

    fn permit(governor: &Arc<Governor>) -> (Permit, Duration) {
        let waited = std::cell::Cell::new(Duration::ZERO);
        let permit = block_on(governor.permit("acme", |wait| {
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
                let governor = Governor::new(Arc::<TestClock>::clone(&clock), 0.0);
                let phase = Duration::from_millis(phase);
                let mut server = Server::new(&clock, 50, rounds_up, phase);
                for _ in 0..500 {
                    let (permit, _) = permit(&governor);
                    clock.advance(Duration::from_millis(20));
                    permit.answered(organization(server.answer()));
                }
                assert_eq!(server.refusals, 0);
                // Ten windows of 50, the last only begun. The first ends at `phase`; if that is too
                // soon for 50 requests of 20 ms, one more is needed.
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
        let governor = Governor::new(Arc::<TestClock>::clone(&clock), 0.1);
        let mut server = Server::new(&clock, 200, true, Duration::ZERO);
        let mut sent = 0;
        loop {
            let (permit, waited) = permit(&governor);
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
        let governor = Governor::new(Arc::<TestClock>::clone(&clock), 0.0);
        let used_up = |reset| RateLimit {
            limit: 50,
            remaining: 0,
            reset: Duration::from_secs(reset),
        };
        let (first, _) = permit(&governor);
        first.answered(RateLimits {
            organization: Some(used_up(10)),
            user: Some(used_up(40)),
        });
        let (_second, waited) = permit(&governor);
        assert_eq!(waited, Duration::from_secs(41));
    }

    #[test]
    fn a_reset_of_zero_and_a_refusal_without_a_word_do_not_spin() {
        let clock = TestClock::new();
        let governor = Governor::new(Arc::<TestClock>::clone(&clock), 0.0);
        let (first, _) = permit(&governor);
        first.answered(organization(RateLimit {
            limit: 50,
            remaining: 0,
            reset: Duration::ZERO,
        }));
        let (second, waited) = permit(&governor);
        assert_eq!(waited, RESET_PRECISION);

        let exceeded = Exceeded {
            is_user: true,
            wait: None,
        };
        second.refused(RateLimits::default(), &exceeded, Duration::from_secs(3));
        let (_third, waited) = permit(&governor);
        assert_eq!(waited, Duration::from_secs(3));
    }

    #[test]
    fn requests_under_way_count_as_sent() {
        let clock = TestClock::new();
        let governor = Governor::new(Arc::<TestClock>::clone(&clock), 0.0);
        let (first, _) = permit(&governor);
        assert_eq!(governor.take("acme"), Turn::OtherRequests, "limits unknown");
        first.answered(organization(RateLimit {
            limit: 50,
            remaining: 2,
            reset: WINDOW,
        }));
        let _second = permit(&governor);
        let (third, _) = permit(&governor);
        assert_eq!(governor.take("acme"), Turn::OtherRequests);
        // It failed without an answer, but the server may have counted it.
        drop(third);
        assert_eq!(governor.take("acme"), Turn::OtherRequests);
    }

    #[test]
    fn without_any_header_requests_are_not_held_back() {
        let clock = TestClock::new();
        let governor = Governor::new(Arc::<TestClock>::clone(&clock), 0.1);
        let (first, _) = permit(&governor);
        first.answered(RateLimits::default());
        let permits: Vec<_> = (0..10).map(|_| permit(&governor)).collect();
        assert!(permits.iter().all(|(_, waited)| waited.is_zero()));
    }
}

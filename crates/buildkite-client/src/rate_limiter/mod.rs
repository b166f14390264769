//! Spaces requests so that this process never exceeds a rate limit.
//!
//! One rate limiter serves everything that reads or writes with the same token at the same host.
//! It learns both limits from every answer and spends at once what the current window allows, less
//! a reserve for people and other tools. Then it waits until the binding window ends.

mod headers;
mod known_limit;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::future::select;
use tokio::sync::Notify;

use crate::clock::Clock;
pub(crate) use headers::{Exceeded, RateLimits};
pub use known_limit::KnownLimit;
pub(crate) use window::Limit;
use window::{RESET_PRECISION, Turn, Window};

/// What is known about the rate limits of one token at one host. Clients that share it count each
/// other's requests.
#[derive(Clone)]
pub struct RateLimiter(Arc<Shared>);

/// A reference to a [`RateLimiter`] that lives as long as some client uses it.
#[derive(Clone)]
pub struct WeakRateLimiter(Weak<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    /// Share of the organization's limit left to others, 0.0 to 0.9.
    reserve: f64,
    windows: Mutex<Windows>,
    answered: Notify,
}

#[derive(Default)]
struct Windows {
    /// Until when waiting has been announced.
    announced: Option<Instant>,
    user: Window,
    /// By organization slug. Requests about no organization share the empty one.
    organizations: HashMap<String, Window>,
}

/// A wait for the end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) total: Duration,
    /// The part that has not been announced yet, if any.
    pub(crate) news: Option<Duration>,
    pub(crate) limit: Limit,
    /// The size of that limit, or 0 if it is unknown.
    pub(crate) requests: u32,
}

/// The right to send one request. It is returned by [`Permit::answered`], by
/// [`Permit::refused`] or by dropping it.
pub(crate) struct Permit {
    limiter: RateLimiter,
    organization: String,
    is_open: bool,
}

impl RateLimiter {
    pub(crate) fn new(clock: Arc<dyn Clock>, reserve: f64) -> Self {
        Self(Arc::new(Shared {
            clock,
            reserve,
            windows: Mutex::default(),
            answered: Notify::new(),
        }))
    }

    /// Whether it is the same rate limiter.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A reference that does not keep it alive.
    pub fn downgrade(&self) -> WeakRateLimiter {
        WeakRateLimiter(Arc::downgrade(&self.0))
    }

    /// Waits for the right to send a request about `organization` (empty: about none).
    ///
    /// `on_wait` is called before each wait for a window. Its error ends the call.
    pub(crate) async fn permit<E>(
        &self,
        organization: &str,
        on_wait: impl Fn(Wait) -> Result<(), E>,
    ) -> Result<Permit, E> {
        loop {
            // Registered before the check, so that no answer is missed in between.
            let answered = self.0.answered.notified();
            match self.take(organization) {
                Turn::Go => {
                    return Ok(Permit {
                        limiter: self.clone(),
                        organization: organization.to_owned(),
                        is_open: true,
                    });
                }
                Turn::OtherRequests => answered.await,
                Turn::Until(ends, limit, requests) => {
                    let wait = self.announce(ends, limit, requests);
                    on_wait(wait)?;
                    // An answer may show that the window has ended already.
                    futures::pin_mut!(answered);
                    select(self.0.clock.sleep(wait.total), answered).await;
                }
            }
        }
    }

    /// Takes one request out of both windows, if both allow it.
    fn take(&self, organization: &str) -> Turn {
        let now = self.0.clock.now();
        let mut windows = self.lock();
        let (ours, user) = windows.of(organization);
        let turn = ours
            .turn(now, self.0.reserve, Limit::Organization)
            .and(user.turn(now, 0.0, Limit::User));
        if turn == Turn::Go {
            ours.send();
            user.send();
        }
        turn
    }

    /// Several requests may wait at the same time, and wake early. Each second of waiting is
    /// announced once.
    fn announce(&self, ends: Instant, limit: Limit, requests: u32) -> Wait {
        let now = self.0.clock.now();
        let mut windows = self.lock();
        let announced = windows.announced.map_or(now, |until| until.max(now));
        let news = ends.saturating_duration_since(announced);
        windows.announced = Some(announced.max(ends));
        Wait {
            total: ends.saturating_duration_since(now),
            news: (!news.is_zero()).then_some(news),
            limit,
            requests,
        }
    }

    /// What is known about the limits that requests about `organization` count towards.
    pub(crate) fn limits(&self, organization: &str) -> Vec<KnownLimit> {
        let now = self.0.clock.now();
        let windows = self.lock();
        let ours = windows.organizations.get(organization);
        let ours = ours.and_then(|window| window.known(now, self.0.reserve, Limit::Organization));
        let user = windows.user.known(now, 0.0, Limit::User);
        ours.into_iter().chain(user).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.0
            .windows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, organization: &str, learn: impl FnOnce(&mut Window, &mut Window)) {
        let mut windows = self.lock();
        let (ours, user) = windows.of(organization);
        ours.settle();
        user.settle();
        learn(ours, user);
        self.0.answered.notify_waiters();
    }
}

impl WeakRateLimiter {
    /// The rate limiter, if a client still uses it.
    pub fn upgrade(&self) -> Option<RateLimiter> {
        self.0.upgrade().map(RateLimiter)
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateLimiter")
    }
}

impl Windows {
    /// The window of an organization and that of the user.
    fn of(&mut self, organization: &str) -> (&mut Window, &mut Window) {
        let ours = self.organizations.entry(organization.to_owned());
        (ours.or_default(), &mut self.user)
    }
}

impl Permit {
    /// The request was answered, with these limits.
    pub(crate) fn answered(mut self, limits: RateLimits) {
        self.is_open = false;
        let now = self.limiter.0.clock.now();
        self.limiter.settle(&self.organization, |ours, user| {
            ours.learn(limits.organization, now);
            user.learn(limits.user, now);
        });
    }

    /// The request was refused with 429. If the answer does not say for how long, the limit counts
    /// as used up for `fallback`.
    pub(crate) fn refused(mut self, limits: RateLimits, exceeded: &Exceeded, fallback: Duration) {
        self.is_open = false;
        let now = self.limiter.0.clock.now();
        let wait = exceeded
            .wait
            .map_or(fallback, |wait| wait + RESET_PRECISION);
        self.limiter.settle(&self.organization, |ours, user| {
            ours.learn(limits.organization, now);
            user.learn(limits.user, now);
            let window = if exceeded.is_user { user } else { ours };
            window.exhaust(now + wait);
        });
    }
}

impl Exceeded {
    pub(crate) fn limit(&self) -> Limit {
        if self.is_user {
            Limit::User
        } else {
            Limit::Organization
        }
    }
}

impl Drop for Permit {
    /// The server may have counted a request that it did not answer.
    fn drop(&mut self) {
        if self.is_open {
            self.limiter.settle(&self.organization, |ours, user| {
                ours.spend();
                user.spend();
            });
        }
    }
}

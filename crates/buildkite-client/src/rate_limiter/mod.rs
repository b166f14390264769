//! Spaces requests so that this process never exceeds a rate limit.
//!
//! One rate limiter serves everything that reads or writes with the same token at the same host.
//! It learns both limits from every answer and spends at once what the current window allows, less
//! a reserve for people and other tools. Then it waits until the binding window ends.

mod headers;
mod known_limit;
mod share;
#[cfg(test)]
mod simulation;
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
pub use share::Share;
pub(crate) use window::Limit;
use window::{Policy, RESET_PRECISION, Turn, Window};

/// What is known about the rate limits of one token at one host. Clients that share it count each
/// other's requests.
#[derive(Clone)]
pub struct RateLimiter(Arc<Shared>);

/// A reference to a [`RateLimiter`] that lives as long as some client uses it.
#[derive(Clone)]
pub struct WeakRateLimiter(Weak<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    organization_policy: Policy,
    user_policy: Policy,
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
    sent: Instant,
    is_open: bool,
}

impl RateLimiter {
    /// A rate limiter that leaves a share of the organization's limit to others, 0.0 to 0.9, and
    /// uses this reader's share of the rest.
    pub(crate) fn new(clock: Arc<dyn Clock>, reserve: f64, share: Option<Share>) -> Self {
        let policy = |limit, reserve| Policy {
            limit,
            reserve,
            share,
        };
        Self(Arc::new(Shared {
            clock,
            organization_policy: policy(Limit::Organization, reserve),
            user_policy: policy(Limit::User, 0.0),
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
            let now = self.0.clock.now();
            match self.take(organization, now) {
                Turn::Go => {
                    return Ok(Permit {
                        limiter: self.clone(),
                        organization: organization.to_owned(),
                        sent: now,
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
    fn take(&self, organization: &str, now: Instant) -> Turn {
        let mut windows = self.lock();
        let (ours, user) = windows.of(organization);
        let turn = ours
            .turn(now, &self.0.organization_policy)
            .and(user.turn(now, &self.0.user_policy));
        if turn == Turn::Go {
            ours.send(now);
            user.send(now);
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
        let ours = ours.and_then(|window| window.known(now, &self.0.organization_policy));
        let user = windows.user.known(now, &self.0.user_policy);
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
        let now = self.limiter.0.clock.now();
        self.close(now, limits, |_, _| {});
    }

    /// The request was refused with 429. If the answer does not say for how long, the limit counts
    /// as used up for `fallback`.
    pub(crate) fn refused(mut self, limits: RateLimits, exceeded: &Exceeded, fallback: Duration) {
        let now = self.limiter.0.clock.now();
        let wait = exceeded
            .wait
            .map_or(fallback, |wait| wait + RESET_PRECISION);
        self.close(now, limits, |ours, user| {
            let window = if exceeded.is_user { user } else { ours };
            window.exhaust(now + wait);
        });
    }

    fn close(
        &mut self,
        now: Instant,
        limits: RateLimits,
        then: impl FnOnce(&mut Window, &mut Window),
    ) {
        self.is_open = false;
        let (sent, shared) = (self.sent, &self.limiter.0);
        self.limiter.settle(&self.organization, |ours, user| {
            ours.learn(limits.organization, sent, now, &shared.organization_policy);
            user.learn(limits.user, sent, now, &shared.user_policy);
            then(ours, user);
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

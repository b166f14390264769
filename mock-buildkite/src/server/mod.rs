//! The server: the world behind a port.

mod answer;
mod body;
mod builder;
mod control;
mod corrupt;
mod cors;
mod fault;
mod headers;
mod http;
mod limits;
#[cfg(feature = "wiremock")]
mod mounted;
mod request;
mod respond;
mod storage;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;

pub use builder::{Builder, StartError};
pub(crate) use fault::Faults;
pub use fault::{Fault, When};
use http::HttpServer;
pub(crate) use limits::Limits;
pub use limits::{LimitHeaders, LimitScope};
#[cfg(feature = "wiremock")]
pub use mounted::FakeResponder;
pub use storage::SeenDownload;
use storage::StorageOrigin;

use crate::clock::{Clock, millis_of};
use crate::settings::Settings;
use crate::webhooks::{Outbox, SentWebhook, Webhook, WebhookFaults};
use crate::world::{DEMO_TOKEN, Token, World};

/// A running fake. It stops when it is dropped.
pub struct MockBuildkite {
    store: Shared,
    uri: String,
    storage_uri: String,
    _http: HttpServer,
}

/// A request that the fake has answered. It never holds the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// `GET`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query as it came, without `?`.
    pub query: String,
    /// The body as it came; empty if there was none.
    pub body: String,
    /// The status of the answer; 0 if the connection closed before the request was carried out.
    pub status: u16,
    /// True if the connection closed instead of an answer.
    pub is_lost: bool,
    /// True if no route matched.
    pub is_unknown: bool,
}

/// Called before each request with its number, counted from 1, and the world.
type Hook = Box<dyn FnMut(u64, &mut World) + Send>;

/// Everything behind the one lock.
pub(crate) struct Store {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    /// The settings and limits at the start.
    fresh: (Settings, Limits),
    /// The first world as JSON, to reset to it.
    initial: Option<String>,
    /// True if the clocks of worlds run.
    has_running_clock: bool,
    pub(crate) faults: Faults,
    pub(crate) outbox: Outbox,
    pub(crate) hook: Option<Hook>,
    pub(crate) count: u64,
    pub(crate) requests: Option<Vec<SeenRequest>>,
    /// How many of them are kept.
    most_requests: usize,
    pub(crate) base: String,
    /// The origin of addresses inside bodies.
    origin: String,
    /// Requests to the storage, unless recording is off.
    pub(crate) downloads: Option<Vec<SeenDownload>>,
    pub(crate) storage: StorageOrigin,
}

/// The store as the server and its handles share it.
pub(crate) type Shared = Arc<Mutex<Store>>;

pub(crate) fn lock(store: &Shared) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    fn new(world: World, settings: Settings, limits: Limits) -> Self {
        Self {
            world,
            fresh: (settings.clone(), limits.clone()),
            settings,
            limits,
            initial: None,
            has_running_clock: false,
            faults: Faults::default(),
            outbox: Outbox::default(),
            hook: None,
            count: 0,
            requests: None,
            most_requests: usize::MAX,
            base: String::new(),
            origin: String::new(),
            downloads: None,
            storage: StorageOrigin::default(),
        }
    }

    /// Starts over with another world.
    fn reset(&mut self, world: World) {
        self.world = world;
        self.world.set_origin(&self.origin);
        (self.settings, self.limits) = self.fresh.clone();
        self.faults = Faults::default();
        self.outbox = Outbox::default();
        self.hook = None;
        self.count = 0;
        if let Some(requests) = &mut self.requests {
            requests.clear();
        }
        if let Some(downloads) = &mut self.downloads {
            downloads.clear();
        }
        self.run_clock();
    }

    /// Lets a receiver hear of events from now on.
    fn add_webhook(&mut self, webhook: Webhook) {
        self.world.note_events();
        self.outbox.receivers.push(webhook);
    }

    fn run_clock(&mut self) {
        if self.has_running_clock {
            self.world.clock = Clock::running_from(self.world.now());
        }
    }
}

impl MockBuildkite {
    /// Starts on a free loopback port, without rate limits.
    ///
    /// # Panics
    /// If this machine has no free loopback port.
    pub async fn start(world: World) -> Self {
        let started = Self::builder(world).start().await;
        started.expect("a free loopback port")
    }

    /// Sets options before the start.
    pub fn builder(world: World) -> Builder {
        Builder::new(world)
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The base URL of the storage of artifacts: `http://localhost` and a port, unless the builder
    /// was given another.
    #[must_use]
    pub fn storage_uri(&self) -> &str {
        &self.storage_uri
    }

    /// All requests that the storage has answered, unless recording is off. No rate limit counts
    /// them, and they are not among [`requests`](Self::requests). Faults for `/storage/` hit them.
    #[must_use]
    pub fn downloads(&self) -> Vec<SeenDownload> {
        lock(&self.store).downloads.clone().unwrap_or_default()
    }

    /// The token that every world knows.
    #[must_use]
    pub fn token(&self) -> &'static str {
        DEMO_TOKEN
    }

    /// Sends the world's events to a receiver from now on. Deliveries are sent in the background,
    /// within some milliseconds.
    ///
    /// Services that `POST …/services` creates or changes are sent to without this.
    pub fn add_webhook(&self, webhook: Webhook) {
        lock(&self.store).add_webhook(webhook);
    }

    /// Sends events to the notification services that the world has already.
    pub fn send_webhooks(&self) {
        lock(&self.store).world.note_events();
    }

    /// Sets what goes wrong with webhooks.
    pub fn set_webhook_faults(&self, faults: WebhookFaults) {
        lock(&self.store).outbox.set_faults(faults);
    }

    /// The webhooks that were sent so far, or lost.
    #[must_use]
    pub fn sent_webhooks(&self) -> Vec<SentWebhook> {
        lock(&self.store).outbox.sent.clone()
    }

    /// Reads or changes the world, once it has caught up with its clock.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let world = &mut lock(&self.store).world;
        world.catch_up();
        act(world)
    }

    /// Adds a token, or replaces the one with the same secret.
    pub fn add_token(&self, token: Token) {
        self.with_world(|world| world.add_token(token));
    }

    /// The clock, to move it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.with_world(|world| world.clock.clone())
    }

    /// Breaks the next answer.
    pub fn fail_next(&self, fault: Fault) {
        self.fail(fault, 1, "");
    }

    /// Breaks the next `times` answers to requests whose path contains `path`.
    pub fn fail(&self, fault: Fault, times: u32, path: &str) {
        self.fail_when(fault, When::next().path(path).times(times));
    }

    /// Breaks the answers to certain requests: by method, by path, or by chance.
    pub fn fail_when(&self, fault: Fault, when: When) {
        lock(&self.store).faults.push(fault, when);
    }

    /// Clears all queued faults.
    pub fn clear_faults(&self) {
        lock(&self.store).faults = Faults::default();
    }

    /// Calls `hook` before each request with its number, counted from 1. A hook can create or
    /// change a build exactly between two pages.
    pub fn on_request(&self, hook: impl FnMut(u64, &mut World) + Send + 'static) {
        lock(&self.store).hook = Some(Box::new(hook));
    }

    /// Sets how far the `Date` header is ahead of the world's clock, or behind it.
    pub fn set_date_skew(&self, skew: TimeDelta) {
        lock(&self.store).settings.date_skew = skew;
    }

    /// Sets how long after its creation the filter `meta_data` does not find a build, by the
    /// world's clock.
    pub fn set_meta_data_delay(&self, delay: Duration) {
        lock(&self.store).settings.meta_data_delay = millis_of(delay);
    }

    /// Serves another world, as if the fake had just started with it: no recorded requests, no
    /// faults, no hook, unused limits, and the settings of the builder.
    ///
    /// The address, the token and open connections stay. A [`clock`](Self::clock) taken before
    /// belongs to the old world.
    pub fn reset(&self, world: World) {
        lock(&self.store).reset(world);
    }

    /// All requests answered so far, unless recording is off.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.store).requests.clone().unwrap_or_default()
    }

    /// The recorded requests that write: neither `GET` nor `HEAD`.
    #[must_use]
    pub fn write_requests(&self) -> Vec<SeenRequest> {
        let mut requests = self.requests();
        requests.retain(|request| !matches!(request.method.as_str(), "GET" | "HEAD"));
        requests
    }

    /// The recorded requests without a route. A test of a client expects none.
    #[must_use]
    pub fn unknown_requests(&self) -> Vec<SeenRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.is_unknown);
        requests
    }
}

//! The server: the world behind a port.
//!
//! wiremock speaks HTTP and hands each request to one responder; a small TCP front stands before
//! it, because a connection that breaks in the middle of a body is nothing that an HTTP server
//! does by itself.

mod builder;
mod fault;
mod front;
mod limits;
mod responder;
mod spoil;
mod storage;
mod template;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use wiremock::MockServer;

pub(crate) use builder::Settings;
pub use builder::{Builder, LinkStyle, StartError};
pub(crate) use fault::Faults;
pub use fault::{Fault, When};
use front::Front;
pub(crate) use limits::Limits;
pub use limits::{LimitHeaders, LimitScope};
pub use storage::SeenDownload;

use crate::clock::{Clock, millis_of};
use crate::world::{DEMO_TOKEN, Token, World};

/// A running fake. It stops when it is dropped.
pub struct MockBuildkite {
    store: Shared,
    uri: String,
    storage_uri: String,
    _front: Front,
    _server: Upstream,
}

/// The HTTP server behind the front.
struct Upstream(Option<MockServer>);

impl Drop for Upstream {
    fn drop(&mut self) {
        let server = self.0.take();
        // wiremock waits for a lock of tokio here, which is never granted within a task that has
        // used up its share of one turn: so it waits on a thread without a task.
        let ended = thread::spawn(move || drop(server)).join();
        // How it ended no longer matters to anybody.
        drop(ended);
    }
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
    /// The status answered; 0 if the connection was closed before anything was done.
    pub status: u16,
    /// True if the connection was closed in place of the answer.
    pub is_lost: bool,
    /// True if no route matched.
    pub is_unknown: bool,
}

/// Called before each request with its number, from 1, and the world.
type Hook = Box<dyn FnMut(u64, &mut World) + Send>;

/// Everything behind the one lock.
pub(crate) struct Store {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    /// The settings and limits of the start.
    fresh: (Settings, Limits),
    /// True if the clock of each world runs.
    has_running_clock: bool,
    pub(crate) faults: Faults,
    pub(crate) hook: Option<Hook>,
    pub(crate) count: u64,
    pub(crate) requests: Option<Vec<SeenRequest>>,
    pub(crate) base: String,
    /// Requests to the storage, unless recording is off.
    pub(crate) downloads: Option<Vec<SeenDownload>>,
    /// The base of the storage.
    pub(crate) storage: String,
}

impl Store {
    fn new(world: World, settings: Settings, limits: Limits) -> Self {
        Self {
            world,
            fresh: (settings.clone(), limits.clone()),
            settings,
            limits,
            has_running_clock: false,
            faults: Faults::default(),
            hook: None,
            count: 0,
            requests: None,
            base: String::new(),
            downloads: None,
            storage: String::new(),
        }
    }

    /// Begins again with another world.
    fn reset(&mut self, world: World) {
        self.world = world;
        (self.settings, self.limits) = self.fresh.clone();
        self.faults = Faults::default();
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

    fn run_clock(&mut self) {
        if self.has_running_clock {
            self.world.clock = Clock::running_from(self.world.now());
        }
    }
}

pub(crate) type Shared = Arc<Mutex<Store>>;

pub(crate) fn lock(store: &Shared) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// To set more before the start.
    pub fn builder(world: World) -> Builder {
        Builder::new(world)
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The base URL of the storage of artifacts: another origin on this machine.
    #[must_use]
    pub fn storage_uri(&self) -> &str {
        &self.storage_uri
    }

    /// All requests that the storage has answered, unless recording is off. They count for no
    /// limit and are not among [`requests`](Self::requests); faults for `/storage/` break them.
    #[must_use]
    pub fn downloads(&self) -> Vec<SeenDownload> {
        lock(&self.store).downloads.clone().unwrap_or_default()
    }

    /// The token that every world knows.
    #[must_use]
    pub fn token(&self) -> &'static str {
        DEMO_TOKEN
    }

    /// Looks into the world as it is by its clock, or changes it.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let world = &mut lock(&self.store).world;
        world.catch_up();
        act(world)
    }

    /// Lets a token in, in the place of one with the same secret.
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

    /// Breaks the next answers, so many, whose path holds `path`.
    pub fn fail(&self, fault: Fault, times: u32, path: &str) {
        self.fail_when(fault, When::next().path(path).times(times));
    }

    /// Breaks the answers to certain requests: some methods only, or by chance.
    pub fn fail_when(&self, fault: Fault, when: When) {
        lock(&self.store).faults.push(fault, when);
    }

    /// Takes back all faults that are still to come.
    pub fn heal(&self) {
        lock(&self.store).faults = Faults::default();
    }

    /// Calls `hook` before each request, with its number, from 1: so a build is created or changed
    /// exactly between two pages.
    pub fn on_request(&self, hook: impl FnMut(u64, &mut World) + Send + 'static) {
        lock(&self.store).hook = Some(Box::new(hook));
    }

    /// Lets the `Date` header be so far ahead of the world's clock from now on, or behind it.
    pub fn set_date_skew(&self, skew: TimeDelta) {
        lock(&self.store).settings.date_skew = skew;
    }

    /// Lets the filter `meta_data` find builds only so long after their creation from now on, by
    /// the world's clock.
    pub fn set_meta_data_delay(&self, delay: Duration) {
        lock(&self.store).settings.meta_data_delay = millis_of(delay);
    }

    /// Serves another world from now on, as if the fake had just been started with it: without
    /// requests, faults or a hook from before, all limits unused, the `Date` as it was built.
    ///
    /// Address and token stay, and so do connections. A [`clock`](Self::clock) from before
    /// belongs to the old world.
    pub fn reset(&self, world: World) {
        lock(&self.store).reset(world);
    }

    /// All requests answered so far, unless recording is off.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.store).requests.clone().unwrap_or_default()
    }

    /// The requests among them that were to change something: neither `GET` nor `HEAD`.
    #[must_use]
    pub fn write_requests(&self) -> Vec<SeenRequest> {
        let mut requests = self.requests();
        requests.retain(|request| !matches!(request.method.as_str(), "GET" | "HEAD"));
        requests
    }

    /// Requests for which there is no route: a test of a client expects none.
    #[must_use]
    pub fn unknown_requests(&self) -> Vec<SeenRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.is_unknown);
        requests
    }
}

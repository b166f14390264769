//! The server: the world behind a port.
//!
//! wiremock speaks HTTP and hands each request to one responder; a small TCP front stands before
//! it, because a connection that breaks in the middle of a body is nothing that an HTTP server
//! does by itself.

mod fault;
mod front;
mod limits;
mod responder;
mod spoil;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

pub use fault::Fault;
pub(crate) use fault::Faults;
use front::Front;
pub(crate) use limits::Limits;
pub use limits::{LimitHeaders, LimitScope};
use responder::Responder;

use crate::clock::Clock;
use crate::world::{DEMO_TOKEN, Token, World};

/// A running fake. It stops when it is dropped.
pub struct MockBuildkite {
    store: Shared,
    uri: String,
    _front: Front,
    _server: MockServer,
}

/// How the fake is set up.
#[must_use]
pub struct Builder {
    world: World,
    port: u16,
    settings: Settings,
    limits: Limits,
    records_requests: bool,
    real_clock: bool,
}

/// What routes need to know besides the world.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) link_style: LinkStyle,
    pub(crate) deep_page_limit: usize,
    /// Limit, used and seconds to the reset of the organization asked about.
    pub(crate) organization_usage: (u32, u32, u32),
}

/// The `Link` header of a list that fits on one page; both were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStyle {
    /// No header.
    Absent,
    /// A header without a value.
    Empty,
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
    /// The status answered.
    pub status: u16,
    /// True if no route matched.
    pub is_unknown: bool,
}

/// The fake could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on 127.0.0.1:{port}: {source}")]
pub struct StartError {
    port: u16,
    source: std::io::Error,
}

/// Called before each request with its number, from 1, and the world.
type Hook = Box<dyn FnMut(u64, &mut World) + Send>;

/// Everything behind the one lock.
pub(crate) struct Store {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) hook: Option<Hook>,
    pub(crate) count: u64,
    pub(crate) requests: Option<Vec<SeenRequest>>,
    pub(crate) base: String,
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
        Builder {
            world,
            port: 0,
            settings: Settings {
                link_style: LinkStyle::Absent,
                deep_page_limit: 10_000,
                organization_usage: (0, 0, 0),
            },
            limits: Limits::default(),
            records_requests: true,
            real_clock: false,
        }
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The token that every world knows.
    #[must_use]
    pub fn token(&self) -> &'static str {
        DEMO_TOKEN
    }

    /// Looks into the world, or changes it.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut lock(&self.store).world)
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
        lock(&self.store).faults.push(fault, times, path);
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

    /// All requests answered so far, unless recording is off.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.store).requests.clone().unwrap_or_default()
    }

    /// Requests for which there is no route: a test of a client expects none.
    #[must_use]
    pub fn unknown_requests(&self) -> Vec<SeenRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.is_unknown);
        requests
    }
}

impl Builder {
    /// Listens on this port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Requests a window for each user. Default: no limit that would be reached.
    pub fn rate_limit_user(mut self, requests: u32) -> Self {
        self.limits.user = requests;
        self
    }

    /// Requests a window for each organization. Default: no limit that would be reached.
    pub fn rate_limit_organization(mut self, requests: u32) -> Self {
        self.limits.organization = requests;
        self
    }

    /// Length of the windows, in whole seconds. Default: 60 s.
    pub fn rate_limit_window(mut self, window: Duration) -> Self {
        self.limits.set_window(window);
        self
    }

    /// Which rate limit headers answers carry. Default: both sets.
    pub fn limit_headers(mut self, headers: LimitHeaders) -> Self {
        self.limits.headers = headers;
        self
    }

    /// Sends `Retry-After` with 429. Default: not.
    pub fn retry_after(mut self, sends: bool) -> Self {
        self.limits.sends_retry_after = sends;
        self
    }

    /// The `Link` header of a list that fits on one page. Default: absent.
    pub fn link_style(mut self, style: LinkStyle) -> Self {
        self.settings.link_style = style;
        self
    }

    /// Build lists refuse pages from this offset on. Default: 10,000 builds.
    pub fn deep_page_limit(mut self, builds: usize) -> Self {
        self.settings.deep_page_limit = builds;
        self
    }

    /// Remembers requests. Default: yes; a program that runs for long turns it off.
    pub fn record_requests(mut self, records: bool) -> Self {
        self.records_requests = records;
        self
    }

    /// Lets the world's clock run on from where it stands. Default: it stands still.
    pub fn running_clock(mut self) -> Self {
        self.real_clock = true;
        self
    }

    /// Starts.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(mut self) -> Result<MockBuildkite, StartError> {
        let port = self.port;
        let failed = |source| StartError { port, source };
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if self.real_clock {
            self.world.clock = Clock::running_from(self.world.now());
        }
        let store = Arc::new(Mutex::new(Store {
            world: self.world,
            settings: self.settings,
            limits: self.limits,
            faults: Faults::default(),
            hook: None,
            count: 0,
            requests: self.records_requests.then(Vec::new),
            base: format!("http://{address}"),
        }));
        let server = MockServer::builder()
            .disable_request_recording()
            .start()
            .await;
        let responder = Responder::new(Arc::clone(&store));
        Mock::given(any())
            .respond_with(responder)
            .mount(&server)
            .await;
        let front = Front::start(listener, *server.address()).map_err(failed)?;
        Ok(MockBuildkite {
            store,
            uri: format!("http://{address}"),
            _front: front,
            _server: server,
        })
    }
}

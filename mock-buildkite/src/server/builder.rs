//! How a fake is set up, and its start.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use super::front::Front;
use super::responder::Responder;
use super::{LimitHeaders, Limits, MockBuildkite, Store, Upstream};
use crate::clock::millis_of;
use crate::world::World;

/// How the fake is set up.
#[must_use]
pub struct Builder {
    world: World,
    port: u16,
    settings: Settings,
    limits: Limits,
    records_requests: bool,
    has_running_clock: bool,
}

/// What routes need to know besides the world.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) link_style: LinkStyle,
    pub(crate) has_last_link: bool,
    pub(crate) deep_page_limit: usize,
    pub(crate) max_per_page: usize,
    /// Lists that are not said to be paged are.
    pub(crate) pages_plain_lists: bool,
    /// Times of build lists lose what is finer than a second.
    pub(crate) cuts_to_seconds: bool,
    /// Neighbours in build lists change places.
    pub(crate) is_disordered: bool,
    pub(crate) has_date: bool,
    /// How far the `Date` header is ahead of the clock.
    pub(crate) date_skew: TimeDelta,
    /// Milliseconds after its creation in which `meta_data` does not find a build.
    pub(crate) meta_data_delay: i64,
    /// The filter `meta_data` shows all builds.
    pub(crate) ignores_meta_data: bool,
    /// Limit, used and seconds to the reset of the organization asked about.
    pub(crate) organization_usage: (u32, u32, u32),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            link_style: LinkStyle::Absent,
            has_last_link: true,
            deep_page_limit: 10_000,
            max_per_page: 100,
            pages_plain_lists: false,
            cuts_to_seconds: false,
            is_disordered: false,
            has_date: true,
            date_skew: TimeDelta::zero(),
            meta_data_delay: 0,
            ignores_meta_data: false,
            organization_usage: (0, 0, 0),
        }
    }
}

/// The `Link` header of a list that fits on one page; both were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStyle {
    /// No header.
    Absent,
    /// A header without a value.
    Empty,
}

/// The fake could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on 127.0.0.1:{port}: {source}")]
pub struct StartError {
    port: u16,
    source: std::io::Error,
}

impl Builder {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            port: 0,
            settings: Settings::default(),
            limits: Limits::default(),
            records_requests: true,
            has_running_clock: false,
        }
    }

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

    /// Lists never name their last page. Default: they do.
    pub fn without_last_link(mut self) -> Self {
        self.settings.has_last_link = false;
        self
    }

    /// Build lists cut `created_from`, `created_to` and `finished_from` to whole seconds, while
    /// builds keep their milliseconds. Default: not.
    pub fn lists_are_cut_to_seconds(mut self) -> Self {
        self.settings.cuts_to_seconds = true;
        self
    }

    /// Build lists are not strictly ordered: the first build changes places with the second, the
    /// third with the fourth, and so on, whatever the pages. Default: newest first.
    pub fn disordered_lists(mut self) -> Self {
        self.settings.is_disordered = true;
        self
    }

    /// The `Date` header is so far ahead of the world's clock, or behind it. Default: zero.
    pub fn date_skew(mut self, skew: TimeDelta) -> Self {
        self.settings.date_skew = skew;
        self
    }

    /// Answers have no `Date` header. Default: they have one.
    pub fn without_date(mut self) -> Self {
        self.settings.has_date = false;
        self
    }

    /// The filter `meta_data` filters nothing, as an unknown key of a query does.
    pub fn without_meta_data_filter(mut self) -> Self {
        self.settings.ignores_meta_data = true;
        self
    }

    /// The filter `meta_data` finds a build only so long after its creation, by the world's clock;
    /// all other lists show it at once. Default: at once.
    pub fn meta_data_delay(mut self, delay: Duration) -> Self {
        self.settings.meta_data_delay = millis_of(delay);
        self
    }

    /// Build lists refuse pages from this offset on. Default: 10,000 builds.
    pub fn deep_page_limit(mut self, builds: usize) -> Self {
        self.settings.deep_page_limit = builds;
        self
    }

    /// The most items that a page holds, whatever is asked for: small pages make a small world
    /// one of many pages. Default: 100.
    pub fn max_per_page(mut self, items: usize) -> Self {
        self.settings.max_per_page = items.max(1);
        self
    }

    /// Pages the lists of which the documentation does not say whether they are paged: members,
    /// teams' members and suites, templates, maintainers, registries and their tokens, muted,
    /// skipped and flaky tests. Default: they come whole.
    pub fn pages_plain_lists(mut self) -> Self {
        self.settings.pages_plain_lists = true;
        self
    }

    /// Remembers requests. Default: yes; a program that runs for long turns it off.
    pub fn record_requests(mut self, records: bool) -> Self {
        self.records_requests = records;
        self
    }

    /// Lets the world's clock run on from where it stands. Default: it stands still.
    pub fn running_clock(mut self) -> Self {
        self.has_running_clock = true;
        self
    }

    /// Starts.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(self) -> Result<MockBuildkite, StartError> {
        let port = self.port;
        let failed = |source| StartError { port, source };
        let listen = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let api = listen(port).map_err(failed)?;
        let storage = listen(0).map_err(failed)?;
        let uri = |listener: &TcpListener| {
            let address = listener.local_addr().map_err(failed)?;
            Ok(format!("http://{address}"))
        };
        let (uri, storage_uri) = (uri(&api)?, uri(&storage)?);
        let store = Arc::new(Mutex::new(self.into_store(&uri, &storage_uri)));
        let server = MockServer::builder()
            .disable_request_recording()
            .start()
            .await;
        let responder = Responder::new(Arc::clone(&store));
        Mock::given(any())
            .respond_with(responder)
            .mount(&server)
            .await;
        let front = Front::start([api, storage], *server.address()).map_err(failed)?;
        Ok(MockBuildkite {
            store,
            uri,
            storage_uri,
            _front: front,
            _server: Upstream(Some(server)),
        })
    }

    fn into_store(self, uri: &str, storage_uri: &str) -> Store {
        let mut store = Store::new(self.world, self.settings, self.limits);
        store.has_running_clock = self.has_running_clock;
        store.run_clock();
        store.requests = self.records_requests.then(Vec::new);
        store.downloads = self.records_requests.then(Vec::new);
        uri.clone_into(&mut store.base);
        storage_uri.clone_into(&mut store.storage);
        store
    }
}

//! The options of a fake, and its start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;

use super::http::HttpServer;
use super::request::Host;
use super::storage::StorageOrigin;
use super::{LimitHeaders, Limits, MockBuildkite, Store};
use crate::clock::millis_of;
use crate::settings::{LinkStyle, Settings};
use crate::world::World;

/// The options of a fake.
#[must_use]
pub struct Builder {
    world: World,
    address: IpAddr,
    port: u16,
    storage_port: u16,
    storage_origin: Option<String>,
    settings: Settings,
    limits: Limits,
    records_requests: bool,
    has_running_clock: bool,
    origin: Option<String>,
    can_reset: bool,
    most_requests: usize,
}

/// The fake could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct StartError {
    address: SocketAddr,
    source: std::io::Error,
}

impl Builder {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            storage_port: 0,
            storage_origin: None,
            settings: Settings::default(),
            limits: Limits::default(),
            records_requests: true,
            has_running_clock: false,
            origin: None,
            can_reset: false,
            most_requests: usize::MAX,
        }
    }

    /// Listens on this address of the machine. Default: 127.0.0.1. Everybody who can reach another
    /// address can use the fake, [control surface](MockBuildkite#control-surface) included.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Serves the storage of artifacts on this port; 0, the default, takes a free one.
    pub fn storage_port(mut self, port: u16) -> Self {
        self.storage_port = port;
        self
    }

    /// The origin of the storage in redirects. Default: `http://localhost` with its port, or
    /// `http://127.0.0.1` for who calls the API by the name `localhost`: its host name differs from
    /// that of the API, so that clients drop the token on the way.
    pub fn storage_origin(mut self, origin: &str) -> Self {
        self.storage_origin = Some(origin.trim_end_matches('/').to_owned());
        self
    }

    /// Listens on this port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Requests per window and user. Default: a million.
    pub fn rate_limit_user(mut self, requests: u32) -> Self {
        self.limits.user = requests;
        self
    }

    /// Requests per window and organization. Default: a million.
    pub fn rate_limit_organization(mut self, requests: u32) -> Self {
        self.limits.organization = requests;
        self
    }

    /// Length of the windows in whole seconds, at least one. Default: 60 s.
    pub fn rate_limit_window(mut self, window: Duration) -> Self {
        self.limits.set_window(window);
        self
    }

    /// Which rate limit headers answers carry. Default: both sets.
    pub fn limit_headers(mut self, headers: LimitHeaders) -> Self {
        self.limits.headers = headers;
        self
    }

    /// Whether 429 carries `Retry-After`. Default: no.
    pub fn retry_after(mut self, sends: bool) -> Self {
        self.limits.sends_retry_after = sends;
        self
    }

    /// The `Link` header of a list that fits on one page. Default: absent.
    pub fn link_style(mut self, style: LinkStyle) -> Self {
        self.settings.link_style = style;
        self
    }

    /// Lists have no link to their last page. Default: they have one.
    pub fn without_last_link(mut self) -> Self {
        self.settings.has_last_link = false;
        self
    }

    /// Build lists round `created_from`, `created_to` and `finished_from` down to whole seconds,
    /// while builds keep their milliseconds. Default: they do not.
    pub fn lists_are_cut_to_seconds(mut self) -> Self {
        self.settings.cuts_to_seconds = true;
        self
    }

    /// Build lists are not strictly ordered: the first build is swapped with the second, the third
    /// with the fourth, and so on across pages. Default: newest first.
    pub fn disordered_lists(mut self) -> Self {
        self.settings.is_disordered = true;
        self
    }

    /// How far the `Date` header is ahead of the world's clock, or behind it. Default: zero.
    pub fn date_skew(mut self, skew: TimeDelta) -> Self {
        self.settings.date_skew = skew;
        self
    }

    /// Answers have no `Date` header. Default: they have one.
    pub fn without_date(mut self) -> Self {
        self.settings.has_date = false;
        self
    }

    /// The filter `meta_data` is ignored, as unknown query keys are.
    pub fn without_meta_data_filter(mut self) -> Self {
        self.settings.ignores_meta_data = true;
        self
    }

    /// How long after its creation the filter `meta_data` does not find a build, by the world's
    /// clock. Other lists show it at once. Default: zero.
    pub fn meta_data_delay(mut self, delay: Duration) -> Self {
        self.settings.meta_data_delay = millis_of(delay);
        self
    }

    /// The offset from which on build lists refuse pages. Default: 10,000 builds.
    pub fn deep_page_limit(mut self, builds: usize) -> Self {
        self.settings.deep_page_limit = builds;
        self
    }

    /// The most items per page, whatever `per_page` says. A small number gives a small world many
    /// pages. Default: 100.
    pub fn max_per_page(mut self, items: usize) -> Self {
        self.settings.max_per_page = items.max(1);
        self
    }

    /// Pages the lists whose paging the documentation leaves open: organization members, team
    /// members, team suites, pipeline templates, cluster maintainers, registries, registry tokens,
    /// and muted, skipped and flaky tests. Default: they come whole.
    pub fn pages_plain_lists(mut self) -> Self {
        self.settings.pages_plain_lists = true;
        self
    }

    /// The origin of the API in the addresses inside bodies: `https://api.buildkite.com` lets rows
    /// stay the same whatever the port. Links between pages always lead to this server. Default:
    /// the address of this server.
    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.trim_end_matches('/').to_owned());
        self
    }

    /// Keeps a copy of the first world, for `POST /__mock/reset`. Default: no copy.
    pub fn resettable(mut self) -> Self {
        self.can_reset = true;
        self
    }

    /// Whether requests are recorded. Default: yes. A long-running program turns it off.
    pub fn record_requests(mut self, records: bool) -> Self {
        self.records_requests = records;
        self
    }

    /// Records about this many of the latest requests. Default: all.
    pub fn record_last(mut self, requests: usize) -> Self {
        self.most_requests = requests.max(1);
        self
    }

    /// Makes the world's clock run from its present time. Default: it stands still.
    pub fn running_clock(mut self) -> Self {
        self.has_running_clock = true;
        self
    }

    /// Starts.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(mut self) -> Result<MockBuildkite, StartError> {
        let address = self.address;
        let api = listen(SocketAddr::new(address, self.port))?;
        let storage = listen(SocketAddr::new(address, self.storage_port))?;
        let storage_origin = StorageOrigin::new(port(&storage)?, self.storage_origin.take());
        let shown = if address.is_unspecified() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            address
        };
        let uri = format!("http://{}", SocketAddr::new(shown, port(&api)?));
        let storage_uri = storage_origin.default_origin().to_owned();
        // Some machines take `localhost` for the IPv6 address. Where there is none, nobody asks it.
        let alias = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port(&storage)?);
        let alias = TcpListener::bind(alias).ok();
        let mut listeners = vec![(api, Host::Api), (storage, Host::Storage)];
        listeners.extend(alias.map(|listener| (listener, Host::Storage)));
        let store = Arc::new(Mutex::new(self.into_store(&uri, storage_origin)));
        let failed = |source| StartError {
            address: SocketAddr::new(address, 0),
            source,
        };
        let http = HttpServer::start(listeners, &store).map_err(failed)?;
        Ok(MockBuildkite {
            store,
            uri,
            storage_uri,
            _http: http,
        })
    }

    fn into_store(self, uri: &str, storage: StorageOrigin) -> Store {
        let mut store = Store::new(self.world, self.settings, self.limits);
        store.initial = self.can_reset.then(|| store.world.save());
        store.has_running_clock = self.has_running_clock;
        store.run_clock();
        store.requests = self.records_requests.then(Vec::new);
        store.downloads = self.records_requests.then(Vec::new);
        store.most_requests = self.most_requests;
        store.origin = self.origin.unwrap_or_else(|| uri.to_owned());
        store.world.set_origin(&store.origin);
        uri.clone_into(&mut store.base);
        store.storage = storage;
        store
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError { address, source })
}

fn port(listener: &TcpListener) -> Result<u16, StartError> {
    let unknown = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    let failed = |source| StartError {
        address: unknown,
        source,
    };
    Ok(listener.local_addr().map_err(failed)?.port())
}

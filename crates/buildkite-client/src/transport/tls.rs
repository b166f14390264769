//! The HTTP client below: TLS, proxies, timeouts and the headers that every request has.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, ClientBuilder, redirect};

use crate::base_url::BaseUrl;
use crate::error::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const AGENT: &str = concat!("buildkite-connector/", env!("CARGO_PKG_VERSION"));

/// # Errors
/// [`Error::Setup`].
pub(super) fn client(base: &BaseUrl, read_timeout: Duration) -> Result<Client> {
    install_provider();
    builder(base)
        .default_headers(headers())
        .redirect(redirect::Policy::none())
        // `body.rs` decompresses.
        .no_gzip()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout)
        .build()
        .map_err(|error| Error::Setup(error.without_url().to_string()))
}

fn builder(base: &BaseUrl) -> ClientBuilder {
    if base.is_loopback() {
        // A proxy would carry the token, unencrypted, off this machine.
        Client::builder().no_proxy()
    } else {
        Client::builder()
    }
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        (USER_AGENT, HeaderValue::from_static(AGENT)),
    ])
}

fn install_provider() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // The error means that the program has chosen a provider already, which is as good.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
    });
}

//! The HTTP client below: certificates, proxies, timeouts and the headers that every request has.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, ClientBuilder, redirect};
use url::Url;

use super::failure::explain;
use super::proxy;
use crate::base_url::BaseUrl;
use crate::error::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const AGENT: &str = concat!("buildkite-connector/", env!("CARGO_PKG_VERSION"));
const INSTALL_CERTIFICATES: &str = "install the package ca-certificates, or name a file with \
                                    certificates in SSL_CERT_FILE";

/// The HTTP client, which may be unable to speak https.
pub(super) struct HttpClient {
    client: Client,
    /// Why no certificate can be checked.
    no_certificates: Option<String>,
}

impl HttpClient {
    /// # Errors
    /// [`Error::Proxy`] or [`Error::Setup`].
    pub(super) fn new(base: &BaseUrl, read_timeout: Duration) -> Result<Self> {
        install_provider();
        if !base.is_loopback() {
            // The HTTP library reads these variables, too, and hides their mistakes.
            proxy::check(|name| std::env::var_os(name))?;
        }
        match builder(base, read_timeout).build() {
            Ok(client) => Ok(Self {
                client,
                no_certificates: None,
            }),
            Err(error) => Self::without_certificates(base, read_timeout, explain(&error)),
        }
    }

    /// A machine without CA certificates can still use http on this machine.
    fn without_certificates(
        base: &BaseUrl,
        read_timeout: Duration,
        reason: String,
    ) -> Result<Self> {
        match builder(base, read_timeout).tls_certs_only([]).build() {
            Ok(client) => Ok(Self {
                client,
                no_certificates: Some(reason),
            }),
            // The certificates are not the problem.
            Err(_) => Err(Error::Setup(reason)),
        }
    }

    /// The client for a request to `url`.
    ///
    /// # Errors
    /// [`Error::Unreachable`] for https if no certificate can be checked. `path` is that of the
    /// request that the caller made.
    pub(super) fn client_for(&self, url: &Url, path: &str) -> Result<&Client> {
        match &self.no_certificates {
            Some(cause) if url.scheme() == "https" => Err(Error::Unreachable {
                path: path.to_owned(),
                reason: format!("the server's certificate cannot be checked: {cause}"),
                remedy: INSTALL_CERTIFICATES,
            }),
            _ => Ok(&self.client),
        }
    }
}

fn builder(base: &BaseUrl, read_timeout: Duration) -> ClientBuilder {
    let builder = Client::builder()
        .default_headers(headers())
        .redirect(redirect::Policy::none())
        // `body.rs` decompresses.
        .no_gzip()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout);
    if base.is_loopback() {
        // A proxy would carry the token, unencrypted, off this machine.
        builder.no_proxy()
    } else {
        builder
    }
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([
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

//! The client: what its calls share, and how a read is repeated.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::error::{Error, Fault, Result};
use crate::observer::Observer;
use crate::options::Options;
use crate::rate_limiter::{KnownLimit, RateLimiter};
use crate::retry::Attempts;
use crate::transport::{Answer, CHECK_SERVER, Content, Failure, NOT_THE_API, Request, Transport};

/// The header of dated API versions.
const VERSION: HeaderName = HeaderName::from_static("buildkite-version");

/// Talks to Buildkite's REST API. Clones share one connection pool and one rate limiter.
#[derive(Clone)]
pub struct Client {
    pub(crate) transport: Arc<Transport>,
    observer: Observer,
    /// How many requests may be in flight.
    slots: Arc<Semaphore>,
    /// Sent with each request, in addition to those that all requests have.
    headers: HeaderMap,
    /// What answers have to be.
    expects: Content,
    /// Whether a connection that cannot be made is tried again.
    retries_connections: bool,
}

impl Client {
    /// Checks the options. Sends nothing.
    ///
    /// # Errors
    /// [`Error::BaseUrl`], [`Error::Token`], [`Error::PrivateKey`], [`Error::Proxy`] or
    /// [`Error::Setup`].
    pub fn new(options: Options) -> Result<Self> {
        let slots = Arc::new(Semaphore::new(options.max_concurrency.max(1)));
        Ok(Self {
            transport: Arc::new(Transport::new(options)?),
            observer: Arc::new(|_| {}),
            slots,
            headers: HeaderMap::new(),
            expects: Content::Json,
            retries_connections: true,
        })
    }

    /// The same client, reporting to another observer.
    #[must_use]
    pub fn with_observer(&self, observer: Observer) -> Self {
        Self {
            observer,
            ..self.clone()
        }
    }

    /// The same client with its own limit of `at_once` requests in flight, 1 or more. Use it for
    /// requests that other requests of this client wait for.
    #[must_use]
    pub fn with_own_slots(&self, at_once: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(at_once.max(1))),
            ..self.clone()
        }
    }

    /// The same client, which reports a connection that cannot be made at once instead of retrying:
    /// [`Error::Unreachable`]. For calls that somebody waits for, such as a check of the settings.
    #[must_use]
    pub fn without_connection_retries(&self) -> Self {
        Self {
            retries_connections: false,
            ..self.clone()
        }
    }

    /// The same client, requesting a dated version of the API, `YYYY-MM-DD`. Some endpoints have
    /// several (API facts 18).
    #[must_use]
    pub fn with_version(&self, version: &'static str) -> Self {
        self.with_header(VERSION, HeaderValue::from_static(version))
    }

    pub(crate) fn with_header(&self, name: HeaderName, value: HeaderValue) -> Self {
        let mut client = self.clone();
        client.headers.insert(name, value);
        client
    }

    pub(crate) fn expecting(&self, expects: Content) -> Self {
        Self {
            expects,
            ..self.clone()
        }
    }

    /// The rate limiter of this client, to share with another one that has the same token.
    pub fn rate_limiter(&self) -> RateLimiter {
        self.transport.rate_limiter.clone()
    }

    /// What is known about the rate limits that requests about an organization count towards.
    /// Empty before the first answer.
    pub fn limits(&self, organization: &str) -> Vec<KnownLimit> {
        self.transport.rate_limiter.limits(organization)
    }

    /// The URL of a path below the base URL, with query pairs.
    pub(crate) fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.transport.base.join(segments.iter().copied());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// A request without a body.
    pub(crate) fn request(&self, method: Method, url: Url) -> Request {
        Request {
            method,
            url,
            headers: self.headers.clone(),
            expects: self.expects,
            body: None,
        }
    }

    /// Sends one GET when a slot and the rate limits allow it.
    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, Failure> {
        self.send(self.request(Method::GET, url.clone())).await
    }

    /// Sends one request when a slot and the rate limits allow it. It runs in its own task, since
    /// others may wait for what it takes from the limits while nobody polls this call.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.expect("the semaphore is never closed");
        let (transport, observer) = (Arc::clone(&self.transport), self.observer.clone());
        let path = request.url.path().to_owned();
        let call = tokio::spawn(async move { transport.call(&request, &observer, slot).await });
        let answer = AbortOnDropHandle::new(call).await;
        answer.unwrap_or_else(|_| {
            let reason = format!("the request for {path} was stopped inside this program");
            Err(Fault::Broken(reason).into())
        })
    }

    /// Repeats a read until it succeeds, fails for good or the retry budget is spent.
    pub(crate) async fn retry<T, R>(&self, url: &Url, mut read: impl FnMut() -> R) -> Result<T>
    where
        R: Future<Output = Result<T, Failure>>,
    {
        let mut attempts = Attempts::new();
        loop {
            match read().await {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Redirect(_)) => return Err(redirected(url)),
                Err(Failure::Fault(fault)) => self.pause(&mut attempts, url, fault).await?,
            }
        }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the retry budget is spent, [`Error::Unreachable`] if connections
    /// are not retried.
    pub(crate) async fn pause(
        &self,
        attempts: &mut Attempts,
        url: &Url,
        fault: Fault,
    ) -> Result<()> {
        if let Fault::Unreachable(_) = &fault
            && !self.retries_connections
        {
            return Err(Error::Unreachable {
                path: url.path().to_owned(),
                reason: fault.to_string(),
                remedy: CHECK_SERVER,
            });
        }
        let policy = &self.transport.retry;
        attempts
            .pause(policy, &self.observer, url.path(), fault)
            .await
    }

    /// Reads and parses a body. Repeats if it breaks off or is not valid.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, url: &Url) -> Result<T> {
        let (value, ()) = self.fetch_with(url, |_| Ok(())).await?;
        Ok(value)
    }

    /// Like [`fetch`](Self::fetch), and reads something from the headers.
    pub(crate) async fn fetch_with<T: DeserializeOwned, H>(
        &self,
        url: &Url,
        headers: impl Fn(&Answer) -> Result<H>,
    ) -> Result<(T, H)> {
        let headers = &headers;
        self.retry(url, || async move {
            let answer = self.get(url).await?;
            let headers = headers(&answer)?;
            Ok((parse(url.path(), &answer.bytes().await?)?, headers))
        })
        .await
    }

    /// Checks that the token may follow a link of the answer to `from`.
    pub(crate) fn follow(&self, from: &Url, next: Url) -> Result<Url> {
        if self.transport.base.is_origin_of(&next) {
            return Ok(next);
        }
        let what = format!(
            "its `next` link leads to {}, where the token must not go: set `base_url` to the \
             address that Buildkite's links have",
            self.transport.redact(&next.origin().ascii_serialization())
        );
        Err(Error::protocol(from.path(), what))
    }
}

/// The error of a redirect where none is followed.
pub(crate) fn redirected(url: &Url) -> Error {
    Error::protocol(
        url.path(),
        "a redirect, which is not followed because the token must not leave the base URL",
    )
}

/// Parses a whole body.
pub(crate) fn parse<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| unreadable(path, body, &error))
}

/// Why a body cannot be used. Reports the position of the mistake, never the text.
fn unreadable(path: &str, body: &[u8], error: &serde_json::Error) -> Failure {
    let position = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Io | Category::Eof => Fault::Broken("the JSON text ends early".to_owned()).into(),
        Category::Syntax if !begins_like_json(body) => Error::protocol(path, NOT_THE_API).into(),
        Category::Syntax => Fault::NotJson(position).into(),
        Category::Data => {
            let what = format!("it is JSON, but not of the documented shape ({position})");
            Error::protocol(path, what).into()
        }
    }
}

/// The API's bodies are objects and arrays.
fn begins_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

//! The client: what its calls share, and how a read is repeated.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::error::{Error, Fault, Result};
use crate::observer::Observer;
use crate::options::Options;
use crate::rate_limiter::{KnownLimit, RateLimiter};
use crate::retry::Attempts;
use crate::transport::{Answer, Failure, Request, Transport};

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
}

impl Client {
    /// Checks the options. Sends nothing.
    ///
    /// # Errors
    /// [`Error::BaseUrl`], [`Error::Token`], [`Error::PrivateKey`] or [`Error::Setup`].
    pub fn new(options: Options) -> Result<Self> {
        let slots = Arc::new(Semaphore::new(options.max_concurrency.max(1)));
        Ok(Self {
            transport: Arc::new(Transport::new(options)?),
            observer: Arc::new(|_| {}),
            slots,
            headers: HeaderMap::new(),
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
    pub(crate) async fn pause(
        &self,
        attempts: &mut Attempts,
        url: &Url,
        fault: Fault,
    ) -> Result<()> {
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
        headers: impl Fn(&Answer) -> Result<H, Fault>,
    ) -> Result<(T, H)> {
        let headers = &headers;
        self.retry(url, || async move {
            let answer = self.get(url).await?;
            let headers = headers(&answer)?;
            Ok((parse(&answer.bytes().await?)?, headers))
        })
        .await
    }

    /// Checks that the token may follow a link of the answer to `from`.
    pub(crate) fn follow(&self, from: &Url, next: Url) -> Result<Url> {
        let refuse = |what| Err(Error::protocol(from.path(), what));
        if !self.transport.base.is_origin_of(&next) {
            return refuse("its `next` link leaves the base URL; the token must not follow it");
        }
        if next == *from {
            return refuse("its `next` link leads back to the same page");
        }
        Ok(next)
    }
}

/// The error of a redirect where none is followed.
pub(crate) fn redirected(url: &Url) -> Error {
    Error::protocol(
        url.path(),
        "a redirect, which is not followed because the token must not leave the base URL",
    )
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| not_json(&error))
}

/// The position of the mistake, never the text.
pub(crate) fn not_json(error: &serde_json::Error) -> Fault {
    if error.is_eof() {
        return Fault::Broken("the JSON text ends early".to_owned());
    }
    Fault::NotJson(format!("line {}, column {}", error.line(), error.column()))
}

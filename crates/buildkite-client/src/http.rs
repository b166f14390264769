//! One request, one answer: headers, the token, what a status means.
//!
//! Nothing is repeated here but what pacing demands: a 429 means that nothing happened, so the
//! request is sent again once its window has ended.

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap,
    HeaderValue, RANGE, USER_AGENT,
};
use reqwest::{Method, StatusCode, redirect};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use crate::authorization::Authorization;
use crate::base_url::BaseUrl;
use crate::body::Body;
use crate::clock::Clock;
use crate::error::{Error, Fault, Result};
use crate::governor::{Governor, Limit, Wait};
use crate::link::Links;
use crate::options::{Event, Listener, Options};
use crate::pages::MAX_PER_PAGE;
use crate::rate_limit::{Exceeded, RateLimits};
use crate::retry::backoff;

/// How often one request may be refused with 429 in a row before it fails.
const MAX_REFUSALS: u32 = 20;
/// The advice to whoever comes back after that many.
const WAIT_AFTER_REFUSALS: Duration = Duration::from_secs(60);
/// Error bodies are read up to here.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// Of a remote's message this much is repeated.
const MAX_MESSAGE: usize = 300;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Everything that requests with one token share.
pub(crate) struct Http {
    client: reqwest::Client,
    authorization: Authorization,
    pub(crate) base: BaseUrl,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retry_budget: Duration,
    max_rate_limit_wait: Duration,
    pub(crate) governor: Arc<Governor>,
    /// The page size at which the last page of builds came whole: the next list begins with it.
    pub(crate) builds_a_page: AtomicU32,
}

/// A request on its way out.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// JSON.
    pub(crate) body: Option<Bytes>,
}

/// Why a request has no answer.
pub(crate) enum Failure {
    /// Another try may mend it.
    Fault(Fault),
    /// It may not.
    Final(Error),
    /// The answer leads elsewhere. Where to is a secret: it may be signed.
    Redirect(Option<Url>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Http {
    pub(crate) fn new(options: Options) -> Result<Self> {
        let base = BaseUrl::parse(&options.base_url)?;
        Ok(Self {
            client: client(&base, options.read_timeout)?,
            authorization: Authorization::new(options.authentication)?,
            base,
            governor: match options.pace {
                Some(pace) => pace.0,
                None => Governor::new(Arc::clone(&options.clock), options.reserve),
            },
            clock: options.clock,
            retry_budget: options.retry_budget,
            max_rate_limit_wait: options.max_rate_limit_wait,
            builds_a_page: AtomicU32::new(MAX_PER_PAGE),
        })
    }

    /// Sends one request, when the rate limits allow it, and returns the answer if it succeeded.
    /// The slot is free again once the answer has been read.
    pub(crate) async fn call(
        &self,
        request: &Outgoing,
        listener: &Listener,
        slot: OwnedSemaphorePermit,
    ) -> Result<Answer, Failure> {
        let path = request.url.path();
        let organization = organization(&request.url);
        let mut scope = Limit::Organization.scope();
        for refusals in 0..MAX_REFUSALS {
            let permit = self
                .governor
                .permit(organization, |wait| self.announce(path, &wait, listener))
                .await?;
            listener(Event::Request);
            let response = self.send(request).await?;
            let status = response.status();
            tracing::debug!(path, %status, "answered");
            let limits = RateLimits::read(response.headers());
            let clock_was_off = self.authorization.learn(date(response.headers()));
            if status == StatusCode::UNAUTHORIZED && clock_was_off {
                permit.answered(limits);
                continue;
            }
            if status != StatusCode::TOO_MANY_REQUESTS {
                permit.answered(limits);
                return self.judge(path, response, slot).await;
            }
            let told = response.headers().clone();
            let body = error_body(response).await;
            let exceeded = Exceeded::read(&told, &body);
            scope = match exceeded.is_user {
                true => Limit::User.scope(),
                false => Limit::Organization.scope(),
            };
            permit.refused(limits, &exceeded, backoff(refusals));
        }
        Err(Failure::Final(Error::RateLimited {
            path: path.to_owned(),
            scope: scope.to_owned(),
            wait: WAIT_AFTER_REFUSALS,
        }))
    }

    async fn send(&self, request: &Outgoing) -> Result<reqwest::Response, Failure> {
        let Outgoing { url, body, .. } = request;
        debug_assert!(self.base.is_origin_of(url), "the token stays at its origin");
        let mut builder = self
            .client
            .request(request.method.clone(), url.clone())
            .headers(request.headers.clone())
            .header(AUTHORIZATION, self.authorization.header()?);
        if let Some(body) = body {
            builder = builder
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        builder.send().await.map_err(|error| fault(&error).into())
    }

    /// Sends one GET to wherever a redirect led, without the token.
    pub(crate) async fn get_elsewhere(
        &self,
        url: &Url,
        from: u64,
    ) -> Result<reqwest::Response, Fault> {
        let request = self.client.get(url.clone());
        let request = request
            .header(ACCEPT, "*/*")
            .header(ACCEPT_ENCODING, "identity");
        let request = match from {
            0 => request,
            from => request.header(RANGE, format!("bytes={from}-")),
        };
        request.send().await.map_err(|error| fault(&error))
    }

    /// Tells the listener of a wait; refuses one that is too long.
    fn announce(&self, path: &str, wait: &Wait, listener: &Listener) -> Result<()> {
        let scope = wait.limit.scope();
        if wait.total > self.max_rate_limit_wait {
            return Err(Error::RateLimited {
                path: path.to_owned(),
                scope: scope.to_owned(),
                wait: wait.total,
            });
        }
        if let Some(duration) = wait.news {
            tracing::info!(scope, ?duration, "waiting for the rate limit");
            listener(Event::RateLimitWait {
                duration,
                limit: match wait.requests {
                    0 => scope.to_owned(),
                    requests => format!("{scope}, {requests} a minute"),
                },
            });
        }
        Ok(())
    }

    async fn judge(
        &self,
        path: &str,
        response: reqwest::Response,
        slot: OwnedSemaphorePermit,
    ) -> Result<Answer, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(Answer {
                arrived: self.clock.now(),
                body: Body::new(response)?,
                slot: Some(slot),
            });
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Err(Fault::Status(status.as_u16()).into());
        }
        if status.is_redirection() {
            return Err(Failure::Redirect(target(response).await));
        }
        let needed_scope = header(response.headers(), "x-accepted-oauth-scopes");
        let needed_scope = needed_scope.map(|scope| self.repeatable(&scope));
        let body = error_body(response).await;
        let message = self.message(&body);
        let path = path.to_owned();
        Err(Failure::Final(match status {
            StatusCode::UNAUTHORIZED => Error::Unauthorized { path, message },
            StatusCode::FORBIDDEN => Error::Forbidden {
                path,
                message,
                needed_scope,
            },
            StatusCode::NOT_FOUND => Error::NotFound { path, message },
            status => Error::Refused {
                path,
                status: status.as_u16(),
                message,
            },
        }))
    }

    /// The `message` of an error body, and the fields that it says are wrong (API facts 3).
    fn message(&self, body: &[u8]) -> String {
        match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) => self.repeatable(&refusal.to_string()),
            Err(_) => "(no message)".to_owned(),
        }
    }

    /// A text of the remote's, short, on one line, without the token.
    fn repeatable(&self, text: &str) -> String {
        // First the control characters: they could part the token in two.
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let text = self.authorization.redact(&text);
        text.chars().take(MAX_MESSAGE).collect()
    }
}

/// The body of an error.
#[derive(Deserialize)]
struct Refusal {
    message: String,
    /// Objects as documented; anything else is left out.
    #[serde(default)]
    errors: Value,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let errors = self.errors.as_array().into_iter().flatten();
        for (position, error) in errors.enumerate() {
            let text = |key| error.get(key).and_then(Value::as_str);
            let Some(code) = text("code") else { continue };
            f.write_str(if position == 0 { ": " } else { ", " })?;
            match text("field") {
                Some(field) => write!(f, "{field}: {code}")?,
                None => f.write_str(code)?,
            }
        }
        Ok(())
    }
}

/// A 200 whose body has not been read.
pub(crate) struct Answer {
    body: Body,
    arrived: Instant,
    slot: Option<OwnedSemaphorePermit>,
}

impl Answer {
    /// Lets another request take its place, though the body has not been read: whoever needs that
    /// other request to read on would wait for itself.
    pub(crate) fn free_slot(&mut self) {
        self.slot = None;
    }

    /// How many bytes there are in all, of which this is a range (`Content-Range`).
    pub(crate) fn total(&self) -> Option<u64> {
        let range = header(self.body.headers(), CONTENT_RANGE.as_str())?;
        range.rsplit('/').next()?.parse().ok()
    }

    /// The last `limit` bytes of the body, and how many it had.
    pub(crate) async fn last_bytes(mut self, limit: usize) -> Result<(Vec<u8>, u64), Fault> {
        let (mut buffer, mut dropped) = (Vec::new(), 0);
        while self.body.read(&mut buffer).await? {
            // Twice as much, so that what is kept is moved rarely.
            if buffer.len() > limit.saturating_mul(2) {
                let surplus = buffer.len() - limit;
                buffer.drain(..surplus);
                dropped += surplus;
            }
        }
        let surplus = buffer.len().saturating_sub(limit);
        buffer.drain(..surplus);
        let total = dropped + surplus + buffer.len();
        Ok((buffer, total as u64))
    }

    /// The links to other pages.
    pub(crate) fn links(&self) -> Result<Links, Fault> {
        Links::read(self.body.headers()).map_err(|what| Fault::Broken(what.to_owned()))
    }

    /// The server's time when it answered, and ours when that arrived.
    pub(crate) fn date(&self) -> Option<(DateTime<Utc>, Instant)> {
        Some((date(self.body.headers())?, self.arrived))
    }

    /// Appends the next part of the body to `buffer`; false at its end.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<bool, Fault> {
        self.body.read(buffer).await
    }

    /// The whole body; `None` if it is longer than `limit`, and then not all of it is read.
    pub(crate) async fn bytes_within(mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        let body = self.body.read_all(limit.saturating_add(1)).await?;
        Ok((body.len() <= limit).then_some(body))
    }

    /// The whole body.
    pub(crate) async fn bytes(mut self) -> Result<Vec<u8>, Fault> {
        self.body.read_all(usize::MAX).await
    }
}

fn client(base: &BaseUrl, read_timeout: Duration) -> Result<reqwest::Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails only if the program has chosen a provider already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("buildkite-connector/", env!("CARGO_PKG_VERSION"))),
    );
    let builder = match base.is_loopback() {
        // A proxy of the environment would take the token, unencrypted, off this machine.
        true => reqwest::Client::builder().no_proxy(),
        false => reqwest::Client::builder(),
    };
    builder
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        // `body.rs` unpacks.
        .no_gzip()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout)
        .build()
        .map_err(|error| Error::Setup(error.without_url().to_string()))
}

/// The server's time.
fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(&header(headers, DATE.as_str())?).ok()?;
    Some(date.with_timezone(&Utc))
}

/// The slug behind `/organizations/`, which is what limits are counted by.
fn organization(url: &Url) -> &str {
    let mut segments = url.path_segments().into_iter().flatten();
    segments.find(|segment| *segment == "organizations");
    segments.next().unwrap_or_default()
}

/// Where a redirect leads: its `Location`, else the `url` of its body (API facts 12).
async fn target(response: reqwest::Response) -> Option<Url> {
    #[derive(Deserialize)]
    struct Body {
        url: Url,
    }
    let location = header(response.headers(), "location");
    let target = location.and_then(|location| response.url().join(&location).ok());
    if target.is_some() {
        return target;
    }
    let body: Body = serde_json::from_slice(&error_body(response).await).ok()?;
    Some(body.url)
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// As much of an error's body as can be had: it only explains what the status says.
async fn error_body(response: reqwest::Response) -> Vec<u8> {
    match Body::new(response) {
        Ok(mut body) => body.read_all(MAX_ERROR_BODY).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// Says how a request failed, without its URL.
pub(crate) fn fault(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        return Fault::Timeout;
    }
    let text = innermost(error);
    if error.is_connect() {
        return Fault::Unreachable(text);
    }
    match error.is_body() || error.is_decode() {
        true => Fault::Broken(text),
        false => Fault::Connection(text),
    }
}

/// The innermost cause says what happened; the outermost repeats the URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(
        || "the request could not be sent".to_owned(),
        ToString::to_string,
    )
}

//! One request, one answer.
//!
//! Nothing is repeated here except for the rate limits: after a 429 nothing has happened, so the
//! request is sent again when its window has ended.

mod answer;
mod body;
mod budget;
mod content;
mod failure;
mod header;
mod link;
mod proxy;
mod request;
mod status;
mod stream;
mod tls;

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, RANGE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

pub(crate) use answer::Answer;
use body::Body;
pub(crate) use budget::TimeBudget;
pub(crate) use content::{Content, NOT_THE_API};
pub(crate) use failure::{CHECK_SERVER, Failure};
pub(crate) use link::Links;
pub(crate) use request::Request;
pub(crate) use status::is_passing;
pub(crate) use stream::Stream;
use tls::HttpClient;

use crate::authorization::Authorization;
use crate::base_url::BaseUrl;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::observer::{Event, Observer};
use crate::options::Options;
use crate::page_size::MAX_PER_PAGE;
use crate::rate_limiter::{Exceeded, Limit, RateLimiter, RateLimits, Wait};
use crate::retry::{Pauses, RetryPolicy};

/// A request fails when it was refused with 429 this many times in a row.
const MAX_REFUSALS: u32 = 20;
/// When to return after that.
const WAIT_AFTER_REFUSALS: Duration = Duration::from_secs(60);

/// Everything that requests with one token share.
pub(crate) struct Transport {
    http: HttpClient,
    authorization: Authorization,
    pub(crate) base: BaseUrl,
    pub(crate) retry: RetryPolicy,
    pub(crate) limits: Limits,
    max_rate_limit_wait: Duration,
    pub(crate) rate_limiter: RateLimiter,
    /// The size of the last complete page of builds. The next list starts with it.
    pub(crate) builds_per_page: AtomicU32,
}

impl Transport {
    /// # Errors
    /// [`Error::BaseUrl`], [`Error::Token`], [`Error::PrivateKey`], [`Error::Proxy`] or
    /// [`Error::Setup`].
    pub(crate) fn new(options: Options) -> Result<Self> {
        let base = BaseUrl::parse(&options.base_url)?;
        let (clock, reserve, share) = (options.clock.clone(), options.reserve, options.share);
        let rate_limiter = options
            .rate_limiter
            .unwrap_or_else(|| RateLimiter::new(clock, reserve, share));
        Ok(Self {
            http: HttpClient::new(&base, options.read_timeout)?,
            authorization: Authorization::new(options.credential)?,
            base,
            rate_limiter,
            retry: RetryPolicy {
                clock: options.clock,
                budget: options.retry_budget,
            },
            limits: options.limits,
            max_rate_limit_wait: options.max_rate_limit_wait,
            builds_per_page: AtomicU32::new(MAX_PER_PAGE),
        })
    }

    /// Sends one request when the rate limits allow it, and returns the answer if it is a success.
    /// The slot is free again when the answer has been read.
    pub(crate) async fn call(
        &self,
        request: &Request,
        observer: &Observer,
        slot: OwnedSemaphorePermit,
    ) -> Result<Answer, Failure> {
        let path = request.url.path();
        let mut scope = Limit::Organization.scope();
        let mut pauses = Pauses::new();
        for _ in 0..MAX_REFUSALS {
            match self.attempt(request, observer, &mut pauses).await? {
                Attempt::Answered(response, time) => {
                    let response = status::judge(request, response, &self.authorization).await?;
                    let body = Body::new(response, time)?;
                    return Ok(Answer::new(request.url.clone(), body, self.limits, slot));
                }
                Attempt::ClockWasOff => {}
                Attempt::Refused(limit) => scope = limit.scope(),
            }
        }
        Err(Failure::Final(Error::RateLimited {
            path: path.to_owned(),
            scope: scope.to_owned(),
            wait: WAIT_AFTER_REFUSALS,
        }))
    }

    async fn attempt(
        &self,
        request: &Request,
        observer: &Observer,
        pauses: &mut Pauses,
    ) -> Result<Attempt, Failure> {
        let path = request.url.path();
        let on_wait = |wait| self.announce(path, &wait, observer);
        let permit = self
            .rate_limiter
            .permit(request.organization(), on_wait)
            .await?;
        observer(Event::Request);
        let mut time = TimeBudget::new(self.time_for(request));
        let response = self.send(request, &mut time).await?;
        let status = response.status();
        tracing::debug!(path, %status, "answered");
        let limits = RateLimits::read(response.headers());
        let clock_was_off = self.authorization.learn(header::date(response.headers()));
        if status == StatusCode::TOO_MANY_REQUESTS {
            let headers = response.headers().clone();
            let body = status::error_body(response).await;
            let exceeded = Exceeded::read(&headers, &body);
            permit.refused(limits, &exceeded, pauses.next());
            return Ok(Attempt::Refused(exceeded.limit()));
        }
        permit.answered(limits);
        if status == StatusCode::UNAUTHORIZED && clock_was_off {
            return Ok(Attempt::ClockWasOff);
        }
        Ok(Attempt::Answered(response, time))
    }

    /// How long the answer may take.
    fn time_for(&self, request: &Request) -> Duration {
        if request.method == Method::GET {
            self.limits.answer_time
        } else {
            self.limits.write_time
        }
    }

    async fn send(&self, request: &Request, time: &mut TimeBudget) -> Result<Response, Failure> {
        let is_safe = self.base.is_origin_of(&request.url);
        debug_assert!(is_safe, "the token stays at its origin");
        let path = request.url.path();
        let builder = request
            .build(self.http.client_for(&request.url, path)?)
            .header(AUTHORIZATION, self.authorization.header()?);
        answer_to(path, builder, time).await
    }

    /// Sends one GET to the target of a redirect, without the token. `path` is that of the request
    /// that was redirected.
    pub(crate) async fn get_elsewhere(
        &self,
        path: &str,
        url: &Url,
        from: u64,
    ) -> Result<(Response, TimeBudget), Failure> {
        let mut builder = self
            .http
            .client_for(url, path)?
            .get(url.clone())
            .header(ACCEPT, "*/*")
            .header(ACCEPT_ENCODING, "identity");
        if from > 0 {
            builder = builder.header(RANGE, format!("bytes={from}-"));
        }
        let mut time = TimeBudget::new(self.limits.answer_time);
        Ok((answer_to(path, builder, &mut time).await?, time))
    }

    /// The content of an answer to [`get_elsewhere`](Self::get_elsewhere).
    pub(crate) fn content(&self, path: &str, (response, time): (Response, TimeBudget)) -> Stream {
        let limit = (self.limits.content_bytes, "content_bytes");
        Stream::new(path, Body::stored(response, time), limit, None)
    }

    /// A text from the remote, without the token.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.authorization.redact(text)
    }

    /// Reports a wait to the observer. Refuses one that is too long.
    fn announce(&self, path: &str, wait: &Wait, observer: &Observer) -> Result<()> {
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
            let limit = match wait.requests {
                0 => scope.to_owned(),
                requests => format!("{scope}, {requests} a minute"),
            };
            observer(Event::RateLimitWait { duration, limit });
        }
        Ok(())
    }
}

/// How one attempt to send a request ended.
enum Attempt {
    Answered(Response, TimeBudget),
    /// A signed token was refused because this machine's clock is off. Its time is known now.
    ClockWasOff,
    /// 429.
    Refused(Limit),
}

async fn answer_to(
    path: &str,
    builder: RequestBuilder,
    time: &mut TimeBudget,
) -> Result<Response, Failure> {
    let answer = time.wait(builder.send()).await?;
    answer.map_err(|error| failure::of_request(path, &error))
}

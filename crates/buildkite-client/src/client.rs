//! The client: what is shared, and the calls that give one object.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, RANGE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::error::{Error, Fault, Result};
use crate::http::{Answer, Failure, Http, Outgoing};
use crate::known_limit::KnownLimit;
use crate::options::{Listener, Options};
use crate::retry::Attempts;

/// The header of dated versions.
const VERSION: HeaderName = HeaderName::from_static("buildkite-version");

/// Talks to Buildkite's REST API. Clones share one connection pool and one rate governor.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: Arc<Http>,
    pub(crate) listener: Listener,
    /// How many requests may be under way at the same time.
    slots: Arc<Semaphore>,
    /// Sent with each request beside what all have.
    headers: HeaderMap,
}

/// `GET /v2/access-token`: what the token is (API facts 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AccessToken {
    /// The id of the token; not a secret.
    pub uuid: String,
    /// What it may do: `read_builds`; absent if the answer does not tell.
    pub scopes: Option<Vec<String>>,
    /// What its owner calls it.
    pub description: Option<String>,
    /// When it was made, in one of the forms of [`Timestamp`](crate::Timestamp).
    pub created_at: Option<String>,
    /// When it ends; absent if never, and in answers from before May 2026.
    pub expires_at: Option<String>,
    /// Its owner.
    pub user: Option<TokenUser>,
}

/// The owner of a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TokenUser {
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl Client {
    /// Checks the options; sends nothing.
    ///
    /// # Errors
    /// [`Error::BaseUrl`], [`Error::Token`] or [`Error::Setup`].
    pub fn new(options: Options) -> Result<Self> {
        let slots = Arc::new(Semaphore::new(options.max_concurrency.max(1)));
        Ok(Self {
            http: Arc::new(Http::new(options)?),
            listener: Arc::new(|_| {}),
            slots,
            headers: HeaderMap::new(),
        })
    }

    /// The same client, telling another listener what it does.
    #[must_use]
    pub fn with_listener(&self, listener: Listener) -> Self {
        Self {
            listener,
            ..self.clone()
        }
    }

    /// The same client with `at_once` requests of its own at the same time. Whoever waits for
    /// these while other requests of the client stand still needs that.
    #[must_use]
    pub fn with_own_slots(&self, at_once: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(at_once.max(1))),
            ..self.clone()
        }
    }

    /// The same client, asking for answers of a dated version, `YYYY-MM-DD`, which some endpoints
    /// have (API facts 18).
    #[must_use]
    pub fn with_version(&self, version: &'static str) -> Self {
        self.with_header(VERSION, HeaderValue::from_static(version))
    }

    fn with_header(&self, name: HeaderName, value: HeaderValue) -> Self {
        let mut client = self.clone();
        client.headers.insert(name, value);
        client
    }

    /// What is known now of the rate limits that requests about an organization count towards;
    /// nothing before the first answer.
    pub fn limits(&self, organization: &str) -> Vec<KnownLimit> {
        self.http.governor.limits(organization)
    }

    /// What the token is and may do. Needs no scope.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn access_token(&self) -> Result<AccessToken> {
        let url = self.http.base.join(["v2", "access-token"]);
        self.fetch(&url).await
    }

    /// Revokes the token that this client has: `DELETE /v2/access-token`. It cannot be taken
    /// back. Sent once, and again only if a rate limit refused it.
    ///
    /// # Errors
    /// Those of [`object`](Self::object); [`Error::Unavailable`] if it is not known whether it
    /// was done.
    pub async fn revoke(&self) -> Result<()> {
        let url = self.http.base.join(["v2", "access-token"]);
        match self.send(self.outgoing(Method::DELETE, url.clone())).await {
            Ok(_) => Ok(()),
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Redirect(_)) => Err(redirected(&url)),
            Err(Failure::Fault(fault)) => Err(Error::Unavailable {
                path: url.path().to_owned(),
                reason: fault.to_string(),
                attempts: 1,
                elapsed: Duration::ZERO,
            }),
        }
    }

    /// The object at a path below the base URL, as the text it came in.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::Forbidden`], [`Error::NotFound`], [`Error::Refused`] as
    /// answered; [`Error::Unavailable`] once the retry budget is spent.
    pub async fn object(&self, segments: &[&str]) -> Result<Box<RawValue>> {
        let url = self.http.base.join(segments.iter().copied());
        self.fetch(&url).await
    }

    /// As [`object`](Self::object) with query pairs; `None` if its text is longer than
    /// `max_bytes`, of which no more than that is read.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn object_within(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        max_bytes: usize,
    ) -> Result<Option<Box<RawValue>>> {
        let mut url = self.http.base.join(segments.iter().copied());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut attempts = Attempts::new();
        loop {
            let read = async {
                let answer = self.get(&url).await?;
                Ok(answer.bytes_within(max_bytes).await?)
            };
            let fault = match read.await {
                Ok(None) => return Ok(None),
                Ok(Some(body)) => match parse(&body) {
                    Ok(value) => return Ok(Some(value)),
                    Err(fault) => fault,
                },
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Fault(fault)) => fault,
                Err(Failure::Redirect(_)) => return Err(redirected(&url)),
            };
            self.pause(&mut attempts, &url, fault).await?;
        }
    }

    /// Sends one GET, when a slot and the rate limits allow it. What it takes from the limits is
    /// settled even while nobody polls: others may wait for that.
    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, Failure> {
        self.send(self.outgoing(Method::GET, url.clone())).await
    }

    /// A request without a body.
    pub(crate) fn outgoing(&self, method: Method, url: Url) -> Outgoing {
        Outgoing {
            method,
            url,
            headers: self.headers.clone(),
            body: None,
        }
    }

    pub(crate) async fn send(&self, request: Outgoing) -> Result<Answer, Failure> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.expect("the semaphore is never closed");
        let (http, listener) = (Arc::clone(&self.http), self.listener.clone());
        let path = request.url.path().to_owned();
        let request = tokio::spawn(async move { http.call(&request, &listener, slot).await });
        let answer = AbortOnDropHandle::new(request).await;
        answer.unwrap_or_else(|_| {
            Err(Failure::Fault(Fault::Broken(format!(
                "the request to {path} was ended from within"
            ))))
        })
    }

    /// The end of a text at a path below the base URL, `bytes` long at most, and how long the text
    /// is in all, in bytes; `None` if it is empty. Where the server gives no parts, all of it is
    /// read and the end is kept. A character that is cut in two is left out.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn end_of_text(
        &self,
        segments: &[&str],
        bytes: usize,
    ) -> Result<Option<(String, u64)>> {
        let url = self.http.base.join(segments.iter().copied());
        let range = HeaderValue::from_str(&format!("bytes=-{bytes}"));
        let range = range.expect("digits are text");
        let client = self
            .with_header(ACCEPT, HeaderValue::from_static("text/plain"))
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .with_header(RANGE, range);
        let mut attempts = Attempts::new();
        loop {
            let read = async {
                let answer = client.get(&url).await?;
                let total = answer.total();
                let (end, read) = answer.last_bytes(bytes).await?;
                Ok((end, total.unwrap_or(read)))
            };
            match read.await {
                Ok((end, total)) => return Ok(Some((text_of(&end), total))),
                Err(Failure::Final(Error::Refused { status: 416, .. })) => return Ok(None),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Redirect(_)) => return Err(redirected(&url)),
                Err(Failure::Fault(fault)) => self.pause(&mut attempts, &url, fault).await?,
            }
        }
    }

    /// Reads and parses one body, again if it breaks off or is not what it should be.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, url: &Url) -> Result<T> {
        let (value, ()) = self.fetch_with(url, |_| Ok(())).await?;
        Ok(value)
    }

    /// As [`fetch`](Self::fetch), with something out of the headers.
    pub(crate) async fn fetch_with<T: DeserializeOwned, H>(
        &self,
        url: &Url,
        headers: impl Fn(&Answer) -> Result<H, Fault>,
    ) -> Result<(T, H)> {
        let mut attempts = Attempts::new();
        loop {
            match self.try_fetch(url, &headers).await {
                Ok((body, headers)) => match parse(&body) {
                    Ok(value) => return Ok((value, headers)),
                    Err(fault) => self.pause(&mut attempts, url, fault).await?,
                },
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Fault(fault)) => self.pause(&mut attempts, url, fault).await?,
                Err(Failure::Redirect(_)) => return Err(redirected(url)),
            }
        }
    }

    async fn try_fetch<H>(
        &self,
        url: &Url,
        headers: &impl Fn(&Answer) -> Result<H, Fault>,
    ) -> Result<(Vec<u8>, H), Failure> {
        let answer = self.get(url).await?;
        let headers = headers(&answer)?;
        Ok((answer.bytes().await?, headers))
    }

    pub(crate) async fn pause(
        &self,
        attempts: &mut Attempts,
        url: &Url,
        fault: Fault,
    ) -> Result<()> {
        attempts
            .pause(&self.http, &self.listener, url.path(), fault)
            .await
    }

    /// A link that an answer holds, if the token may follow it.
    pub(crate) fn follow(&self, from: &Url, next: Url) -> Result<Url> {
        let refuse = |what: &str| {
            Err(Error::Protocol {
                path: from.path().to_owned(),
                what: what.to_owned(),
            })
        };
        if !self.http.base.is_origin_of(&next) {
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
    Error::Protocol {
        path: url.path().to_owned(),
        what: "a redirect, which is not followed because the token must not leave the base URL"
            .to_owned(),
    }
}

/// The text of bytes whose first character may be cut in two.
fn text_of(bytes: &[u8]) -> String {
    let is_inside = |byte: &&u8| (**byte & 0b1100_0000) == 0b1000_0000;
    let cut = bytes.iter().take(3).take_while(is_inside).count();
    String::from_utf8_lossy(&bytes[cut..]).into_owned()
}

/// Position and kind of the mistake, never the text.
pub(crate) fn not_json(error: &serde_json::Error) -> Fault {
    if error.is_eof() {
        return Fault::Broken("the JSON text ends early".to_owned());
    }
    Fault::NotJson(format!("line {}, column {}", error.line(), error.column()))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| not_json(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_in_two_is_left_out() {
        let text = "\u{20ac}uro".as_bytes();
        for cut in 1..3 {
            assert_eq!(text_of(&text[cut..]), "uro");
        }
        assert_eq!(text_of(text), "\u{20ac}uro");
    }
}

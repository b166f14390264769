//! Requests that change something. None is sent again unless it is certain that nothing happened.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde_json::value::RawValue;
use url::Url;

use crate::client::{Client, parse, redirected};
use crate::error::{Error, Fault, Result};
use crate::retry::Attempts;
use crate::transport::{Failure, Request};

/// The method of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Verb {
    /// As a request spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl From<Verb> for Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Post => Self::POST,
            Verb::Put => Self::PUT,
            Verb::Patch => Self::PATCH,
            Verb::Delete => Self::DELETE,
        }
    }
}

impl Client {
    /// Sends a write to a path below the base URL, once, and returns the answer's body, or `None`
    /// if it is empty. The write is sent again only after a 429 or when no connection could be
    /// made. In both cases nothing has happened.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::Forbidden`], [`Error::NotFound`], [`Error::Refused`] as
    /// answered: nothing was done. [`Error::Unavailable`] if no connection could be made within
    /// the retry budget, or [`Error::Unreachable`]: nothing was done. [`Error::OutcomeUnknown`] for everything else.
    pub async fn write(
        &self,
        verb: Verb,
        segments: &[&str],
        query: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Option<Box<RawValue>>> {
        let url = self.url(segments, query);
        let request = Request {
            body: body.map(Bytes::from),
            ..self.request(verb.into(), url.clone())
        };
        let mut attempts = Attempts::new();
        loop {
            match self.write_once(&request).await {
                Ok(body) => return Ok(body),
                // The answer is a success that cannot be used.
                Err(Failure::Final(error @ (Error::Protocol { .. } | Error::TooLarge { .. }))) => {
                    return Err(outcome_unknown(&url, &error));
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Redirect(_)) => return Err(redirected(&url)),
                Err(Failure::Fault(fault @ Fault::Unreachable(_))) => {
                    self.pause(&mut attempts, &url, fault).await?;
                }
                Err(Failure::Fault(fault)) => return Err(outcome_unknown(&url, &fault)),
            }
        }
    }

    async fn write_once(&self, request: &Request) -> Result<Option<Box<RawValue>>, Failure> {
        let body = self.send(request.clone()).await?.bytes().await?;
        let is_empty = body.iter().all(u8::is_ascii_whitespace);
        let body = (!is_empty)
            .then(|| parse(request.url.path(), &body))
            .transpose()?;
        Ok(body)
    }

    /// Revokes this client's token: `DELETE /v2/access-token`. This cannot be undone. It is sent
    /// once, and again only after a 429.
    ///
    /// # Errors
    /// Those of [`object`](Self::object). [`Error::Unavailable`] if the outcome is unknown.
    pub async fn revoke(&self) -> Result<()> {
        let url = self.url(&["v2", "access-token"], &[]);
        match self.send(self.request(Method::DELETE, url.clone())).await {
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
}

fn outcome_unknown(url: &Url, reason: &impl ToString) -> Error {
    Error::OutcomeUnknown {
        path: url.path().to_owned(),
        reason: reason.to_string(),
    }
}

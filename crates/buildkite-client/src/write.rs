//! Requests that change something. None is sent again unless it is known that nothing happened.

use bytes::Bytes;
use reqwest::Method;
use serde_json::value::RawValue;

use crate::client::{Client, redirected};
use crate::error::{Error, Fault, Result};
use crate::http::{Failure, Outgoing};
use crate::retry::Attempts;

/// What a write does to what its path names.
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
    /// As it is written in a request.
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
    /// Sends a write to a path below the base URL, once, and returns the answer's body; `None` if
    /// it is empty. It is sent again only after a 429 and where no connection could be made: then
    /// nothing has happened.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::Forbidden`], [`Error::NotFound`], [`Error::Refused`] as
    /// answered: nothing was done. [`Error::Unavailable`] if no connection could be made within
    /// the retry budget: nothing was done. [`Error::OutcomeUnknown`] for everything else.
    pub async fn write(
        &self,
        verb: Verb,
        segments: &[&str],
        query: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Option<Box<RawValue>>> {
        let mut url = self.http.base.join(segments.iter().copied());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = Outgoing {
            body: body.map(Bytes::from),
            ..self.outgoing(verb.into(), url.clone())
        };
        let mut attempts = Attempts::new();
        loop {
            let sent = async {
                let answer = self.send(request.clone()).await?;
                Ok(answer.bytes().await?)
            };
            let fault = match sent.await {
                Ok(body) if body.iter().all(u8::is_ascii_whitespace) => return Ok(None),
                Ok(body) => match serde_json::from_slice(&body) {
                    Ok(body) => return Ok(Some(body)),
                    Err(error) => crate::client::not_json(&error),
                },
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Redirect(_)) => return Err(redirected(&url)),
                Err(Failure::Fault(fault)) => fault,
            };
            if !matches!(fault, Fault::Unreachable(_)) {
                return Err(Error::OutcomeUnknown {
                    path: url.path().to_owned(),
                    reason: fault.to_string(),
                });
            }
            self.pause(&mut attempts, &url, fault).await?;
        }
    }
}

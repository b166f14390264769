//! A request as the fake reads it.

use std::net::IpAddr;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;

/// The largest request body in bytes: more than any package that a test uploads.
const MOST_BODY_BYTES: usize = 256 << 20;

/// Which of the two servers a request was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Api,
    Storage,
}

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub(super) host: Host,
    pub(super) peer: IpAddr,
    pub(super) method: String,
    pub(super) path: String,
    /// The query without `?`.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// Reads a request to its end.
    pub(super) async fn read(
        host: Host,
        peer: IpAddr,
        request: hyper::Request<Incoming>,
    ) -> Result<Self, Hangup> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, MOST_BODY_BYTES).collect().await;
        let body = body.map_err(|error| match error.downcast::<hyper::Error>() {
            Ok(error) => Hangup::Unreadable(*error),
            Err(other) => {
                debug_assert!(other.is::<LengthLimitError>());
                Hangup::TooLarge
            }
        })?;
        Ok(Self {
            host,
            peer,
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: body.to_bytes(),
        })
    }

    /// A header as text; empty if it is absent or not text.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Hangup {
    /// A fault demands it.
    #[error("a fault closes the connection")]
    Fault,
    /// The request could not be read.
    #[error("the request cannot be read: {0}")]
    Unreadable(#[from] hyper::Error),
    /// The request has a body over [`MOST_BODY_BYTES`].
    #[error("the request body is over {MOST_BODY_BYTES} bytes")]
    TooLarge,
}

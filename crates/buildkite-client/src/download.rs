//! Content that lies elsewhere: the API answers with a redirect, which is followed without the
//! token (API facts 12).

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, LOCATION};
use url::{Host, Url};

use crate::client::Client;
use crate::error::{Error, Fault, Result};
use crate::http::{Failure, fault};
use crate::retry::Attempts;

/// So many redirects of the storage are followed.
const MOST_REDIRECTS: usize = 5;

/// Content that arrives.
pub struct Download {
    /// The byte that it begins at: 0 if the storage did not go on where it was asked to.
    pub starts_at: u64,
    path: String,
    response: reqwest::Response,
}

impl Download {
    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Protocol`] if it breaks off.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let part = self.response.chunk().await;
        let part = part.map_err(|error| broken(&self.path, &fault(&error)))?;
        Ok(part.map(Vec::from))
    }
}

impl Client {
    /// The content that a path below the base URL leads to, from a byte on. The redirect is
    /// followed without the token, to https or this machine; where it leads to is in no error.
    ///
    /// # Errors
    /// Those of [`object`](Self::object); [`Error::Protocol`] if the path does not lead elsewhere
    /// or the storage refuses.
    pub async fn download(&self, segments: &[&str], from: u64) -> Result<Download> {
        let url = self.http.base.join(segments.iter().copied());
        let path = url.path().to_owned();
        let mut attempts = Attempts::new();
        loop {
            let fault = match self.follow_download(&url, &path, from).await {
                Ok(download) => return Ok(download),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Fault(fault)) => fault,
                Err(Failure::Redirect(_)) => return Err(refused(&path, "a redirect to nowhere")),
            };
            let pause = attempts.pause(&self.http, &self.listener, &path, fault);
            pause.await?;
        }
    }

    async fn follow_download(&self, url: &Url, path: &str, from: u64) -> Result<Download, Failure> {
        let mut target = match self.get(url).await {
            Err(Failure::Redirect(Some(location))) => location,
            Err(failure) => return Err(failure),
            Ok(_) => return Err(refused(path, "no redirect to the content").into()),
        };
        for _ in 0..MOST_REDIRECTS {
            if !is_safe(&target) {
                return Err(refused(path, "a redirect to an address without https").into());
            }
            let response = self.http.get_elsewhere(&target, from).await?;
            let status = response.status();
            if status.is_redirection() {
                let location = response.headers().get(LOCATION);
                let location = location.and_then(|value| value.to_str().ok());
                let next = location.and_then(|location| target.join(location).ok());
                target = next.ok_or_else(|| refused(path, "a redirect to nowhere"))?;
                continue;
            }
            if status.is_server_error() {
                return Err(Fault::Status(status.as_u16()).into());
            }
            if !status.is_success() {
                return Err(refused(path, &format!("the storage answers {status}")).into());
            }
            return Ok(Download {
                starts_at: start_of(&response),
                path: path.to_owned(),
                response,
            });
        }
        Err(refused(path, "redirects without an end").into())
    }
}

fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

/// `Content-Range: bytes 900-999/1000` begins at 900.
fn start_of(response: &reqwest::Response) -> u64 {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return 0;
    }
    let range = response.headers().get(CONTENT_RANGE);
    let range = range.and_then(|value| value.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    start.and_then(|start| start.parse().ok()).unwrap_or(0)
}

fn refused(path: &str, what: &str) -> Error {
    Error::Protocol {
        path: path.to_owned(),
        what: what.to_owned(),
    }
}

fn broken(path: &str, fault: &Fault) -> Error {
    refused(path, &format!("the content broke off: {fault}"))
}

//! Content that lies elsewhere: the API answers with a redirect, which is followed without the
//! token (API facts 12).

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, LOCATION};
use url::{Host, Url};

use crate::client::Client;
use crate::error::{Error, Fault, Result};
use crate::http::{Answer, Failure, fault};
use crate::retry::Attempts;

/// So many redirects of the storage are followed.
const MOST_REDIRECTS: usize = 5;

/// One content, fetched in as many tries as it takes: whoever keeps what arrives asks again from
/// where it stopped, after a [`pause`](Self::pause).
pub struct Retrieval {
    client: Client,
    url: Url,
    /// Of the tries whose content did not arrive whole.
    attempts: Attempts,
}

/// Content that arrives.
pub struct Download {
    /// The byte that it begins at: 0 if the storage did not go on where it was asked to.
    pub starts_at: u64,
    path: String,
    content: Content,
}

enum Content {
    /// The API gave it itself.
    Given(Box<Answer>),
    Stored(reqwest::Response),
}

impl Download {
    /// The next part, which may be empty; `None` at the end.
    ///
    /// # Errors
    /// [`Error::CutShort`] if it breaks off.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let part = match &mut self.content {
            Content::Given(answer) => {
                let mut part = Vec::new();
                let more = answer.read(&mut part).await;
                more.map(|more| (more || !part.is_empty()).then_some(part))
            }
            Content::Stored(response) => {
                let part = response.chunk().await;
                part.map(|part| part.map(Vec::from))
                    .map_err(|error| fault(&error))
            }
        };
        part.map_err(|fault| Error::CutShort {
            path: self.path.clone(),
            reason: fault.to_string(),
        })
    }
}

impl Client {
    /// The content that a path below the base URL leads to. Nothing is requested yet.
    pub fn retrieval(&self, segments: &[&str]) -> Retrieval {
        Retrieval {
            client: self.clone(),
            url: self.http.base.join(segments.iter().copied()),
            attempts: Attempts::new(),
        }
    }
}

impl Retrieval {
    /// The content from a byte on. The redirect is followed without the token, to https or this
    /// machine; where it leads to is a secret and in no error. Each try asks the API for a new
    /// address, because one that is signed ends within a minute.
    ///
    /// # Errors
    /// Those of [`object`](Client::object); [`Error::Protocol`] if the path does not lead to
    /// content or the storage refuses.
    pub async fn from(&self, byte: u64) -> Result<Download> {
        let mut attempts = Attempts::new();
        loop {
            match self.open(byte).await {
                Ok(download) => return Ok(download),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Redirect(_)) => return Err(self.refused("a redirect to nowhere")),
                Err(Failure::Fault(fault)) => {
                    wait(&self.client, &self.url, &mut attempts, fault).await?;
                }
            }
        }
    }

    /// Waits, and tells so, before content that broke off for this reason is asked for again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] once the retry budget is spent.
    pub async fn pause(&mut self, reason: &str) -> Result<()> {
        let fault = Fault::CutShort(reason.to_owned());
        wait(&self.client, &self.url, &mut self.attempts, fault).await
    }

    /// Something new arrived: what failed before is forgotten.
    pub fn went_on(&mut self) {
        self.attempts.succeeded();
    }

    async fn open(&self, from: u64) -> Result<Download, Failure> {
        let target = match self.client.get(&self.url).await {
            Err(Failure::Redirect(Some(location))) => location,
            Err(failure) => return Err(failure),
            Ok(answer) => return Ok(self.arrives(0, Content::Given(Box::new(answer)))),
        };
        let mut response = self.follow(target.clone(), from).await?;
        if from > 0 && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // It is shorter than what is there already, which cannot be a part of it.
            response = self.follow(target, 0).await?;
        }
        let starts_at = match response.status() {
            StatusCode::PARTIAL_CONTENT if start_of(&response) == Some(from) => from,
            StatusCode::PARTIAL_CONTENT => {
                return Err(self.refused("a part that was not asked for").into());
            }
            status if status.is_success() => 0,
            status if is_passing(status) => return Err(Fault::Storage(status.as_u16()).into()),
            status => {
                return Err(self
                    .refused(&format!("the storage answers {status}"))
                    .into());
            }
        };
        Ok(self.arrives(starts_at, Content::Stored(response)))
    }

    /// The first answer that is no redirect.
    async fn follow(&self, mut target: Url, from: u64) -> Result<reqwest::Response, Failure> {
        for _ in 0..MOST_REDIRECTS {
            if !is_safe(&target) {
                let what = "a redirect to an address without https";
                return Err(self.refused(what).into());
            }
            let response = self.client.http.get_elsewhere(&target, from).await?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION);
            let location = location.and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| target.join(location).ok());
            target = next.ok_or_else(|| self.refused("a redirect to nowhere"))?;
        }
        Err(self.refused("redirects without an end").into())
    }

    fn arrives(&self, starts_at: u64, content: Content) -> Download {
        Download {
            starts_at,
            path: self.url.path().to_owned(),
            content,
        }
    }

    fn refused(&self, what: &str) -> Error {
        Error::Protocol {
            path: self.url.path().to_owned(),
            what: what.to_owned(),
        }
    }
}

async fn wait(client: &Client, url: &Url, attempts: &mut Attempts, fault: Fault) -> Result<()> {
    let pause = attempts.pause(&client.http, &client.listener, url.path(), fault);
    pause.await
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

/// Whether the same request may succeed later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}

/// `Content-Range: bytes 900-999/1000` begins at 900.
fn start_of(response: &reqwest::Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let start = range.strip_prefix("bytes ")?.split('-').next()?;
    start.trim().parse().ok()
}

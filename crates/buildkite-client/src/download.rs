//! Content that is stored elsewhere: the API answers with a redirect, which is followed without the
//! token (API facts 12).

use reqwest::header::{CONTENT_RANGE, LOCATION};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::base_url::is_secure;
use crate::client::Client;
use crate::error::{Error, Fault, Result};
use crate::retry::Attempts;
use crate::transport::{Content, Failure, Stream, TimeBudget, is_passing};

/// At most this many redirects of the storage are followed.
const MAX_REDIRECTS: usize = 5;

/// One content, fetched in as many attempts as it takes. A caller that keeps what arrives resumes
/// from where it stopped, after a [`pause`](Self::pause).
pub struct Retrieval {
    client: Client,
    url: Url,
    /// Attempts that did not bring the whole content.
    attempts: Attempts,
}

/// Content that is arriving.
pub struct Download {
    /// The byte that it begins at. 0 if the storage did not resume where it was asked to.
    pub starts_at: u64,
    path: String,
    content: Stream,
}

impl Download {
    /// The next part, which may be empty, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::CutShort`] if it breaks off. [`Error::TooLarge`] if it is longer than
    /// `content_bytes`. [`Error::Protocol`] if a mebibyte takes longer than `answer_time`.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match self.content.next().await {
            Ok(part) => Ok(part),
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Redirect(_)) => Err(Error::protocol(&self.path, "a redirect in a body")),
            // Resuming it would take as long.
            Err(Failure::Fault(Fault::TooSlow(time))) => {
                let what = format!(
                    "less than 1 MiB of the content arrived in {} s",
                    time.as_secs()
                );
                Err(Error::protocol(&self.path, what))
            }
            Err(Failure::Fault(fault)) => Err(Error::CutShort {
                path: self.path.clone(),
                reason: fault.to_string(),
            }),
        }
    }
}

impl Client {
    /// The content that a path below the base URL leads to. Requests nothing yet.
    pub fn retrieval(&self, segments: &[&str]) -> Retrieval {
        Retrieval {
            client: self.expecting(Content::Any),
            url: self.url(segments, &[]),
            attempts: Attempts::new(),
        }
    }
}

impl Retrieval {
    /// The content from a byte on. The redirect is followed without the token, to https or this
    /// machine. Its target is a secret and is in no error. Each attempt asks the API for a new
    /// target, because a signed one expires within a minute.
    ///
    /// # Errors
    /// Those of [`object`](Client::object). [`Error::Protocol`] if the path does not lead to
    /// content or the storage refuses.
    pub async fn from(&self, byte: u64) -> Result<Download> {
        let opened = self.client.retry(&self.url, || async move {
            match self.open(byte).await {
                Err(Failure::Redirect(_)) => Err(self.refused("a redirect to nowhere").into()),
                opened => opened,
            }
        });
        opened.await
    }

    /// Waits, and reports the wait, before content that broke off is requested again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the retry budget is spent.
    pub async fn pause(&mut self, reason: &str) -> Result<()> {
        let fault = Fault::CutShort(reason.to_owned());
        let Self {
            client,
            url,
            attempts,
        } = self;
        client.pause(attempts, url, fault).await
    }

    /// Forgets earlier failures, because something new arrived.
    pub fn made_progress(&mut self) {
        self.attempts.succeeded();
    }

    async fn open(&self, from: u64) -> Result<Download, Failure> {
        let target = match self.client.get(&self.url).await {
            Err(Failure::Redirect(Some(location))) => location,
            Err(failure) => return Err(failure),
            Ok(answer) => return Ok(self.arriving(0, answer.into_content())),
        };
        let mut answer = self.follow(target.clone(), from).await?;
        if from > 0 && answer.0.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // The content is shorter than what the caller has, which cannot be a part of it.
            answer = self.follow(target, 0).await?;
        }
        let starts_at = self.start(&answer.0, from)?;
        let content = self.client.transport.content(self.url.path(), answer);
        Ok(self.arriving(starts_at, content))
    }

    /// The byte that the storage's answer begins at.
    fn start(&self, response: &Response, from: u64) -> Result<u64, Failure> {
        match response.status() {
            StatusCode::PARTIAL_CONTENT if start_of_range(response) == Some(from) => Ok(from),
            StatusCode::PARTIAL_CONTENT => Err(self.refused("another part than requested").into()),
            status if status.is_success() => Ok(0),
            status if is_passing(status) => Err(Fault::Storage(status.as_u16()).into()),
            status => Err(self
                .refused(&format!("the storage answers {status}"))
                .into()),
        }
    }

    /// The first answer that is not a redirect.
    async fn follow(&self, mut target: Url, from: u64) -> Result<(Response, TimeBudget), Failure> {
        for _ in 0..MAX_REDIRECTS {
            if !is_secure(&target) {
                let what = "a redirect to an address without https";
                return Err(self.refused(what).into());
            }
            let transport = &self.client.transport;
            let answer = transport
                .get_elsewhere(self.url.path(), &target, from)
                .await?;
            if !answer.0.status().is_redirection() {
                return Ok(answer);
            }
            let location = answer.0.headers().get(LOCATION);
            let location = location.and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| target.join(location).ok());
            target = next.ok_or_else(|| self.refused("a redirect to nowhere"))?;
        }
        Err(self.refused("too many redirects").into())
    }

    fn arriving(&self, starts_at: u64, content: Stream) -> Download {
        Download {
            starts_at,
            path: self.url.path().to_owned(),
            content,
        }
    }

    fn refused(&self, what: &str) -> Error {
        Error::protocol(self.url.path(), what)
    }
}

/// `Content-Range: bytes 900-999/1000` begins at 900.
fn start_of_range(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let start = range.strip_prefix("bytes ")?.split('-').next()?;
    start.trim().parse().ok()
}

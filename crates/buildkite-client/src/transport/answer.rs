//! A successful answer whose body has not been read.

use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_RANGE;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::body::Body;
use super::failure::Failure;
use super::header;
use super::link::Links;
use super::stream::Stream;
use crate::error::{Error, Fault};
use crate::limits::Limits;

/// A successful answer whose body has not been read.
pub(crate) struct Answer {
    url: Url,
    body: Body,
    limits: Limits,
    /// Bytes of the body that were read.
    length: usize,
    slot: Option<OwnedSemaphorePermit>,
}

impl Answer {
    pub(super) fn new(url: Url, body: Body, limits: Limits, slot: OwnedSemaphorePermit) -> Self {
        Self {
            url,
            body,
            limits,
            length: 0,
            slot: Some(slot),
        }
    }

    /// Lets another request take this one's slot before the body has been read. A reader that
    /// needs another request to go on would otherwise wait for itself.
    pub(crate) fn free_slot(&mut self) {
        self.slot = None;
    }

    /// The size of the whole, of which this answer is a range (`Content-Range`), in bytes.
    pub(crate) fn total(&self) -> Option<u64> {
        let range = header::text(self.body.headers(), CONTENT_RANGE.as_str())?;
        range.rsplit('/').next()?.parse().ok()
    }

    /// The links to other pages.
    ///
    /// # Errors
    /// [`Error::Protocol`] if there is a link that cannot be understood.
    pub(crate) fn links(&self) -> Result<Links, Error> {
        let links = Links::read(self.body.headers(), &self.url);
        links.map_err(|what| Error::protocol(self.url.path(), what))
    }

    /// The server's time when it answered.
    pub(crate) fn date(&self) -> Option<DateTime<Utc>> {
        header::date(self.body.headers())
    }

    /// Appends the next part of the body to `buffer`. Returns false at the end of the body.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the body is longer than `answer_bytes`.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<bool, Failure> {
        let before = buffer.len();
        let has_more = self.body.read(buffer).await?;
        self.length = self.length.saturating_add(buffer.len() - before);
        let limit = self.limits.answer_bytes;
        if self.length > limit {
            return Err(Failure::Final(Error::TooLarge {
                path: self.url.path().to_owned(),
                what: "the answer",
                limit: limit as u64,
                option: "answer_bytes",
            }));
        }
        Ok(has_more)
    }

    /// The whole body.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub(crate) async fn bytes(mut self) -> Result<Vec<u8>, Failure> {
        let mut buffer = Vec::new();
        while self.read(&mut buffer).await? {}
        Ok(buffer)
    }

    /// The whole body, or `None` if it is longer than `limit`. Then the rest is not read.
    pub(crate) async fn bytes_within(mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        let mut buffer = Vec::new();
        while self.body.read(&mut buffer).await? {
            if buffer.len() > limit {
                return Ok(None);
            }
        }
        Ok((buffer.len() <= limit).then_some(buffer))
    }

    /// The body as a text that is not kept.
    pub(crate) fn into_text(self) -> Stream {
        let limit = (self.limits.text_bytes, "text_bytes");
        Stream::new(self.url.path(), self.body, limit, self.slot)
    }

    /// The body as content that is not kept.
    pub(crate) fn into_content(self) -> Stream {
        let limit = (self.limits.content_bytes, "content_bytes");
        Stream::new(self.url.path(), self.body, limit, self.slot)
    }
}

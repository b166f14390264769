//! A successful answer whose body has not been read.

use std::time::Instant;

use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_RANGE;
use tokio::sync::OwnedSemaphorePermit;

use super::body::Body;
use super::header;
use super::link::Links;
use crate::error::Fault;

/// A successful answer whose body has not been read.
pub(crate) struct Answer {
    body: Body,
    arrived: Instant,
    slot: Option<OwnedSemaphorePermit>,
}

impl Answer {
    pub(super) fn new(body: Body, arrived: Instant, slot: OwnedSemaphorePermit) -> Self {
        Self {
            body,
            arrived,
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
    pub(crate) fn links(&self) -> Result<Links, Fault> {
        Links::read(self.body.headers()).map_err(|what| Fault::Broken(what.to_owned()))
    }

    /// The server's time when it answered, and ours when the answer arrived.
    pub(crate) fn date(&self) -> Option<(DateTime<Utc>, Instant)> {
        Some((header::date(self.body.headers())?, self.arrived))
    }

    /// Appends the next part of the body to `buffer`. Returns false at the end of the body.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<bool, Fault> {
        self.body.read(buffer).await
    }

    /// The whole body, or `None` if it is longer than `limit`. Then the rest is not read.
    pub(crate) async fn bytes_within(mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        let body = self.body.read_all(limit.saturating_add(1)).await?;
        Ok((body.len() <= limit).then_some(body))
    }

    /// The whole body.
    pub(crate) async fn bytes(mut self) -> Result<Vec<u8>, Fault> {
        self.body.read_all(usize::MAX).await
    }

    /// The last `limit` bytes of the body, and its length.
    pub(crate) async fn last_bytes(mut self, limit: usize) -> Result<(Vec<u8>, u64), Fault> {
        let (mut buffer, mut length) = (Vec::new(), 0);
        loop {
            let before = buffer.len();
            let has_more = self.body.read(&mut buffer).await?;
            length += (buffer.len() - before) as u64;
            // Moving bytes is expensive, so it is done rarely.
            if !has_more || buffer.len() > limit.saturating_mul(2) {
                let surplus = buffer.len().saturating_sub(limit);
                buffer.drain(..surplus);
            }
            if !has_more {
                return Ok((buffer, length));
            }
        }
    }
}

//! A body that is passed on part by part and not kept.

use tokio::sync::OwnedSemaphorePermit;

use super::body::Body;
use super::failure::Failure;
use crate::error::Error;

/// Each time that this much has arrived, the whole time of an answer is granted again.
const RENEWED_AFTER: usize = 1 << 20;

/// A body that is passed on part by part and not kept.
pub(crate) struct Stream {
    path: String,
    body: Body,
    length: u64,
    /// The most bytes that are accepted, and the field of `Limits` that says so.
    limit: (u64, &'static str),
    /// Bytes that arrived since time was granted.
    since_renewal: usize,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Stream {
    pub(super) fn new(
        path: &str,
        body: Body,
        limit: (u64, &'static str),
        slot: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            body,
            length: 0,
            limit,
            since_renewal: 0,
            _slot: slot,
        }
    }

    /// The next part, which may be empty, or `None` at the end.
    ///
    /// # Errors
    /// [`Fault::TooSlow`](crate::error::Fault::TooSlow) if a mebibyte takes longer than an answer
    /// may. [`Error::TooLarge`] if the body is longer than its limit.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut part = Vec::new();
        let has_more = self.body.read(&mut part).await?;
        self.count(part.len())?;
        Ok((has_more || !part.is_empty()).then_some(part))
    }

    /// The last `count` bytes of the body, and its length.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub(crate) async fn last_bytes(mut self, count: usize) -> Result<(Vec<u8>, u64), Failure> {
        let mut end = Vec::new();
        let keep_the_end = |end: &mut Vec<u8>| {
            let surplus = end.len().saturating_sub(count);
            end.drain(..surplus);
        };
        while let Some(part) = self.next().await? {
            end.extend(part);
            // Moving bytes is expensive, so it is done rarely.
            if end.len() > count.saturating_mul(2) {
                keep_the_end(&mut end);
            }
        }
        keep_the_end(&mut end);
        Ok((end, self.length))
    }

    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        self.length = self.length.saturating_add(bytes as u64);
        self.since_renewal += bytes;
        if self.since_renewal >= RENEWED_AFTER {
            self.since_renewal = 0;
            self.body.renew_time();
        }
        let (limit, option) = self.limit;
        if self.length <= limit {
            return Ok(());
        }
        Err(Error::TooLarge {
            path: self.path.clone(),
            what: "the content",
            limit,
            option,
        })
    }
}

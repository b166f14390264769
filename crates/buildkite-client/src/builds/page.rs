//! A page of builds that is arriving.

use std::ops::Range;

use url::Url;

use super::count::MAX_COUNT;
use super::splitter::{SplitError, Splitter};
use crate::error::{Error, Fault, Result};
use crate::limits::Limits;
use crate::page_size::MAX_PER_PAGE;
use crate::transport::{Answer, Failure, Links};

/// No page has more elements, even if the server ignores the page size or repeats elements.
const MAX_ELEMENTS: usize = 2 * MAX_PER_PAGE as usize;

/// A page of builds that is arriving.
pub(super) struct Page {
    pub(super) url: Url,
    pub(super) answer: Answer,
    pub(super) links: Links,
    splitter: Splitter,
    per_page: u32,
    /// Elements found so far.
    pub(super) elements: usize,
    /// Those that earlier pages did not have.
    pub(super) news: usize,
}

impl Page {
    /// # Errors
    /// [`Error::Protocol`] if its links cannot be understood.
    pub(super) fn new(url: &Url, answer: Answer, per_page: u32, limits: &Limits) -> Result<Self> {
        Ok(Self {
            url: url.clone(),
            links: answer.links()?,
            answer,
            splitter: Splitter::new(limits.element_bytes),
            per_page,
            elements: 0,
            news: 0,
        })
    }

    /// Where the next element is, when it has arrived, or `None` at the end of the page.
    pub(super) async fn next(&mut self) -> Result<Option<Range<usize>>, Failure> {
        loop {
            let found = self.splitter.next();
            if let Some(place) = found.map_err(|error| self.failure(error))? {
                self.count()?;
                return Ok(Some(place));
            }
            if !self.answer.read(self.splitter.room()).await? {
                let ended = self.splitter.finish();
                return ended.map(|()| None).map_err(|error| self.failure(error));
            }
        }
    }

    /// The text of an element, and the answer that it is part of.
    pub(super) fn element(&mut self, place: Range<usize>) -> (&[u8], &mut Answer) {
        (self.splitter.text(place), &mut self.answer)
    }

    /// About how many builds are left, according to the server's page count.
    pub(super) fn estimate(&self) -> Option<u64> {
        let later = self.links.last_page?.saturating_sub(1);
        let builds = later.saturating_mul(u64::from(self.per_page));
        Some(builds.min(MAX_COUNT))
    }

    fn count(&mut self) -> Result<()> {
        self.elements += 1;
        if self.elements <= MAX_ELEMENTS {
            return Ok(());
        }
        let what = format!("a page of more than {MAX_ELEMENTS} builds");
        Err(Error::protocol(self.url.path(), what))
    }

    fn failure(&self, error: SplitError) -> Failure {
        let path = self.url.path();
        match error {
            SplitError::Truncated => Fault::Broken(error.to_string()).into(),
            SplitError::Malformed | SplitError::Trailing => {
                Fault::NotJson(error.to_string()).into()
            }
            SplitError::NotAnArray => {
                let what = "it is not a list of builds: check `base_url`";
                Error::protocol(path, what).into()
            }
            SplitError::TooLarge(limit) => Error::element_too_large(path, limit).into(),
        }
    }
}

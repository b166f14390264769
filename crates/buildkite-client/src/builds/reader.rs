//! Reads the pages of a listing, one after the other.

use std::sync::atomic::Ordering;

use url::Url;

use super::jobs::jobs_of;
use super::keyset::{Keyset, Seen};
use super::query::BuildQuery;
use super::raw_build::{BuildError, RawBuild};
use super::splitter::{SplitError, Splitter};
use super::{Listed, ListingProgress};
use crate::client::{Client, not_json, redirected};
use crate::error::{Error, Fault, Result};
use crate::page_size::PageSize;
use crate::retry::Attempts;
use crate::transport::{Answer, Failure, Links};

/// A single build is read without its jobs after this many failures.
const FAILURES_BEFORE_JOBS_APART: u32 = 2;
/// A list starts with at least this page size, so that one huge build slows down no other list.
const SMALLEST_START: u32 = 25;
/// No millisecond has more pages of builds.
const MAX_NUMBERED_PAGES: u32 = 1_000;

/// A listing and its position.
pub(super) struct Reader<F> {
    client: Client,
    query: BuildQuery,
    keyset: Keyset,
    decode: F,
    page: Option<Page>,
    size: PageSize,
    attempts: Attempts,
    jobs_apart: bool,
    /// The last page was empty although more pages follow.
    was_empty: bool,
    is_done: bool,
}

/// A page that is arriving.
struct Page {
    url: Url,
    answer: Answer,
    splitter: Splitter,
    links: Links,
    per_page: u32,
    is_empty: bool,
}

/// Why a page yields no build.
enum Stop {
    Fault(Fault),
    Error(Error),
}

impl<F> Reader<F> {
    pub(super) fn new(client: Client, query: BuildQuery, decode: F) -> Self {
        let start = client.transport.builds_per_page.load(Ordering::Relaxed);
        Self {
            keyset: Keyset::new(query.created_from, query.created_to, query.by_page_number),
            client,
            query,
            decode,
            page: None,
            size: PageSize::new(start),
            attempts: Attempts::new(),
            jobs_apart: false,
            was_empty: false,
            is_done: false,
        }
    }

    pub(super) async fn next<T>(&mut self) -> Result<Option<Listed<T>>>
    where
        F: Fn(RawBuild<'_>) -> T,
    {
        while !self.is_done {
            if self.page.is_none() {
                self.open().await?;
                continue;
            }
            match self.next_build().await {
                Ok(Some(build)) => return Ok(Some(Listed::Build(build))),
                Ok(None) => return self.close().map(Some),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Fault(fault)) => {
                    if let Some(progress) = self.fail(fault).await? {
                        return Ok(Some(Listed::Page(progress)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Requests the next page. Leaves `page` empty if that failed and may be repeated.
    async fn open(&mut self) -> Result<()> {
        if let Some(bound) = self.query.lower_bound.get() {
            self.keyset.raise(bound);
        }
        let url = self.url();
        match self.request(&url).await {
            Ok(page) => {
                self.page = Some(page);
                Ok(())
            }
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Fault(fault)) => self.fail(fault).await.map(|_| ()),
            Err(Failure::Redirect(_)) => Err(redirected(&url)),
        }
    }

    async fn request(&self, url: &Url) -> Result<Page, Failure> {
        let answer = self.client.get(url).await?;
        Ok(Page {
            url: url.clone(),
            links: answer.links()?,
            answer,
            splitter: Splitter::default(),
            per_page: self.size.get(),
            is_empty: true,
        })
    }

    fn url(&self) -> Url {
        let mut url = self.query.url(&self.client.transport.base);
        self.keyset.bound(&mut url);
        let jobs = if self.query.with_jobs && !self.jobs_apart {
            "include_retried_jobs"
        } else {
            "exclude_jobs"
        };
        url.query_pairs_mut()
            .append_pair(jobs, "true")
            .append_pair("per_page", &self.size.get().to_string());
        url
    }

    /// The next build of the page that was not seen before, or `None` at the end of the page.
    async fn next_build<T>(&mut self) -> Result<Option<T>, Stop>
    where
        F: Fn(RawBuild<'_>) -> T,
    {
        let page = self.page.as_mut().expect("a page is open");
        loop {
            let Some(text) = page.splitter.next().map_err(Stop::from)? else {
                if page.answer.read(page.splitter.room()).await? {
                    continue;
                }
                page.splitter.finish()?;
                self.check_empty()?;
                return Ok(None);
            };
            page.is_empty = false;
            let build = RawBuild::parse(text).map_err(|error| refuse(error, &page.url))?;
            match self.keyset.accept(build.id, build.created_at) {
                Seen::Before => {}
                // The jobs were left out because we asked for that, or by the server.
                Seen::New if self.query.with_jobs && !build.has_jobs => {
                    page.answer.free_slot();
                    let jobs = jobs_of(&self.client, &self.query.organization, &build).await?;
                    let Some(jobs) = jobs else {
                        // The next answer shows whether it was removed or moved.
                        self.keyset.forget(build.id);
                        let what = "a build was removed before its jobs were read";
                        return Err(Fault::Broken(what.to_owned()).into());
                    };
                    let jobs = jobs.iter().map(AsRef::as_ref).collect();
                    return Ok(Some((self.decode)(RawBuild { jobs, ..build })));
                }
                Seen::New => return Ok(Some((self.decode)(build))),
                Seen::Outside => {
                    let what = "a build outside of the requested time";
                    return Err(Error::protocol(page.url.path(), what).into());
                }
            }
        }
    }

    /// An empty page that cannot be the last is requested once more, then accepted.
    fn check_empty(&mut self) -> Result<(), Fault> {
        let page = self.page.as_ref().expect("a page is open");
        let has_more = page.links.next.is_some() || self.keyset.repeats();
        if !page.is_empty || !has_more || self.was_empty {
            return Ok(());
        }
        self.was_empty = true;
        Err(Fault::Broken(
            "it is empty, although more pages follow".to_owned(),
        ))
    }

    /// Ends a page that was read completely.
    fn close<T>(&mut self) -> Result<Listed<T>> {
        let page = self.page.take().expect("a page was read");
        let mut progress = self.progress(Some(&page));
        self.attempts.succeeded();
        self.jobs_apart = false;
        self.was_empty = false;
        let learned = &self.client.transport.builds_per_page;
        learned.store(self.size.get().max(SMALLEST_START), Ordering::Relaxed);
        match page.links.next {
            _ if !self.keyset.joins() => {}
            None => {
                self.is_done = true;
                progress.is_end = true;
                progress.remaining_to = None;
            }
            Some(next) => {
                self.client.follow(&page.url, next)?;
                self.keyset.next_page();
                progress.remaining_to = self.keyset.remaining_to();
                self.check_numbering(&page.url)?;
                if !self.keyset.is_numbered() {
                    self.size.grow();
                }
            }
        }
        Ok(Listed::Page(progress))
    }

    /// Ends a page that failed. Waits, and makes the next one smaller. Returns the progress it made,
    /// if any.
    async fn fail(&mut self, fault: Fault) -> Result<Option<ListingProgress>> {
        let progress = self.break_off();
        let url = self.url();
        self.client.pause(&mut self.attempts, &url, fault).await?;
        if self.size.shrink() {
            self.keyset.renumber();
        } else if self.attempts.failures() >= FAILURES_BEFORE_JOBS_APART {
            self.jobs_apart = self.query.with_jobs;
        }
        Ok(progress)
    }

    fn break_off(&mut self) -> Option<ListingProgress> {
        let page = self.page.take();
        if !self.keyset.broke_off() {
            return None;
        }
        self.attempts.succeeded();
        Some(self.progress(page.as_ref()))
    }

    fn progress(&self, page: Option<&Page>) -> ListingProgress {
        ListingProgress {
            is_end: false,
            remaining_to: self.keyset.remaining_to(),
            server_time: page
                .and_then(|page| page.answer.date())
                .map(|(at, _)| at)
                .or(self.keyset.newest()),
            estimate: page.and_then(|page| {
                let pages = page.links.last_page?;
                Some(pages.saturating_sub(1) * u64::from(page.per_page))
            }),
        }
    }

    fn check_numbering(&self, url: &Url) -> Result<()> {
        if self.keyset.page() <= MAX_NUMBERED_PAGES {
            return Ok(());
        }
        let what = format!("the list makes no progress for {MAX_NUMBERED_PAGES} pages");
        Err(Error::protocol(url.path(), what))
    }
}

fn refuse(error: BuildError, url: &Url) -> Stop {
    match error {
        BuildError::NotText => Stop::Fault(Fault::NotJson("it is not UTF-8".to_owned())),
        BuildError::Json(error) => Stop::Fault(not_json(&error)),
        BuildError::Lacks(field) => {
            let what = format!("a build without a usable `{field}`");
            Error::protocol(url.path(), what).into()
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<SplitError> for Stop {
    fn from(error: SplitError) -> Self {
        Self::Fault(match error {
            SplitError::Truncated => Fault::Broken(error.to_string()),
            _ => Fault::NotJson(error.to_string()),
        })
    }
}

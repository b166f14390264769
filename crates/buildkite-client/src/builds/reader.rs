//! Reads the pages of a listing, one after the other.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;

use url::Url;

use super::channel::Outlet;
use super::jobs::jobs_of;
use super::keyset::{Keyset, Seen};
use super::page::Page;
use super::query::BuildQuery;
use super::raw_build::RawBuild;
use super::unusable::{Diagnosis, Unusable};
use super::{Listed, ListingProgress};
use crate::client::{Client, redirected};
use crate::error::{Error, Fault, Result};
use crate::page_size::PageSize;
use crate::retry::Attempts;
use crate::transport::{Answer, Failure};

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
    size: PageSize,
    attempts: Attempts,
    jobs_apart: bool,
    /// The last page was empty although more pages follow.
    was_empty: bool,
    /// Pages in a row without anything new.
    fruitless: u32,
    /// A build that was listed but could not be found.
    missing: Option<String>,
    /// Hashes of unusable elements that were yielded.
    reported: (RandomState, HashSet<u64>),
    is_done: bool,
}

impl<F> Reader<F> {
    pub(super) fn new(client: Client, query: BuildQuery, decode: F) -> Self {
        let start = client.transport.builds_per_page.load(Ordering::Relaxed);
        Self {
            keyset: Keyset::new(query.created_from, query.created_to, query.by_page_number),
            client,
            query,
            decode,
            size: PageSize::new(start),
            attempts: Attempts::new(),
            jobs_apart: false,
            was_empty: false,
            fruitless: 0,
            missing: None,
            reported: Default::default(),
            is_done: false,
        }
    }

    /// Whether all builds have been read.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Reads one page, or as much of it as arrives. Returns the progress it made, if any.
    pub(super) async fn read_page<T: Send>(
        &mut self,
        outlet: &Outlet<Listed<T>>,
    ) -> Result<Option<ListingProgress>>
    where
        F: Fn(RawBuild<'_>) -> T,
    {
        if let Some(bound) = self.query.lower_bound.get() {
            self.keyset.raise(bound);
        }
        let mut page = match self.request().await {
            Ok(page) => page,
            Err(failure) => return self.fail(failure, None).await,
        };
        match self.drain(&mut page, outlet).await {
            Ok(()) => self.complete(&page).map(Some),
            Err(failure) => self.fail(failure, Some(page)).await,
        }
    }

    async fn request(&self) -> Result<Page, Failure> {
        let url = self.url();
        let answer = self.client.get(&url).await?;
        let limits = &self.client.transport.limits;
        Ok(Page::new(&url, answer, self.size.get(), limits)?)
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

    /// Sends what the page has, as it arrives.
    async fn drain<T: Send>(
        &mut self,
        page: &mut Page,
        outlet: &Outlet<Listed<T>>,
    ) -> Result<(), Failure>
    where
        F: Fn(RawBuild<'_>) -> T,
    {
        while let Some(place) = page.next().await? {
            let bytes = place.len();
            let (position, path) = (page.elements, page.url.path().to_owned());
            let (text, answer) = page.element(place);
            let listed = match RawBuild::parse(text) {
                Ok(build) => self.take(build, answer, (&path, position)).await?,
                Err(_) => self.report(text, (&path, position))?.map(Listed::Unusable),
            };
            if let Some(listed) = listed {
                page.news += 1;
                outlet.send(listed, bytes).await;
            }
        }
        Ok(self.check_empty(page)?)
    }

    /// A build that was not seen before, with its jobs.
    async fn take<T>(
        &mut self,
        build: RawBuild<'_>,
        answer: &mut Answer,
        (path, position): (&str, usize),
    ) -> Result<Option<Listed<T>>, Failure>
    where
        F: Fn(RawBuild<'_>) -> T,
    {
        match self.keyset.accept(build.id, build.created_at) {
            Seen::Before => return Ok(None),
            Seen::Outside => return Err(outside(path).into()),
            Seen::New => {}
        }
        if !self.query.with_jobs || build.has_jobs {
            return Ok(Some(Listed::Build((self.decode)(build))));
        }
        // The jobs were left out because we asked for that, or by the server.
        answer.free_slot();
        let jobs = jobs_of(&self.client, &self.query.organization, &build).await?;
        match jobs {
            Some(jobs) => {
                let jobs = jobs.iter().map(AsRef::as_ref).collect();
                let build = RawBuild { jobs, ..build };
                Ok(Some(Listed::Build((self.decode)(build))))
            }
            None if self.missing.as_deref() == Some(build.id) => {
                let reason = "it is listed, but neither it nor its jobs can be found";
                let unusable = Unusable::of(&build, path, position, reason)
                    .discreet(|text| self.client.transport.redact(text));
                Ok(Some(Listed::Unusable(unusable)))
            }
            None => {
                // The next answer shows whether it was removed or moved.
                self.keyset.forget(build.id);
                self.missing = Some(build.id.to_owned());
                Err(Fault::Inconsistent("a build was removed before its jobs were read").into())
            }
        }
    }

    /// An element that is not a build, unless it was reported before. A damaged one is requested
    /// again once.
    fn report(
        &mut self,
        text: &[u8],
        (path, position): (&str, usize),
    ) -> Result<Option<Unusable>, Failure> {
        let unusable = match Diagnosis::of(text, path, position) {
            Diagnosis::NotJson(unusable) if self.attempts.failures() == 0 => {
                return Err(Fault::NotJson(unusable.reason).into());
            }
            Diagnosis::NotJson(unusable) | Diagnosis::WrongShape(unusable) => unusable,
        };
        let (hasher, reported) = &mut self.reported;
        let hash = hasher.hash_one(text);
        let is_new = match unusable.created_at {
            None => reported.insert(hash),
            Some(created_at) => {
                let id = unusable.id.clone().unwrap_or_else(|| format!("#{hash}"));
                match self.keyset.accept(&id, created_at) {
                    Seen::New => true,
                    Seen::Before => false,
                    Seen::Outside => return Err(outside(path).into()),
                }
            }
        };
        let redact = |text: &str| self.client.transport.redact(text);
        Ok(is_new.then(|| unusable.discreet(redact)))
    }

    /// An empty page that cannot be the last is requested once more, then accepted.
    fn check_empty(&mut self, page: &Page) -> Result<(), Fault> {
        let is_empty = page.elements == 0;
        if !is_empty || self.was_empty || (page.links.next.is_none() && !self.keyset.repeats()) {
            return Ok(());
        }
        self.was_empty = true;
        Err(Fault::Inconsistent(
            "a page is empty, although more pages follow",
        ))
    }

    /// Ends a page that was read completely.
    fn complete(&mut self, page: &Page) -> Result<ListingProgress> {
        let mut progress = self.progress(page);
        self.attempts.succeeded();
        self.jobs_apart = false;
        self.was_empty = false;
        let learned = &self.client.transport.builds_per_page;
        learned.store(self.size.get().max(SMALLEST_START), Ordering::Relaxed);
        self.check_progress(page)?;
        if !self.keyset.joins() {
            return Ok(progress);
        }
        let Some(next) = &page.links.next else {
            self.is_done = true;
            progress.is_end = true;
            progress.remaining_to = None;
            return Ok(progress);
        };
        self.client.follow(&page.url, next.clone())?;
        self.keyset.next_page();
        progress.remaining_to = self.keyset.remaining_to();
        self.check_numbering(&page.url)?;
        if !self.keyset.is_numbered() {
            self.size.grow();
        }
        Ok(progress)
    }

    /// Ends a page that failed. Waits, and makes the next one smaller if that may help. Returns the
    /// progress it made, if any.
    async fn fail(
        &mut self,
        failure: Failure,
        page: Option<Page>,
    ) -> Result<Option<ListingProgress>> {
        let url = self.url();
        let progress = self.break_off(page);
        match failure {
            Failure::Redirect(_) => Err(redirected(&url)),
            // What was read is good. The rest comes in smaller pages.
            Failure::Final(Error::TooLarge { .. }) if progress.is_some() => {
                self.shrink();
                Ok(progress)
            }
            Failure::Final(error) => Err(error),
            Failure::Fault(fault) => {
                let depends_on_size = fault.depends_on_size();
                self.client.pause(&mut self.attempts, &url, fault).await?;
                if depends_on_size {
                    self.shrink();
                }
                Ok(progress)
            }
        }
    }

    /// Continues after the last build that was read, if the page had any.
    fn break_off(&mut self, page: Option<Page>) -> Option<ListingProgress> {
        let has_advanced = self.keyset.broke_off();
        let page = page.filter(|page| page.news > 0 && has_advanced)?;
        self.attempts.succeeded();
        self.fruitless = 0;
        Some(self.progress(&page))
    }

    /// Makes the next page smaller.
    fn shrink(&mut self) {
        if self.size.shrink() {
            self.keyset.renumber();
        } else if self.attempts.failures() >= FAILURES_BEFORE_JOBS_APART {
            self.jobs_apart = self.query.with_jobs;
        }
    }

    fn progress(&self, page: &Page) -> ListingProgress {
        ListingProgress {
            is_end: false,
            remaining_to: self.keyset.remaining_to(),
            server_time: page.answer.date().or(self.keyset.newest()),
            estimate: page.estimate(),
        }
    }

    /// A page that brings nothing new is fine if it repeats what the pages before it had, at most
    /// once.
    fn check_progress(&mut self, page: &Page) -> Result<()> {
        self.fruitless = if page.news > 0 { 0 } else { self.fruitless + 1 };
        let repeatable = self.keyset.repeatable().div_ceil(self.size.get());
        let most = self.client.transport.limits.fruitless_requests;
        if self.fruitless <= most.saturating_add(repeatable) {
            return Ok(());
        }
        Err(Error::NoProgress {
            path: page.url.path().to_owned(),
            requests: self.fruitless,
        })
    }

    fn check_numbering(&self, url: &Url) -> Result<()> {
        if self.keyset.page() <= MAX_NUMBERED_PAGES {
            return Ok(());
        }
        let what = format!("the list makes no progress for {MAX_NUMBERED_PAGES} pages");
        Err(Error::protocol(url.path(), what))
    }
}

fn outside(path: &str) -> Error {
    Error::protocol(path, "a build outside of the requested time")
}

//! Listing builds: keyset pages, split while they arrive, at a page size that the server can bear.
//!
//! A page that fails, or breaks off, is asked for again at half the size, from the last build
//! that came whole; a build that cannot be had with all of its jobs in one answer is read without
//! them, and its jobs from their own list.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, TryStreamExt};
use serde_json::value::RawValue;
use url::Url;

use crate::build::{BuildError, RawBuild};
use crate::client::{Client, not_json, redirected};
use crate::error::{Error, Fault, Result};
use crate::http::{Answer, Failure};
use crate::keyset::{Keyset, Seen};
use crate::link::Links;
use crate::page_size::PageSize;
use crate::pages::Paging;
use crate::query::BuildQuery;
use crate::retry::Attempts;
use crate::splitter::{SplitError, Splitter};

/// So often a single build must fail before it is read without its jobs.
const FAILURES_BEFORE_JOBS_APART: u32 = 2;
/// A list begins with so many builds a page at least: one huge build makes no list slow.
const SMALLEST_START: u32 = 25;
/// So many pages out of one millisecond cannot be.
const MAX_NUMBERED_PAGES: u32 = 1_000;

/// What a listing yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed<T> {
    /// A build, newest first, each once.
    Build(T),
    /// A page ended, or broke off: all builds before this have been yielded.
    Page(Progress),
}

/// How far a listing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// All builds have been yielded.
    pub is_end: bool,
    /// All builds created at or after this have been yielded; absent if that cannot be said, as
    /// at the end, and where a list turns out not to be in order.
    pub remaining_to: Option<DateTime<Utc>>,
    /// The server's time when it answered; if it does not tell, when the newest build read was
    /// created.
    pub server_time: Option<DateTime<Utc>>,
    /// About how many builds are left, as the server counts pages.
    pub estimate: Option<u64>,
}

impl Client {
    /// Every build of `query`, newest first, each once. `decode` takes from a build what the
    /// caller needs; it is called as the builds arrive.
    ///
    /// # Errors
    /// Those of [`object`](Client::object). The stream ends after its first error.
    pub fn builds<T, F>(
        &self,
        query: BuildQuery,
        decode: F,
    ) -> impl Stream<Item = Result<Listed<T>>> + Send + 'static
    where
        T: Send + 'static,
        F: Fn(RawBuild<'_>) -> T + Send + Sync + 'static,
    {
        let reader = Reader {
            client: self.clone(),
            keyset: Keyset::new(query.created_from, query.created_to, query.by_page_number),
            query,
            decode: Arc::new(decode),
            page: None,
            size: PageSize::new(self.http.builds_a_page.load(Ordering::Relaxed)),
            attempts: Attempts::new(),
            jobs_apart: false,
            was_empty: false,
            is_done: false,
        };
        stream::try_unfold(reader, |mut reader| async move {
            let listed = reader.next().await?;
            Ok(listed.map(|listed| (listed, reader)))
        })
    }
}

struct Reader<F> {
    client: Client,
    query: BuildQuery,
    keyset: Keyset,
    decode: Arc<F>,
    page: Option<Page>,
    size: PageSize,
    attempts: Attempts,
    jobs_apart: bool,
    /// The last page was empty, though there was more.
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

/// Why a page gave no element.
enum Stop {
    Fault(Fault),
    Error(Error),
}

impl<F> Reader<F> {
    async fn next<T>(&mut self) -> Result<Option<Listed<T>>>
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

    /// Asks for the next page; leaves `page` empty if that failed and may be tried again.
    async fn open(&mut self) -> Result<()> {
        if let Some(floor) = self.query.floor.get() {
            self.keyset.raise(floor);
        }
        let url = self.url();
        let opened = match self.client.get(&url).await {
            Ok(answer) => answer
                .links()
                .map(|links| (answer, links))
                .map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        match opened {
            Ok((answer, links)) => {
                self.page = Some(Page {
                    url,
                    answer,
                    splitter: Splitter::default(),
                    links,
                    per_page: self.size.get(),
                    is_empty: true,
                });
                Ok(())
            }
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Fault(fault)) => self.fail(fault).await.map(drop),
            Err(Failure::Redirect(_)) => Err(redirected(&self.url())),
        }
    }

    fn url(&self) -> Url {
        let mut url = self.query.url(&self.client.http.base);
        self.keyset.bound(&mut url);
        let with_jobs = self.query.with_jobs && !self.jobs_apart;
        let jobs = match with_jobs {
            true => "include_retried_jobs",
            false => "exclude_jobs",
        };
        url.query_pairs_mut()
            .append_pair(jobs, "true")
            .append_pair("per_page", &self.size.get().to_string());
        url
    }

    /// The next build of the page that was not seen before; `None` at the end of the page. A page
    /// that is empty though there is more is asked for once more, and then believed.
    async fn next_build<T>(&mut self) -> Result<Option<T>, Stop>
    where
        F: Fn(RawBuild<'_>) -> T,
    {
        let page = self.page.as_mut().expect("a page is open");
        loop {
            let Some(text) = page.splitter.next().map_err(Stop::from)? else {
                if !page.answer.read(page.splitter.room()).await? {
                    page.splitter.finish()?;
                    let has_more = page.links.next.is_some() || self.keyset.repeats();
                    if page.is_empty && has_more && !self.was_empty {
                        self.was_empty = true;
                        return Err(
                            Fault::Broken("it is empty, though there is more".into()).into()
                        );
                    }
                    return Ok(None);
                }
                continue;
            };
            page.is_empty = false;
            let build = RawBuild::parse(text).map_err(|error| refuse(error, &page.url))?;
            match self.keyset.accept(build.id, build.created_at) {
                Seen::Before => {}
                // Left out because we asked, or because the server would not give them.
                Seen::New if self.query.with_jobs && !build.has_jobs => {
                    page.answer.free_slot();
                    let jobs = jobs_of(&self.client, &self.query.organization, &build).await?;
                    let Some(jobs) = jobs else {
                        // Removed, which the next answer shows, or moved with its pipeline.
                        self.keyset.forget(build.id);
                        return Err(Fault::Broken("a build is gone before its jobs".into()).into());
                    };
                    let jobs = jobs.iter().map(AsRef::as_ref).collect();
                    return Ok(Some((self.decode)(RawBuild { jobs, ..build })));
                }
                Seen::New => return Ok(Some((self.decode)(build))),
                Seen::Outside => {
                    return Err(Stop::Error(Error::Protocol {
                        path: page.url.path().to_owned(),
                        what: "a build outside of the time asked for".to_owned(),
                    }));
                }
            }
        }
    }

    /// A page has been read to its end.
    fn close<T>(&mut self) -> Result<Listed<T>> {
        let page = self.page.take().expect("a page was read");
        let mut progress = self.progress(Some(&page));
        self.attempts.succeeded();
        self.jobs_apart = false;
        self.was_empty = false;
        let learned = &self.client.http.builds_a_page;
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

    /// A page failed: waits and makes the next one smaller. Says how far it came, if it did.
    async fn fail(&mut self, fault: Fault) -> Result<Option<Progress>> {
        let path = self.url().path().to_owned();
        let page = self.page.take();
        let made_progress = self.keyset.broke_off();
        let progress = made_progress.then(|| self.progress(page.as_ref()));
        drop(page);
        if made_progress {
            self.attempts.succeeded();
        }
        let Client { http, listener, .. } = &self.client;
        self.attempts.pause(http, listener, &path, fault).await?;
        if self.size.shrink() {
            self.keyset.renumber();
        } else if self.attempts.failures() >= FAILURES_BEFORE_JOBS_APART {
            self.jobs_apart = self.query.with_jobs;
        }
        Ok(progress)
    }

    fn progress(&self, page: Option<&Page>) -> Progress {
        Progress {
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
        Err(Error::Protocol {
            path: url.path().to_owned(),
            what: format!("the list does not move on after {MAX_NUMBERED_PAGES} pages"),
        })
    }
}

/// All jobs of one build, from their own list, which shows retried ones when asked; `None` if the
/// build has been removed since it was listed.
async fn jobs_of(
    client: &Client,
    organization: &str,
    build: &RawBuild<'_>,
) -> Result<Option<Vec<Box<RawValue>>>> {
    let number = build.number.to_string();
    let slug = &build.pipeline_slug;
    let path = [
        "v2",
        "organizations",
        organization,
        "pipelines",
        slug,
        "builds",
        &number,
        "jobs",
    ];
    let query = [("include_retried_jobs", "true")];
    let jobs = client
        .list(&path, &query, Paging::Cursor)
        .try_collect()
        .await;
    let Err(missing @ Error::NotFound { .. }) = jobs else {
        return jobs.map(Some);
    };
    // A build that is still there must not be lost because its jobs are not.
    match client.object(&path[..path.len() - 1]).await {
        Err(Error::NotFound { .. }) => Ok(None),
        Ok(_) => Err(missing),
        Err(error) => Err(error),
    }
}

fn refuse(error: BuildError, url: &Url) -> Stop {
    match error {
        BuildError::NotText => Stop::Fault(Fault::NotJson("it is not UTF-8".to_owned())),
        BuildError::Json(error) => Stop::Fault(not_json(&error)),
        BuildError::Lacks(field) => Stop::Error(Error::Protocol {
            path: url.path().to_owned(),
            what: format!("a build without a usable `{field}`"),
        }),
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

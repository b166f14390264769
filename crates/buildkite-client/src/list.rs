//! Plain lists, in both of Buildkite's paging styles.
//!
//! One page is held at a time, and only a complete one is passed on. Only a missing `next` link
//! ends a list. An empty page does not.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use futures::stream::{self, Stream, TryStreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::page_size::MAX_PER_PAGE;
use crate::transport::Answer;

/// No real list has more pages.
const MAX_PAGES: usize = 100_000;

/// How a list is paged (API facts 4.1 and 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// An array, with a `Link` header.
    Number,
    /// An object of `items` and `links`.
    Cursor,
}

struct Page {
    items: Vec<Box<RawValue>>,
    next: Option<Url>,
}

#[derive(Deserialize)]
struct CursorPage {
    items: Vec<Box<RawValue>>,
    #[serde(default)]
    links: Option<CursorLinks>,
}

#[derive(Deserialize)]
struct CursorLinks {
    next: Option<String>,
}

/// A list and how far it was read.
struct List {
    client: Client,
    paging: Paging,
    /// JSON pointer to the items of each answer.
    pointer: Option<String>,
    next: Option<Url>,
    seen: SeenPages,
}

/// The pages that were read, to notice a list that does not end.
#[derive(Default)]
struct SeenPages {
    hasher: RandomState,
    addresses: HashSet<u64>,
    contents: HashSet<u64>,
    /// Pages in a row that were empty or had been seen before.
    fruitless: u32,
}

impl Client {
    /// Every item of the list at a path below the base URL, in the server's order, as the text it
    /// arrived in. The stream ends after its first error.
    ///
    /// # Errors
    /// Those of [`object`](Self::object). [`Error::Protocol`] if a `next` link leaves the base URL.
    /// [`Error::NoProgress`] or [`Error::Protocol`] if the list does not end.
    pub fn list(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        paging: Paging,
    ) -> impl Stream<Item = Result<Box<RawValue>>> + Send + 'static {
        self.list_at(segments, query, paging, None)
    }

    /// Like [`list`](Self::list), for answers that have their items at the JSON pointer `items`.
    ///
    /// # Errors
    /// Those of [`list`](Self::list), and [`Error::Protocol`] if there is no list.
    pub fn list_at(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        paging: Paging,
        items: Option<&str>,
    ) -> impl Stream<Item = Result<Box<RawValue>>> + Send + 'static {
        let mut first = self.url(segments, query);
        first
            .query_pairs_mut()
            .append_pair("per_page", &MAX_PER_PAGE.to_string());
        let list = List {
            client: self.clone(),
            paging,
            pointer: items.map(str::to_owned),
            next: Some(first),
            seen: SeenPages::default(),
        };
        let pages = stream::try_unfold(list, |mut list| async move {
            let items = list.next_page().await?;
            Ok(items.map(|items| (stream::iter(items.into_iter().map(Ok)), list)))
        });
        pages.try_flatten()
    }
}

impl List {
    /// The items of the next page, or `None` after the last.
    async fn next_page(&mut self) -> Result<Option<Vec<Box<RawValue>>>> {
        let Some(url) = self.next.take() else {
            return Ok(None);
        };
        self.seen.visit(&url)?;
        let Page { items, next } = self.page(&url).await?;
        self.check_sizes(&url, &items)?;
        if let Some(next) = next {
            let most = self.client.transport.limits.fruitless_requests;
            self.seen.check_progress(&url, &items, most)?;
            self.next = Some(self.client.follow(&url, next)?);
        }
        Ok(Some(items))
    }

    /// One page. An empty page that has a `next` link is requested once more, then accepted.
    async fn page(&self, url: &Url) -> Result<Page> {
        let page = self.read(url).await?;
        if page.items.is_empty() && page.next.is_some() {
            return self.read(url).await;
        }
        Ok(page)
    }

    async fn read(&self, url: &Url) -> Result<Page> {
        match (&self.pointer, self.paging) {
            (Some(pointer), _) => self.read_at(url, pointer).await,
            (None, Paging::Number) => {
                let (items, links) = self.client.fetch_with(url, Answer::links).await?;
                let next = links.next;
                Ok(Page { items, next })
            }
            (None, Paging::Cursor) => {
                let CursorPage { items, links } = self.client.fetch(url).await?;
                let next = links.and_then(|links| links.next);
                let next = next.map(|next| resolve(url, &next)).transpose()?;
                Ok(Page { items, next })
            }
        }
    }

    /// A page whose items are nested deeper, with its `next` link in the header or beside them.
    async fn read_at(&self, url: &Url, pointer: &str) -> Result<Page> {
        let (body, links): (Box<RawValue>, _) = self.client.fetch_with(url, Answer::links).await?;
        let items = at(&body, pointer).ok_or_else(|| {
            let what = format!("its answer has no list at {pointer}");
            Error::protocol(url.path(), what)
        })?;
        let next = match self.paging {
            Paging::Number => links.next,
            Paging::Cursor => {
                let next = CursorLinks::of(&body).and_then(|links| links.next);
                next.map(|next| resolve(url, &next)).transpose()?
            }
        };
        Ok(Page { items, next })
    }

    fn check_sizes(&self, url: &Url, items: &[Box<RawValue>]) -> Result<()> {
        let limit = self.client.transport.limits.element_bytes;
        if items.iter().all(|item| item.get().len() <= limit) {
            return Ok(());
        }
        Err(Error::element_too_large(url.path(), limit))
    }
}

impl SeenPages {
    /// Counts a request. A list never leads back to a page that was read.
    fn visit(&mut self, url: &Url) -> Result<()> {
        let is_new = self.addresses.insert(self.hasher.hash_one(url));
        if !is_new {
            let what = "its `next` links lead in a circle";
            return Err(Error::protocol(url.path(), what));
        }
        if self.addresses.len() > MAX_PAGES {
            let what = format!("the list has more than {MAX_PAGES} pages");
            return Err(Error::protocol(url.path(), what));
        }
        Ok(())
    }

    /// Checks that a page that is not the last brings something new, at least from time to time.
    fn check_progress(&mut self, url: &Url, items: &[Box<RawValue>], most: u32) -> Result<()> {
        let texts: Vec<_> = items.iter().map(|item| item.get()).collect();
        let is_new = !items.is_empty() && self.contents.insert(self.hasher.hash_one(texts));
        self.fruitless = if is_new { 0 } else { self.fruitless + 1 };
        if self.fruitless < most {
            return Ok(());
        }
        Err(Error::NoProgress {
            path: url.path().to_owned(),
            requests: self.fruitless,
        })
    }
}

impl CursorLinks {
    fn of(body: &RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Linked {
            links: Option<CursorLinks>,
        }
        let linked: Linked = serde_json::from_str(body.get()).ok()?;
        linked.links
    }
}

/// The address of a link in the answer to `url`.
fn resolve(url: &Url, link: &str) -> Result<Url> {
    let resolved = url.join(link);
    resolved.map_err(|_| Error::protocol(url.path(), "its `next` link is not a URL"))
}

/// The list at a JSON pointer (RFC 6901).
fn at(body: &RawValue, pointer: &str) -> Option<Vec<Box<RawValue>>> {
    let mut value = body.to_owned();
    for part in pointer.split('/').skip(1).filter(|part| !part.is_empty()) {
        let key = part.replace("~1", "/").replace("~0", "~");
        let mut object: HashMap<String, Box<RawValue>> = serde_json::from_str(value.get()).ok()?;
        value = object.remove(&key)?;
    }
    serde_json::from_str(value.get()).ok()
}

//! Plain lists, in both of Buildkite's paging styles.
//!
//! One page is held at a time, and only a whole one is passed on. Only a missing `next` link ends
//! a list: an empty page does not.

use futures::stream::{self, Stream, TryStreamExt};
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::client::Client;
use crate::error::{Error, Result};

/// The largest page that Buildkite gives.
pub(crate) const MAX_PER_PAGE: u32 = 100;
/// No list is this long; one that is would never end.
const MAX_PAGES: u32 = 100_000;

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
    next: Option<Url>,
}

impl Client {
    /// Every item of the list at a path below the base URL, in the server's order, as the text it
    /// came in. The stream ends after its first error.
    ///
    /// # Errors
    /// Those of [`object`](Self::object), and [`Error::Protocol`] if a `next` link leaves the
    /// base URL or never ends.
    pub fn list(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        paging: Paging,
    ) -> impl Stream<Item = Result<Box<RawValue>>> + Send + 'static {
        self.list_at(segments, query, paging, None)
    }

    /// As [`list`](Self::list), where each answer has its items at the JSON pointer `items`.
    ///
    /// # Errors
    /// Those of [`list`](Self::list), and [`Error::Protocol`] if nothing lies there.
    pub fn list_at(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        paging: Paging,
        items: Option<&str>,
    ) -> impl Stream<Item = Result<Box<RawValue>>> + Send + 'static {
        let pointer = items.map(str::to_owned);
        let mut first = self.http.base.join(segments.iter().copied());
        first
            .query_pairs_mut()
            .extend_pairs(query)
            .append_pair("per_page", &MAX_PER_PAGE.to_string());
        let client = self.clone();
        let pages = stream::try_unfold((Some(first), 0), move |(url, read)| {
            let client = client.clone();
            let pointer = pointer.clone();
            async move {
                let Some(url) = url else { return Ok(None) };
                let Page { items, next } = client.page(&url, paging, pointer.as_deref()).await?;
                let next = next.map(|next| client.follow(&url, next)).transpose()?;
                if read >= MAX_PAGES {
                    return Err(Error::Protocol {
                        path: url.path().to_owned(),
                        what: format!("the list goes on after {MAX_PAGES} pages"),
                    });
                }
                let items = stream::iter(items.into_iter().map(Ok));
                Ok(Some((items, (next, read + 1))))
            }
        });
        pages.try_flatten()
    }

    /// One that is empty though more follows is asked for once more, and then believed.
    async fn page(&self, url: &Url, paging: Paging, pointer: Option<&str>) -> Result<Page> {
        let page = self.any_page(url, paging, pointer).await?;
        match page.items.is_empty() && page.next.is_some() {
            true => self.any_page(url, paging, pointer).await,
            false => Ok(page),
        }
    }

    async fn any_page(&self, url: &Url, paging: Paging, pointer: Option<&str>) -> Result<Page> {
        if let Some(pointer) = pointer {
            return self.page_at(url, paging, pointer).await;
        }
        match paging {
            Paging::Number => {
                let (items, links) = self.fetch_with(url, |answer| answer.links()).await?;
                Ok(Page {
                    items,
                    next: links.next,
                })
            }
            Paging::Cursor => {
                let page: CursorPage = self.fetch(url).await?;
                Ok(Page {
                    items: page.items,
                    next: page.links.and_then(|links| links.next),
                })
            }
        }
    }

    /// A page whose items lie deeper, with its next link in the header or beside them.
    async fn page_at(&self, url: &Url, paging: Paging, pointer: &str) -> Result<Page> {
        let (body, links): (Box<RawValue>, _) =
            self.fetch_with(url, |answer| answer.links()).await?;
        let items = at(&body, pointer).ok_or_else(|| Error::Protocol {
            path: url.path().to_owned(),
            what: format!("its answer has no list at {pointer}"),
        })?;
        let next = match paging {
            Paging::Number => links.next,
            Paging::Cursor => CursorPage::links(&body).and_then(|links| links.next),
        };
        Ok(Page { items, next })
    }
}

impl CursorPage {
    fn links(body: &RawValue) -> Option<CursorLinks> {
        #[derive(Deserialize)]
        struct Linked {
            links: Option<CursorLinks>,
        }
        let linked: Linked = serde_json::from_str(body.get()).ok()?;
        linked.links
    }
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

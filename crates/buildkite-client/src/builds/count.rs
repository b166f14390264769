//! The number of items of a list, with one request.
//!
//! No answer has a total. But the link to the last page has it when each page holds one item (API
//! facts 4.1).

use serde_json::value::RawValue;
use url::Url;

use super::keyset::Keyset;
use super::query::BuildQuery;
use crate::client::Client;
use crate::error::Result;

/// No real list is longer. Sums of counts must not overflow.
pub(crate) const MAX_COUNT: u64 = u32::MAX as u64;

impl Client {
    /// How many builds `query` would list now. `None` if the answer does not tell.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn count_builds(&self, query: &BuildQuery) -> Result<Option<u64>> {
        let mut url = query.url(&self.transport.base);
        Keyset::new(query.created_from, query.created_to, false).bound(&mut url);
        url.query_pairs_mut()
            .append_pair("exclude_jobs", "true")
            .append_pair("exclude_pipeline", "true");
        self.count_at(url).await
    }

    /// How many items the list at a path has, which is paged by number. `None` if the answer does
    /// not tell.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn count(&self, segments: &[&str]) -> Result<Option<u64>> {
        self.count_at(self.url(segments, &[])).await
    }

    async fn count_at(&self, mut url: Url) -> Result<Option<u64>> {
        url.query_pairs_mut().append_pair("per_page", "1");
        let (items, links) = self
            .fetch_with::<Vec<Box<RawValue>>, _>(&url, |answer| answer.links())
            .await?;
        Ok(match (links.last_page, links.next) {
            (Some(pages), _) => Some(pages.min(MAX_COUNT)),
            (None, None) => Some(items.len() as u64),
            (None, Some(_)) => None,
        })
    }
}

//! How many items a list has, for one request.
//!
//! No answer tells a total, but the link to the last page does when pages hold one item each
//! (API facts 4.1).

use serde_json::value::RawValue;
use url::Url;

use crate::client::Client;
use crate::error::Result;
use crate::keyset::Keyset;
use crate::query::BuildQuery;

impl Client {
    /// How many builds `query` would list now; `None` if the answer does not tell.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn count_builds(&self, query: &BuildQuery) -> Result<Option<u64>> {
        let mut url = query.url(&self.http.base);
        Keyset::new(query.created_from, query.created_to, false).bound(&mut url);
        url.query_pairs_mut()
            .append_pair("exclude_jobs", "true")
            .append_pair("exclude_pipeline", "true");
        self.count_at(url).await
    }

    /// How many items the list at a path has, paged by number; `None` if the answer does not
    /// tell.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn count(&self, segments: &[&str]) -> Result<Option<u64>> {
        self.count_at(self.http.base.join(segments.iter().copied()))
            .await
    }

    async fn count_at(&self, mut url: Url) -> Result<Option<u64>> {
        url.query_pairs_mut().append_pair("per_page", "1");
        let (items, links) = self
            .fetch_with::<Vec<Box<RawValue>>, _>(&url, |answer| answer.links())
            .await?;
        Ok(match (links.last_page, links.next) {
            (Some(pages), _) => Some(pages),
            (None, None) => Some(items.len() as u64),
            (None, Some(_)) => None,
        })
    }
}

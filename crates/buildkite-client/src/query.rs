//! Which builds to list.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use url::Url;

use crate::base_url::BaseUrl;
use crate::timestamp::format_timestamp;

/// Which builds to list. What is left out sets no bound.
#[derive(Debug, Clone, Default)]
pub struct BuildQuery {
    /// The organization's slug.
    pub organization: String,
    /// One pipeline's slug; absent for the whole organization.
    pub pipeline: Option<String>,
    /// Created at or after.
    pub created_from: Option<DateTime<Utc>>,
    /// Created before.
    pub created_to: Option<DateTime<Utc>>,
    /// Finished at or after; builds that have no end are left out.
    pub finished_from: Option<DateTime<Utc>>,
    /// In one of these states, as the API's filter spells them (API facts 7.2); empty for all.
    pub states: &'static [&'static str],
    /// Whose commit is this full SHA.
    pub commit: Option<String>,
    /// That have this in their `meta_data`: key and value.
    pub meta_data: Option<(&'static str, String)>,
    /// With all jobs, retried ones included.
    pub with_jobs: bool,
    /// Goes before `created_from` once it is raised.
    pub floor: Floor,
    /// Reads by page numbers, as a list out of order is read. For tests: it misses builds.
    #[doc(hidden)]
    pub by_page_number: bool,
}

/// The lower end of a listing, to be raised while it is under way: what lies below is then left
/// to somebody else. Clones share one end.
#[derive(Debug, Clone, Default)]
pub struct Floor(Arc<Mutex<Option<DateTime<Utc>>>>);

impl Floor {
    /// Lets the listing end at builds created at `at`, from its next page on.
    pub fn raise(&self, at: DateTime<Utc>) {
        let mut floor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *floor = floor.max(Some(at));
    }

    pub(crate) fn get(&self) -> Option<DateTime<Utc>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BuildQuery {
    /// The address of the list, with the filters that stay the same from page to page.
    pub(crate) fn url(&self, base: &BaseUrl) -> Url {
        let mut segments = vec!["v2", "organizations", self.organization.as_str()];
        if let Some(pipeline) = &self.pipeline {
            segments.extend(["pipelines", pipeline.as_str()]);
        }
        segments.push("builds");
        let mut url = base.join(segments);
        if let Some(from) = self.finished_from {
            url.query_pairs_mut()
                .append_pair("finished_from", &format_timestamp(from));
        }
        for state in self.states {
            url.query_pairs_mut().append_pair("state[]", state);
        }
        if let Some(commit) = &self.commit {
            url.query_pairs_mut().append_pair("commit", commit);
        }
        if let Some((key, value)) = &self.meta_data {
            let key = format!("meta_data[{key}]");
            url.query_pairs_mut().append_pair(&key, value);
        }
        url
    }
}

//! Which builds to list.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use url::Url;

use crate::base_url::BaseUrl;
use crate::timestamp::format_timestamp;

/// Which builds to list. A field that is not set sets no bound.
#[derive(Debug, Clone, Default)]
pub struct BuildQuery {
    /// Slug of the organization.
    pub organization: String,
    /// Slug of one pipeline. Absent for the whole organization.
    pub pipeline: Option<String>,
    /// Created at or after this time.
    pub created_from: Option<DateTime<Utc>>,
    /// Created before this time.
    pub created_to: Option<DateTime<Utc>>,
    /// Finished at or after this time. Leaves out unfinished builds.
    pub finished_from: Option<DateTime<Utc>>,
    /// In one of these states, as the API's filter spells them (API facts 7.2). Empty for all.
    pub states: &'static [&'static str],
    /// With this full commit SHA.
    pub commit: Option<String>,
    /// With this key and value in `meta_data`.
    pub meta_data: Option<(&'static str, String)>,
    /// With all jobs, including retried ones.
    pub with_jobs: bool,
    /// Replaces `created_from` when it is later.
    pub lower_bound: LowerBound,
    /// Reads by page numbers, as a list out of order is read. For tests: it misses builds.
    #[doc(hidden)]
    pub by_page_number: bool,
}

/// The lower end of a listing, which can be raised while the listing runs. Somebody else then
/// reads what is below. Clones share one end.
#[derive(Debug, Clone, Default)]
pub struct LowerBound(Arc<Mutex<Option<DateTime<Utc>>>>);

impl LowerBound {
    /// Makes the listing end at builds created at `at`, from its next page on.
    pub fn raise(&self, at: DateTime<Utc>) {
        let mut bound = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *bound = bound.max(Some(at));
    }

    pub(crate) fn get(&self) -> Option<DateTime<Utc>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BuildQuery {
    /// The address of the list, with the filters that do not change from page to page.
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

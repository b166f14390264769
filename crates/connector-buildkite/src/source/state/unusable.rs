//! Builds whose text is not what the API documents.

use buildkite_client::Unusable;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A build whose text could not be used: what is known of it, so that it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnusableBuild {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u64>,
    /// Slug of its pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pipeline: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<DateTime<Utc>>,
    /// When the build before it in the list, the next newer one, was created; if nothing else
    /// tells where to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<DateTime<Utc>>,
}

impl UnusableBuild {
    /// What is known of it; `after` is when the build before it in the list was created.
    pub(crate) fn new(unusable: &Unusable, after: Option<DateTime<Utc>>) -> Self {
        let created_at = unusable.created_at.map(|time| time.at);
        Self {
            id: unusable.id.clone(),
            number: unusable.number,
            pipeline: unusable.pipeline_slug.clone(),
            created_at,
            after: after.filter(|_| created_at.is_none()),
        }
    }
}

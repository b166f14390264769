//! `annotations`: `GET BUILD/annotations` (API facts 11).

use schemars::JsonSchema;

use super::declaration::{ListStream, Parent};

/// A record of `annotations`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Annotation {
    /// Unique id, a UUID.
    pub id: String,
    /// Unique in its build or job: an annotation with the same context replaces it.
    pub context: Option<String>,
    /// `success`, `info`, `warning` or `error`; null if there is none.
    pub style: Option<String>,
    /// `build` or `job`.
    pub scope: Option<String>,
    /// Its job; null if it belongs to the build.
    pub job_id: Option<String>,
    /// From 1 to 10, higher first.
    pub priority: Option<i64>,
    /// Its text as HTML; the Markdown source is not available.
    pub body_html: Option<String>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// When it was last changed, UTC; null if never.
    pub updated_at: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
    /// Slug of its pipeline when it was read. Added by the connector.
    pub pipeline_slug: Option<String>,
    /// Id of its pipeline. Added by the connector.
    pub pipeline_id: Option<String>,
    /// Id of its build. Added by the connector.
    pub build_id: String,
    /// Number of its build, unique in its pipeline. Added by the connector.
    pub build_number: i64,
}

pub(crate) fn list() -> ListStream {
    ListStream::new::<Annotation>(
        "annotations",
        "Annotations of builds and jobs, as HTML.",
        Parent::Build,
        "v2/organizations/{organization_slug}/pipelines/{pipeline_slug}/builds/{build_number}/annotations",
    )
    .scope("read_builds")
    .query("scope", "all")
}

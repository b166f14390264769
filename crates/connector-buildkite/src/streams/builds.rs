//! `builds`: the builds of an organization (API facts 7.1).
//!
//! A record is the build without `jobs`, which are a stream of their own, and without the expanded
//! `pipeline`, of which id and slug stay. Nothing else is renamed, dropped or reshaped.

use buildkite_client::RawBuild;
use connector_core::{ObjectWriter, OpenRows, Record, Stream, StreamName};
use schemars::JsonSchema;
use serde_json::Value;

use super::Object;
use super::schema::{incremental, stream as stream_of};

pub(crate) const NAME: &str = "builds";

/// States that a build leaves by itself, as the API's filters spell them (API facts 9.1).
pub(crate) const OPEN_STATES: &[&str] =
    &["creating", "scheduled", "running", "failing", "canceling"];
/// States that a build does not leave by itself; a retry or an unblock brings it back.
pub(crate) const TERMINAL_STATES: [&str; 5] =
    ["passed", "failed", "canceled", "skipped", "not_run"];

/// What the source needs of a row whose build can still change, see
/// [`OpenRowsOfCopy`](crate::source::state::OpenRowsOfCopy).
pub(crate) const OPEN_FIELDS: [&str; 6] = [
    "id",
    "number",
    "created_at",
    "organization_slug",
    "pipeline_slug",
    "pipeline_id",
];

/// A record of `builds`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Build {
    /// Unique id, a UUID.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// Its address in the API.
    pub url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Its number, unique in its pipeline; gaps occur.
    pub number: i64,
    /// `creating`, `scheduled`, `running`, `failing`, `passed`, `failed`, `canceling`, `canceled`,
    /// `skipped` or `not_run`; others may appear. Never `blocked`: see `blocked`.
    pub state: Option<String>,
    /// Why it was canceled; usually null even then.
    pub cancel_reason: Option<String>,
    /// True while a block step holds it; `state` then keeps its last value.
    pub blocked: Option<bool>,
    /// The state that the block step names; usually empty, even while blocked.
    pub blocked_state: Option<String>,
    /// Commit message, or the message given.
    pub message: Option<String>,
    /// Commit, or the reference as given until an agent has resolved it.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// Its tag; null if there is none.
    pub tag: Option<String>,
    /// Environment variables given when it was created.
    pub env: Option<Object>,
    /// `webhook`, `api`, `ui`, `trigger_job` or `schedule`.
    pub source: Option<String>,
    /// Author of the commit: an object with `name` and `email`, null, or in old data a text.
    pub author: Option<Value>,
    /// The Buildkite user who created it; null if nobody did.
    pub creator: Option<Object>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// When it was scheduled to start, UTC.
    pub scheduled_at: Option<String>,
    /// When its first job started, UTC; moves when the build is unblocked or retried.
    pub started_at: Option<String>,
    /// When it first began to fail, UTC; stays even if it passes later.
    pub failing_at: Option<String>,
    /// When it finished, UTC; set while blocked, null again and later when it runs again.
    pub finished_at: Option<String>,
    /// Meta-data: keys with text values.
    pub meta_data: Option<Object>,
    /// The pull request: `id` (a text), `base`, `repository`; null if there is none.
    pub pull_request: Option<Object>,
    /// The merge queue: `base_branch`; null if there is none.
    pub merge_queue: Option<Object>,
    /// The build it repeats: `id`, `number`, `url`; null if there is none.
    pub rebuilt_from: Option<Object>,
    /// The build whose trigger step created it; null if there is none.
    pub triggered_from: Option<Object>,
    /// The cluster it ran in; null if there is none.
    pub cluster_id: Option<String>,
    /// Address of that cluster in the API.
    pub cluster_url: Option<String>,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
    /// Slug of its pipeline when it was read. Added by the connector.
    pub pipeline_slug: String,
    /// Id of its pipeline. Added by the connector.
    pub pipeline_id: Option<String>,
}

pub(crate) fn stream() -> Stream {
    let description = "Builds, without their jobs and the expanded pipeline.";
    incremental(stream_of::<Build>(NAME, description))
        .with_scopes(["read_builds"])
        .with_open_rows(OpenRows::new("state", &TERMINAL_STATES, &OPEN_FIELDS))
}

/// What the parents of a record add to it.
const ROOM_FOR_PARENTS: usize = 192;

/// The build without `jobs` and `pipeline`, followed by the keys of its parents.
pub(crate) fn record(stream: &StreamName, build: &RawBuild<'_>, organization: &str) -> Record {
    let length = |(key, value): &(_, &serde_json::value::RawValue)| {
        let key: &std::borrow::Cow<'_, str> = key;
        key.len() + value.get().len() + 4
    };
    let capacity: usize = build.fields.iter().map(length).sum();
    let mut object = ObjectWriter::with_capacity(capacity + ROOM_FOR_PARENTS);
    for (key, value) in &build.fields {
        object.raw(key, value);
    }
    add_parents(&mut object, build, organization);
    Record::new(stream.clone(), object.finish())
}

/// The keys that builds and jobs share.
pub(super) fn add_parents(object: &mut ObjectWriter, build: &RawBuild<'_>, organization: &str) {
    object.string("organization_slug", organization);
    object.string("pipeline_slug", &build.pipeline_slug);
    match &build.pipeline_id {
        Some(id) => object.string("pipeline_id", id),
        None => object.null("pipeline_id"),
    }
}

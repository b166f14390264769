//! `jobs`: the jobs of all builds, retried attempts included (API facts 8.1).
//!
//! A record is the job as it came, with the keys of its build and of that build's parents behind.
//! `type` decides which fields there are; a `waiter` has only `id`, `graphql_id` and `type`.

use buildkite_client::RawBuild;
use connector_core::{ObjectWriter, OpenRows, Record, Stream, StreamName};
use schemars::JsonSchema;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Object;
use super::builds::add_parents;
use super::schema::{incremental, stream as stream_of};

pub(crate) const NAME: &str = "jobs";

/// States that a job does not leave by itself, or only with its build: a step after a failed one
/// may stay blocked in a build that has ended (API facts 9).
const SETTLED_STATES: [&str; 13] = [
    "passed",
    "failed",
    "canceled",
    "timed_out",
    "skipped",
    "broken",
    "expired",
    "waiting_failed",
    "blocked",
    "blocked_failed",
    "unblocked",
    "unblocked_failed",
    "finished",
];

/// What the source needs of a row whose job can still change, see
/// [`OpenRowsOfCopy`](crate::source::state::OpenRowsOfCopy).
pub(crate) const OPEN_FIELDS: [&str; 2] = ["id", "build_id"];

/// A record of `jobs`. Further fields occur; they are passed on as well.
#[derive(Debug, JsonSchema)]
pub struct Job {
    /// Unique id, a UUID; a retry is another job with another id.
    pub id: String,
    /// Id in Buildkite's GraphQL API.
    pub graphql_id: Option<String>,
    /// `script`, `manual`, `trigger` or `waiter`; others may appear.
    #[serde(rename = "type")]
    pub job_type: Option<String>,
    /// Label of a script or trigger step; null if there is none.
    pub name: Option<String>,
    /// Label of a block or input step.
    pub label: Option<String>,
    /// Key of its step; null if there is none.
    pub step_key: Option<String>,
    /// Key of the group that its step is in.
    pub group_key: Option<String>,
    /// Its step: `id` and `signature`.
    pub step: Option<Object>,
    /// Its priority: `number`.
    pub priority: Option<Object>,
    /// Tags that an agent must have to run it.
    pub agent_query_rules: Option<Vec<String>>,
    /// `passed`, `failed`, `running`, `scheduled` and others; absent in a waiter.
    pub state: Option<String>,
    /// Address of its build in the API.
    pub build_url: Option<String>,
    /// Its address in the browser.
    pub web_url: Option<String>,
    /// Address of its log in the API.
    pub log_url: Option<String>,
    /// Address of its log as text.
    pub raw_log_url: Option<String>,
    /// Address of its artifacts in the API.
    pub artifacts_url: Option<String>,
    /// The command that it runs.
    pub command: Option<String>,
    /// True if it failed and that does not fail its build.
    pub soft_failed: Option<bool>,
    /// Exit status; null until done, -1 if its agent was lost.
    pub exit_status: Option<i64>,
    /// The signal that ended it; null if there is none.
    pub signal: Option<String>,
    /// Why it was signaled, such as `cancel` or `agent_stop`: distinguishes a failure of the
    /// machine from one of the test.
    pub signal_reason: Option<String>,
    /// Why it did not run: a code or a sentence; null unless broken.
    pub broken_reason: Option<String>,
    /// Exit status that it promised before it ended.
    pub promised_exit_status: Option<i64>,
    /// When it promised, UTC.
    pub promised_exit_status_at: Option<String>,
    /// Paths of artifacts to upload; null or empty if there are none.
    pub artifact_paths: Option<String>,
    /// The agent that runs or ran it; null until assigned.
    pub agent: Option<Object>,
    /// When it was created, UTC.
    pub created_at: Option<String>,
    /// When it was scheduled to run, UTC; a retry keeps the time of the first attempt.
    pub scheduled_at: Option<String>,
    /// When nothing held it back any more, UTC.
    pub runnable_at: Option<String>,
    /// When it started, UTC.
    pub started_at: Option<String>,
    /// When it finished, UTC; may be later than its build's.
    pub finished_at: Option<String>,
    /// When it expired, UTC, because no agent took it.
    pub expired_at: Option<String>,
    /// How long its concurrency group held it back, in milliseconds; null without a group.
    pub concurrency_wait_time_ms: Option<i64>,
    /// True if another attempt replaced it.
    pub retried: Option<bool>,
    /// The job that replaced it.
    pub retried_in_job_id: Option<String>,
    /// Which retry it is; null for a first attempt.
    pub retries_count: Option<i64>,
    /// The job that it replaces: `job_id` and `retry_type`.
    pub retry_source: Option<Object>,
    /// How it was retried, on the attempt that was replaced: `manual` or `automatic`.
    pub retry_type: Option<String>,
    /// Who retried it by hand, on the attempt that was replaced.
    pub retried_by: Option<Object>,
    /// Which job of its parallel group it is, from 0.
    pub parallel_group_index: Option<i64>,
    /// How many jobs its parallel group has.
    pub parallel_group_total: Option<i64>,
    /// Its values in the matrix of the step.
    pub matrix: Option<Object>,
    /// The cluster it runs in; null if there is none.
    pub cluster_id: Option<String>,
    /// Address of that cluster in the API.
    pub cluster_url: Option<String>,
    /// The queue it runs in; null if there is none.
    pub cluster_queue_id: Option<String>,
    /// Address of that queue in the API.
    pub cluster_queue_url: Option<String>,
    /// Who released a block step; null until then.
    pub unblocked_by: Option<Object>,
    /// When it was released, UTC.
    pub unblocked_at: Option<String>,
    /// Whether it can be released now.
    pub unblockable: Option<bool>,
    /// Address of the call that releases it.
    pub unblock_url: Option<String>,
    /// Fields of a block or input step; null if there are none.
    pub fields: Option<Value>,
    /// Whether a trigger step does not wait for its build.
    #[serde(rename = "async")]
    pub is_async: Option<bool>,
    /// The build that a trigger step created: `id`, `number`, `url`, `web_url`; null until then.
    pub triggered_build: Option<Object>,
    /// Id of its build. Added by the connector.
    pub build_id: String,
    /// Number of its build, unique in its pipeline. Added by the connector.
    pub build_number: i64,
    /// Slug of its organization. Added by the connector.
    pub organization_slug: String,
    /// Slug of its pipeline when it was read. Added by the connector.
    pub pipeline_slug: String,
    /// Id of its pipeline. Added by the connector.
    pub pipeline_id: Option<String>,
}

pub(crate) fn stream() -> Stream {
    let description = "Jobs of all builds, every retried attempt included.";
    // A waiter has no state: nothing happens to it.
    let open = OpenRows::new("state", &SETTLED_STATES, &OPEN_FIELDS).with_null_settled();
    incremental(stream_of::<Job>(NAME, description))
        .with_scopes(["read_builds"])
        .with_open_rows(open)
}

/// What the parents of a record add to it.
const ROOM_FOR_PARENTS: usize = 288;

/// The job as it came, followed by the keys of its parents.
pub(crate) fn record(
    stream: &StreamName,
    job: &RawValue,
    build: &RawBuild<'_>,
    organization: &str,
) -> Record {
    let mut object =
        ObjectWriter::extending(job, ROOM_FOR_PARENTS).expect("the client gives objects only");
    object.string("build_id", build.id);
    object.number("build_number", build.number);
    add_parents(&mut object, build, organization);
    Record::new(stream.clone(), object.finish())
}

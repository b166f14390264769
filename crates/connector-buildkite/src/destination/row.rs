//! What became of a record, as a record itself.

use connector_core::{JsonObject, Stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::action::Call;
use crate::streams::schema_of;

/// The stream of results.
pub(crate) const RESULTS: &str = "results";

/// A record of `results`: what became of one record.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct ResultRow {
    /// The stream that took the record.
    pub stream: String,
    /// The record's idempotency key.
    pub key: String,
    /// Slug of its organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Slug of its pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// `created`, `updated`, `done`; `already_there`; `unchanged`; `rejected`; `unknown`: it was
    /// sent, and nothing tells whether it was done; `planned`: it would be sent.
    pub outcome: &'static str,
    /// Number of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why it was rejected, or is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In a dry run: the requests that would be sent, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<PlannedRequest>,
    /// In a dry run of `pipelines`: what differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// With `wait`: the state in which the build ended, `blocked`, or `timed_out` if it had not
    /// ended in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// With `wait`: from its start to its end, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// With `wait`: names, or else ids, of the jobs that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_jobs: Option<Vec<String>>,
    /// Buildkite's answer, without the jobs and the pipeline of a build.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub answer: Option<JsonObject>,
}

/// A request that would be sent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlannedRequest {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// Its path.
    pub path: String,
    /// Its body, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub body: Option<JsonObject>,
}

/// A field that would be changed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// Its name.
    pub field: String,
    /// As it is.
    pub from: Value,
    /// As it would be.
    pub to: Value,
}

impl From<&Call> for PlannedRequest {
    fn from(call: &Call) -> Self {
        let mut path = format!("/{}", call.path.join("/"));
        for (position, (key, value)) in call.query.iter().enumerate() {
            let separator = if position == 0 { '?' } else { '&' };
            path.push_str(&format!("{separator}{key}={value}"));
        }
        Self {
            method: call.verb.as_str(),
            path,
            body: call
                .body
                .as_deref()
                .and_then(|body| JsonObject::parse(body).ok()),
        }
    }
}

impl ResultRow {
    /// The stream that these are records of. A record that is sent again replaces its row.
    pub fn stream() -> Stream {
        Stream::new(RESULTS, "What became of each record.", schema_of::<Self>())
            .with_primary_key(["stream", "key"])
    }
}

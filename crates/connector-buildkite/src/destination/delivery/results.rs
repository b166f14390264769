//! What became of a record, as a record itself, and the log of those until the host takes them.

use connector_core::{JsonObject, Record, Result, Stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::api_request::ApiRequest;
use super::journal::ResultKey;
use crate::mask::Mask;
use crate::streams::schema_of;

/// The word for what was not sent because it was there.
pub(crate) const ALREADY_THERE: &str = "already_there";

/// The stream of results.
const RESULTS: &str = "results";

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
    /// `created`, `updated`, `done`, `already_there`, `unchanged` or `rejected`; `unknown` if it was
    /// sent and nothing tells whether it was carried out; `planned` if it would be sent.
    pub outcome: &'static str,
    /// Number of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why it was rejected, or why its outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In a dry run: the requests that would be sent, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub requests: Vec<PlannedRequest>,
    /// In a dry run of `pipelines`: what differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
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
    /// Its path and query.
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

impl From<&ApiRequest> for PlannedRequest {
    fn from(request: &ApiRequest) -> Self {
        let mut path = format!("/{}", request.path.join("/"));
        for (position, (key, value)) in request.query.iter().enumerate() {
            let separator = if position == 0 { '?' } else { '&' };
            path.push_str(&format!("{separator}{key}={value}"));
        }
        let body = request.body.as_deref();
        Self {
            method: request.verb.as_str(),
            path,
            body: body.and_then(|body| JsonObject::parse(body).ok()),
        }
    }
}

impl ResultRow {
    pub(crate) fn result_key(&self) -> ResultKey {
        ResultKey {
            stream: self.stream.clone(),
            key: self.key.clone(),
        }
    }

    /// The stream that rows belong to. A record that is sent again replaces its row.
    pub fn stream() -> Stream {
        Stream::new(RESULTS, "What became of each record.", schema_of::<Self>())
            .with_primary_key(["stream", "key"])
    }
}

/// Results that the host has not taken yet.
pub(crate) struct OutcomeLog {
    results: Vec<JsonObject>,
    /// Those among them that the journal owes.
    owed: Vec<ResultKey>,
    /// Those that the host has taken since its last commit.
    taken: Vec<ResultKey>,
    mask: Mask,
}

impl OutcomeLog {
    /// # Errors
    /// [`ErrorKind::Internal`](connector_core::ErrorKind::Internal) if the mask cannot be built.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            results: Vec::new(),
            owed: Vec::new(),
            taken: Vec::new(),
            mask: Mask::new(&[])?,
        })
    }

    /// Adds a result.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](connector_core::ErrorKind::Data) if it has no JSON form.
    pub(crate) fn add(&mut self, row: &ResultRow) -> Result<()> {
        let result = self.render(row)?;
        self.results.push(result);
        Ok(())
    }

    /// Adds a result that the journal owes.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub(crate) fn add_owed(&mut self, row: &ResultRow) -> Result<()> {
        self.add(row)?;
        self.owed.push(row.result_key());
        Ok(())
    }

    /// A result as the host receives it.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub(crate) fn render(&self, row: &ResultRow) -> Result<JsonObject> {
        let data = JsonObject::from_serialize(row)?;
        // A dry run shows what would be sent as it would be sent.
        if !row.requests.is_empty() {
            return Ok(data);
        }
        Ok(self.mask.apply(Record::new(RESULTS.into(), data))?.data)
    }

    /// The results since the last call.
    pub(crate) fn take(&mut self) -> Vec<JsonObject> {
        self.taken.append(&mut self.owed);
        std::mem::take(&mut self.results)
    }

    /// Which results the host has stored that were owed, when it commits.
    pub(crate) fn stored(&mut self) -> Vec<ResultKey> {
        std::mem::take(&mut self.taken)
    }
}

//! Stream `requests`: any other call, for what has no stream. Off unless it is allowed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::config::Permission;
use crate::destination::delivery::{Action, ApiRequest, DeliveryContext, PipelineKey, Probe};

pub(crate) const REQUESTS: AcceptedStream = AcceptedStream {
    name: "requests",
    description: "Each record is a request to a path of an organization, for what has no stream. \
                  Needs `requests` in `allow`, and for DELETE `delete_requests`.",
    scopes: &[],
    schema: crate::streams::schema_of::<AnyRequest>,
    parse_record,
};

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnyRequest {
    /// Slug of the organization. Default: the one in the settings.
    pub organization: Option<String>,
    /// What it does. If the answer to a POST is lost, nothing tells whether it was done.
    pub method: Method,
    /// Its path below the organization, without a query: `pipelines/web/schedules`.
    pub path: String,
    /// Its query.
    pub query: Option<BTreeMap<String, String>>,
    /// Its body.
    pub body: Option<Map<String, Value>>,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Makes something.
    Post,
    /// Replaces something, or acts on it.
    Put,
    /// Changes something.
    Patch,
    /// Deletes something.
    Delete,
}

struct OtherRequest {
    pipeline: PipelineKey,
    request: ApiRequest,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let record: AnyRequest = parse(record)?;
    expect_allowed(record.method, defaults)?;
    let pipeline = PipelineKey {
        organization: defaults.organization(record.organization)?,
        pipeline: String::new(),
    };
    let path = steps(&record.path)?;
    let mut request = ApiRequest::of_organization(record.method.verb(), &pipeline, &path);
    request.query = record.query.into_iter().flatten().collect();
    if let Some(body) = record.body {
        request = request
            .with_body(&body)
            .map_err(|error| error.to_string())?;
    }
    Ok(Request::once(OtherRequest { pipeline, request }))
}

fn expect_allowed(method: Method, defaults: &Defaults<'_>) -> Result<(), String> {
    let (permission, name) = match method {
        Method::Delete => (Permission::DeleteRequests, "delete_requests"),
        _ => (Permission::Requests, "requests"),
    };
    if defaults.0.allows(permission) {
        return Ok(());
    }
    Err(format!("it is not allowed: add \"{name}\" to `allow`"))
}

/// The steps of a path that stays below the organization.
fn steps(path: &str) -> Result<Vec<&str>, String> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let is_plain = |step: &&str| !matches!(*step, "" | "." | "..") && !step.contains(['?', '#']);
    if steps.iter().all(is_plain) {
        return Ok(steps);
    }
    let reason = "`path` is not a path below the organization, such as pipelines/web/schedules; a \
                  query belongs into `query`";
    Err(reason.to_owned())
}

impl Method {
    fn verb(self) -> Verb {
        match self {
            Self::Post => Verb::Post,
            Self::Put => Verb::Put,
            Self::Patch => Verb::Patch,
            Self::Delete => Verb::Delete,
        }
    }
}

#[async_trait]
impl Action for OtherRequest {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, _key: &str) -> Result<ApiRequest> {
        Ok(self.request.clone())
    }

    /// What a PUT or a PATCH leaves is what it says.
    fn target(&self) -> Option<String> {
        let ApiRequest {
            verb, path, query, ..
        } = &self.request;
        let is_state = matches!(verb, Verb::Put | Verb::Patch);
        is_state.then(|| {
            let query = query.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("requests {}{}", path.join("/"), query.collect::<String>())
        })
    }

    async fn probe(&self, _context: &DeliveryContext, _key: &str) -> Result<Probe> {
        Ok(match self.request.verb {
            Verb::Post => Probe::Hidden,
            // As HTTP has it. A DELETE of what is gone is answered with 404, and reported so.
            Verb::Put | Verb::Patch | Verb::Delete => Probe::Harmless,
        })
    }
}

//! Stream `requests`: any other call, for what has no stream. Off unless it is allowed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::destination::action::{Action, Call, Lane, Look};
use crate::destination::config::Permission;
use crate::destination::desk::Desk;
use crate::destination::target::{Defaults, Target, Work, parse};

pub(crate) const REQUESTS: Target = Target {
    name: "requests",
    description: "Each record is a request below an organization, for what has no stream. Needs \
                  `allow` `requests`, and for DELETE `delete_requests`.",
    scopes: &[],
    schema: crate::streams::schema_of::<AnyRequest>,
    order,
};

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnyRequest {
    /// Slug of the organization; the configuration's if left out.
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

struct Request {
    lane: Lane,
    call: Call,
}

fn order(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Work, String> {
    let record: AnyRequest = parse(record)?;
    let (permission, name) = match record.method {
        Method::Delete => (Permission::DeleteRequests, "delete_requests"),
        _ => (Permission::Requests, "requests"),
    };
    if !defaults.0.allows(permission) {
        return Err(format!("it is not allowed: add \"{name}\" to `allow`"));
    }
    let lane = Lane {
        organization: defaults.organization(record.organization)?,
        pipeline: String::new(),
    };
    let path: Vec<&str> = record.path.trim_matches('/').split('/').collect();
    let is_plain = |step: &&str| !matches!(*step, "" | "." | "..") && !step.contains(['?', '#']);
    if !path.iter().all(is_plain) {
        return Err(
            "`path` is no path below the organization, as pipelines/web/schedules; a \
                    query goes into `query`"
                .to_owned(),
        );
    }
    let verb = match record.method {
        Method::Post => Verb::Post,
        Method::Put => Verb::Put,
        Method::Patch => Verb::Patch,
        Method::Delete => Verb::Delete,
    };
    let mut call = Call::of_organization(verb, &lane, &path);
    call.query = record.query.into_iter().flatten().collect();
    if let Some(body) = record.body {
        call = call.with_body(&body).map_err(|error| error.to_string())?;
    }
    Ok(Work::once(Request { lane, call }))
}

#[async_trait]
impl Action for Request {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn call(&self, _key: &str) -> Result<Call> {
        Ok(self.call.clone())
    }

    async fn look(&self, _desk: &Desk, _key: &str) -> Result<Look> {
        Ok(match self.call.verb {
            Verb::Post => Look::Hidden,
            // As HTTP has it; a DELETE of what is gone is answered 404, and says so.
            Verb::Put | Verb::Patch | Verb::Delete => Look::Harmless,
        })
    }
}

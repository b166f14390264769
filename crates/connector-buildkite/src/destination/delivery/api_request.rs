//! A request to Buildkite, and the pipeline that it is about.

use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use serde::Serialize;

/// The pipeline that a record is about. Records of one pipeline are sent in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PipelineKey {
    /// Slug of its organization.
    pub(crate) organization: String,
    /// Its slug. Empty if the record is about no pipeline.
    pub(crate) pipeline: String,
}

/// A request as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiRequest {
    pub(crate) verb: Verb,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl ApiRequest {
    /// A request below a pipeline.
    pub(crate) fn of_pipeline(verb: Verb, pipeline: &PipelineKey, rest: &[&str]) -> Self {
        let mut path = vec!["pipelines", pipeline.pipeline.as_str()];
        path.extend(rest);
        Self::of_organization(verb, pipeline, &path)
    }

    /// A request below an organization.
    pub(crate) fn of_organization(verb: Verb, pipeline: &PipelineKey, rest: &[&str]) -> Self {
        let mut path = vec!["v2", "organizations", pipeline.organization.as_str()];
        path.extend(rest);
        Self {
            verb,
            path: path.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            body: None,
        }
    }

    /// Sets the body.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](connector_core::ErrorKind::Data) if it has no JSON form.
    pub(crate) fn with_body(mut self, body: &impl Serialize) -> Result<Self> {
        self.body = Some(JsonObject::from_serialize(body)?.as_str().to_owned());
        Ok(self)
    }
}

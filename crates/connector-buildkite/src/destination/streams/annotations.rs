//! Stream `annotations`: each record annotates a build or a job (API facts 11).

use async_trait::async_trait;
use buildkite_client::Verb;
use connector_core::{JsonObject, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::delivery::{Action, ApiRequest, DeliveryContext, PipelineKey, Probe};

pub(crate) const ANNOTATIONS: AcceptedStream = AcceptedStream {
    name: "annotations",
    description: "Each record annotates a build or a job. A later record with the same context \
                  replaces the annotation.",
    scopes: &["write_builds"],
    schema: crate::streams::schema_of::<NewAnnotation>,
    parse_record,
};

/// The longest context, in characters.
const MAX_CONTEXT: usize = 100;
/// The longest text, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// An annotation to make.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnnotation {
    /// Slug of the organization. Default: the one in the settings.
    #[serde(skip_serializing)]
    pub organization: Option<String>,
    /// Slug of the pipeline. Default: the one in the settings.
    #[serde(skip_serializing)]
    pub pipeline: Option<String>,
    /// Number of the build.
    #[serde(skip_serializing)]
    pub number: u64,
    /// Id of the job, to annotate that instead of the build.
    #[serde(skip_serializing)]
    pub job_id: Option<String>,
    /// Its text, in Markdown or HTML.
    pub body: String,
    /// `success`, `info`, `warning` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// 1 to 10, higher first; Buildkite's default is 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// What tells it from others of the build; one of its own if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Whether the text is added to the one of that context, instead of replacing it. If the
    /// answer is lost, nothing tells whether it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append: Option<bool>,
}

struct Annotate {
    pipeline: PipelineKey,
    record: NewAnnotation,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let mut record: NewAnnotation = parse(record)?;
    let is_adding = record.append == Some(true);
    if is_adding && record.context.is_none() {
        return Err("`append` needs the `context` of the annotation to add to".to_owned());
    }
    expect_sizes(&record)?;
    let pipeline = defaults.pipeline(record.organization.take(), record.pipeline.take())?;
    Ok(Request::once(Annotate { pipeline, record }))
}

/// Buildkite's limits (API facts 5.3 and 11).
fn expect_sizes(record: &NewAnnotation) -> Result<(), String> {
    let context = record.context.as_deref().unwrap_or_default();
    if context.chars().count() > MAX_CONTEXT {
        return Err(format!(
            "`context` has more than {MAX_CONTEXT} characters, which Buildkite refuses"
        ));
    }
    if record.body.len() > MAX_BODY {
        return Err("`body` has more than 1 MiB, which Buildkite refuses".to_owned());
    }
    Ok(())
}

#[async_trait]
impl Action for Annotate {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn request(&self, key: &str) -> Result<ApiRequest> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(flatten)]
            record: &'a NewAnnotation,
            /// Out of the key, so that a repeat replaces what is there.
            #[serde(skip_serializing_if = "Option::is_none")]
            context: Option<&'a str>,
        }
        let number = self.record.number.to_string();
        let mut path = vec!["builds", &number];
        path.extend(
            self.record
                .job_id
                .iter()
                .flat_map(|id| ["jobs", id.as_str()]),
        );
        path.push("annotations");
        let own = self
            .record
            .context
            .is_none()
            .then(|| key.get(..16))
            .flatten();
        let record = &self.record;
        ApiRequest::of_pipeline(Verb::Post, &self.pipeline, &path).with_body(&Body {
            record,
            context: own,
        })
    }

    async fn probe(&self, _context: &DeliveryContext, _key: &str) -> Result<Probe> {
        Ok(match self.record.append {
            // Only HTML comes back, of all that was added together.
            Some(true) => Probe::Hidden,
            _ => Probe::Harmless,
        })
    }

    /// Within a build or a job, a record of the same context replaces the one before.
    fn target(&self) -> Option<String> {
        let NewAnnotation { number, job_id, .. } = &self.record;
        let context = self.record.context.as_deref();
        let context = context.filter(|_| self.record.append != Some(true))?;
        let PipelineKey {
            organization,
            pipeline,
        } = &self.pipeline;
        let job = job_id.as_deref().unwrap_or("-");
        Some(format!(
            "annotations {organization}/{pipeline}/{number}/{job} {context}"
        ))
    }

    fn outcome(&self) -> &'static str {
        "created"
    }
}

//! Stream `pipelines`: each record is the state that a pipeline is to have (API facts 10).

mod difference;
mod state;

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use serde_json::{Map, Value, json};

use super::record::{AcceptedStream, Defaults, Request, parse};
use crate::destination::config::Permission;
use crate::destination::delivery::{
    ApiRequest, DeliveryContext, DeliveryOutcome, DesiredState, Difference, Found, PipelineKey,
    PlannedRequest, rejection,
};
use difference::{Change, differences, not_taken};
pub use state::PipelineState;

pub(crate) const PIPELINES: AcceptedStream = AcceptedStream {
    name: "pipelines",
    description: "Each record describes a pipeline as it should be. The pipeline is created, or \
                  its differences are changed.",
    scopes: &["read_pipelines", "write_pipelines"],
    schema: crate::streams::schema_of::<PipelineState>,
    parse_record,
};

/// Maximum number of times it is read and changed while answers are lost.
const TRIES: u32 = 5;

/// The state that one pipeline is to have.
struct DesiredPipeline {
    pipeline: PipelineKey,
    new_slug: Option<String>,
    archived: Option<bool>,
    /// All other fields that are given.
    fields: Map<String, Value>,
    allow: Vec<Permission>,
}

fn parse_record(record: &JsonObject, defaults: &Defaults<'_>) -> Result<Request, String> {
    let mut state: PipelineState = parse(record)?;
    if state.configuration.is_some() && (state.env.is_some() || state.steps.is_some()) {
        return Err(
            "beside `configuration`, Buildkite ignores `env` and `steps`: write them \
                    into the configuration"
                .to_owned(),
        );
    }
    if state.slug.is_none() && state.name.as_deref().is_some_and(|name| !makes_slug(name)) {
        return Err(
            "`name` has characters that Buildkite leaves out of a slug: give the `slug` as well"
                .to_owned(),
        );
    }
    let slug = state
        .slug
        .take()
        .or_else(|| state.name.as_deref().map(slug_of));
    let slug = slug.filter(|slug| !slug.is_empty());
    let slug = slug.ok_or("`slug` is missing, and `name` too")?;
    let fields = serde_json::to_value(&state).map_err(|error| error.to_string())?;
    let given = fields.as_object().into_iter().flatten();
    let given = given.filter(|(_, value)| !value.is_null());
    Ok(Request::desired(DesiredPipeline {
        pipeline: defaults.pipeline(state.organization.take(), Some(slug))?,
        new_slug: state.new_slug,
        archived: state.archived,
        fields: given
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        allow: defaults.0.allow.clone(),
    }))
}

/// Whether a name says all of its slug.
fn makes_slug(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_.".contains(c);
    name.chars().all(is_plain)
}

/// `Web App` is `web-app`.
fn slug_of(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}

/// What it takes to reach the state.
struct Plan {
    outcome: &'static str,
    requests: Vec<ApiRequest>,
    differences: Vec<Difference>,
}

#[async_trait]
impl DesiredState for DesiredPipeline {
    fn pipeline(&self) -> &PipelineKey {
        &self.pipeline
    }

    fn target(&self) -> String {
        let PipelineKey {
            organization,
            pipeline,
        } = &self.pipeline;
        format!("{} {organization}/{pipeline}", PIPELINES.name)
    }

    /// What was lost on the way shows when it is read again, so that nothing needs to be
    /// remembered.
    async fn deliver(&self, context: &DeliveryContext, is_dry: bool) -> Result<DeliveryOutcome> {
        let mut failure: Option<(&'static str, String)> = None;
        for tried in 0..TRIES {
            if tried > 0 {
                let why = "for an answer that was lost to show at Buildkite";
                let pause = context.remote.settle() / TRIES;
                context.remote.wait(PIPELINES.name, pause, why).await;
            }
            let current = match self.current(context).await {
                Ok(Ok(current)) => current,
                Ok(Err(reason)) => return Ok(DeliveryOutcome::Rejected(reason)),
                Err(error) => return rejection(error).map(DeliveryOutcome::Rejected),
            };
            let plan = match self.plan(current.as_ref())? {
                Ok(plan) => plan,
                Err(reason) => return Ok(DeliveryOutcome::Rejected(reason)),
            };
            if is_dry && !plan.requests.is_empty() {
                let requests = plan.requests.iter().map(PlannedRequest::from).collect();
                return Ok(DeliveryOutcome::Planned(requests, plan.differences));
            }
            if plan.requests.is_empty() {
                let outcome = failure.map_or("unchanged", |(outcome, _)| outcome);
                return Ok(DeliveryOutcome::Done(outcome, found(current.as_ref())));
            }
            match send(context, &plan).await? {
                Sent::Done(found) => return Ok(self.taken(&plan, found)),
                Sent::Lost(reason) => {
                    let first = failure.map_or(plan.outcome, |(outcome, _)| outcome);
                    failure = Some((first, reason));
                }
                // It may be the pipeline of a request whose answer was lost.
                Sent::Refused(_) if failure.is_some() && current.is_none() => {}
                Sent::Refused(reason) => return Ok(DeliveryOutcome::Rejected(reason)),
            }
        }
        let reason = failure.map(|(_, reason)| reason).unwrap_or_default();
        Ok(DeliveryOutcome::Rejected(format!(
            "Buildkite failed {TRIES} times to do it, and did not: {reason}"
        )))
    }
}

impl DesiredPipeline {
    /// What Buildkite's answer says of a plan that was carried out.
    fn taken(&self, plan: &Plan, mut found: Found) -> DeliveryOutcome {
        let answer = found.answer.as_ref();
        let answer = answer.and_then(|answer| serde_json::from_str::<Value>(answer.as_str()).ok());
        // Other answers show no settings.
        let Some(answer) = answer.filter(|answer| answer["slug"].is_string()) else {
            return DeliveryOutcome::Done(plan.outcome, found);
        };
        let (dropped, is_all) = not_taken(&self.fields, &plan.differences, &answer);
        if dropped.is_empty() {
            return DeliveryOutcome::Done(plan.outcome, found);
        }
        let reason = format!(
            "Buildkite answered with success, but did not take {}",
            dropped.join(", ")
        );
        if is_all {
            return DeliveryOutcome::Rejected(reason);
        }
        found.reason = Some(reason);
        DeliveryOutcome::Done(plan.outcome, found)
    }

    /// The pipeline as it is, under its new slug or its old one; `None` if there is none. A
    /// sentence, if both are there.
    async fn current(
        &self,
        context: &DeliveryContext,
    ) -> Result<Result<Option<Value>, String>, ClientError> {
        let old = self.pipeline(context, &self.pipeline.pipeline).await?;
        let Some(slug) = &self.new_slug else {
            return Ok(Ok(old));
        };
        let new = self.pipeline(context, slug).await?;
        Ok(match (old, new) {
            (Some(old), Some(new)) if old["id"] != new["id"] => Err(format!(
                "there is another pipeline that has the slug of `new_slug`: {slug}"
            )),
            (old, new) => Ok(new.or(old)),
        })
    }

    async fn pipeline(
        &self,
        context: &DeliveryContext,
        slug: &str,
    ) -> Result<Option<Value>, ClientError> {
        match context
            .remote
            .object(&self.pipeline, &["pipelines", slug])
            .await
        {
            Ok(pipeline) => {
                let pipeline = serde_json::from_str(pipeline.get());
                pipeline.map(Some).map_err(|_| ClientError::Protocol {
                    path: format!("pipelines/{slug}"),
                    what: "a pipeline that is no object".to_owned(),
                })
            }
            Err(ClientError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is to be done; a sentence if that is refused.
    fn plan(&self, current: Option<&Value>) -> Result<Result<Plan, String>> {
        match current {
            None => self.plan_new(),
            Some(current) => self.plan_change(current),
        }
    }

    fn plan_new(&self) -> Result<Result<Plan, String>> {
        let slug = self.new_slug.as_ref().unwrap_or(&self.pipeline.pipeline);
        let mut body = self.fields.clone();
        if !body.contains_key("repository") {
            return Ok(Err(
                "there is no such pipeline, and a new one needs `repository`".into(),
            ));
        }
        body.entry("name").or_insert_with(|| json!(slug));
        body.insert("slug".to_owned(), json!(slug));
        let wanted = (self.archived == Some(true)).then(|| self.archive(slug));
        let archive = match wanted.transpose() {
            Ok(archive) => archive,
            Err(reason) => return Ok(Err(reason)),
        };
        let differences = body.iter().map(|(field, to)| Difference {
            field: field.clone(),
            from: Value::Null,
            to: to.clone(),
        });
        let differences = differences.collect();
        let mut requests = vec![
            ApiRequest::of_organization(Verb::Post, &self.pipeline, &["pipelines"])
                .with_body(&body)?,
        ];
        requests.extend(archive);
        Ok(Ok(Plan {
            outcome: "created",
            requests,
            differences,
        }))
    }

    fn plan_change(&self, current: &Value) -> Result<Result<Plan, String>> {
        let slug = current["slug"].as_str().unwrap_or(&self.pipeline.pipeline);
        let mut change = differences(&self.fields, current);
        if let Some(new) = self.new_slug.as_deref().filter(|new| *new != slug) {
            change.add("slug", json!(slug), json!(new));
        } else if change.patch.contains_key("name") {
            // Without it, Buildkite makes a slug of the new name.
            change.patch.insert("slug".to_owned(), json!(slug));
        }
        let is_archived = !current["archived_at"].is_null();
        if let Some(reason) = self.refusal(&change, current, is_archived) {
            return Ok(Err(reason));
        }
        let mut requests = Vec::new();
        if is_archived && self.archived == Some(false) {
            change.note("archived", json!(true), json!(false));
            requests.push(self.turn("unarchive", slug));
        }
        if !change.patch.is_empty() {
            let path = ["pipelines", slug];
            let request = ApiRequest::of_organization(Verb::Patch, &self.pipeline, &path);
            requests.push(request.with_body(&change.patch)?);
        }
        if !is_archived && self.archived == Some(true) {
            change.note("archived", json!(false), json!(true));
            let slug = change
                .patch
                .get("slug")
                .and_then(Value::as_str)
                .unwrap_or(slug);
            match self.archive(slug) {
                Ok(request) => requests.push(request),
                Err(reason) => return Ok(Err(reason)),
            }
        }
        Ok(Ok(Plan {
            outcome: "updated",
            requests,
            differences: change.differences,
        }))
    }

    /// Why a change is not made.
    fn refusal(&self, change: &Change, current: &Value, is_archived: bool) -> Option<String> {
        let differs = |field: &str| change.differences.iter().any(|one| one.field == field);
        let count = |field: &str| current[field].as_u64().unwrap_or(0);
        let open = count("running_builds_count") + count("scheduled_builds_count");
        if differs("slug") && !self.allows(Permission::MoveSlug) {
            return Some(not_allowed(
                "move the slug, and with it all addresses",
                "move_slug",
            ));
        }
        let steps = ["configuration", "steps", "pipeline_template_uuid"];
        if steps.iter().any(|field| differs(field))
            && open > 0
            && !self.allows(Permission::ReplaceConfiguration)
        {
            let what = format!("replace the configuration while {open} builds run or wait");
            return Some(not_allowed(&what, "replace_configuration"));
        }
        if is_archived && !change.patch.is_empty() && self.archived != Some(false) {
            return Some(
                "the pipeline is archived, so that nothing of it can be changed: say \
                 `archived` is false"
                    .to_owned(),
            );
        }
        None
    }

    fn allows(&self, permission: Permission) -> bool {
        self.allow.contains(&permission)
    }

    fn archive(&self, slug: &str) -> Result<ApiRequest, String> {
        if self.allows(Permission::Archive) {
            return Ok(self.turn("archive", slug));
        }
        Err(not_allowed("archive the pipeline", "archive"))
    }

    fn turn(&self, how: &str, slug: &str) -> ApiRequest {
        ApiRequest::of_organization(Verb::Post, &self.pipeline, &["pipelines", slug, how])
    }
}

fn not_allowed(what: &str, permission: &str) -> String {
    format!("it would {what}, which is not allowed: add \"{permission}\" to `allow`")
}

/// How the requests of a plan ended.
enum Sent {
    Done(Found),
    /// One may have been done, or not.
    Lost(String),
    Refused(String),
}

async fn send(context: &DeliveryContext, plan: &Plan) -> Result<Sent> {
    let mut found = Found::default();
    for request in &plan.requests {
        match context.remote.send(request).await {
            Ok(answer) => found = Found::of_answer(answer.as_deref()),
            Err(ClientError::OutcomeUnknown { reason, .. }) => return Ok(Sent::Lost(reason)),
            Err(error) => return rejection(error).map(Sent::Refused),
        }
    }
    Ok(Sent::Done(found))
}

fn found(current: Option<&Value>) -> Found {
    let url = current.and_then(|pipeline| pipeline["web_url"].as_str());
    let mut found = Found::default();
    found.done.url = url.map(str::to_owned);
    found
}

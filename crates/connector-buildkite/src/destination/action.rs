//! What one record asks for, whatever its stream.

use async_trait::async_trait;
use buildkite_client::{Error as ClientError, Verb};
use connector_core::{JsonObject, Result};
use serde::Serialize;
use serde_json::value::RawValue;

use super::desk::Desk;
use super::journal::Done;
use crate::error::explain;

/// The pipeline that a record is about. Records of one lane are sent in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) organization: String,
    /// Empty if it is about none.
    pub(crate) pipeline: String,
}

/// A request, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl Call {
    /// A request below a pipeline.
    pub(crate) fn of_pipeline(verb: Verb, lane: &Lane, rest: &[&str]) -> Self {
        let mut path = vec!["pipelines", lane.pipeline.as_str()];
        path.extend(rest);
        Self::of_organization(verb, lane, &path)
    }

    /// A request below an organization.
    pub(crate) fn of_organization(verb: Verb, lane: &Lane, rest: &[&str]) -> Self {
        let mut path = vec!["v2", "organizations", lane.organization.as_str()];
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

/// What a request did, or what was there already.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) done: Done,
    /// The remote's answer, where there was one.
    pub(crate) answer: Option<JsonObject>,
}

impl Found {
    pub(crate) fn numbered(number: u64, url: Option<String>) -> Self {
        let done = Done {
            number: Some(number),
            url,
            ..Done::default()
        };
        Self { done, answer: None }
    }

    /// Out of an answer that is an object: its `number` and `web_url`. What is large, and is not
    /// the object's own, is left out.
    pub(crate) fn of_answer(answer: Option<&RawValue>) -> Self {
        let Some(object) = answer.and_then(JsonObject::from_raw) else {
            return Self::default();
        };
        let mut found = Self::default();
        let mut kept = connector_core::ObjectWriter::with_capacity(1024);
        for (name, value) in object.fields().unwrap_or_default() {
            match name.as_ref() {
                "jobs" | "pipeline" => continue,
                "number" => found.done.number = value.get().parse().ok(),
                "created_at" => found.done.created_at = serde_json::from_str(value.get()).ok(),
                "web_url" => found.done.url = serde_json::from_str(value.get()).ok(),
                _ => {}
            }
            kept.raw(&name, value);
        }
        found.answer = Some(kept.finish());
        found
    }
}

/// What a look at the remote shows of a request whose outcome is not known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Look {
    /// It was done.
    Done(Found),
    /// Nothing shows yet.
    NotDone,
    /// Whether it was done does not matter: to send it again has the same effect as once.
    Harmless,
    /// Nothing can tell.
    Hidden,
}

/// How a record ends without its request, or with a refusal of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// What it asks for is there.
    Done(Found),
    /// It cannot be: a sentence.
    Rejected(String),
}

/// What one record asks for.
#[async_trait]
pub(crate) trait Action: Send + Sync {
    /// What it is about.
    fn lane(&self) -> &Lane;

    /// The request for it, with the record's key where that has a place.
    fn call(&self, key: &str) -> Result<Call>;

    /// Whether its request is needed at all, asked before it is sent for the first time.
    async fn before(&self, _desk: &Desk, _key: &str) -> Result<Option<Verdict>> {
        Ok(None)
    }

    /// Whether a request was done whose answer was lost.
    async fn look(&self, desk: &Desk, key: &str) -> Result<Look>;

    /// What the remote's refusal of the request means.
    async fn refused(&self, _desk: &Desk, refusal: ClientError) -> Result<Verdict> {
        rejection(refusal)
    }

    /// Whether the journal remembers it. What is there to be seen at any time, and may be wanted
    /// again, needs no memory.
    fn is_remembered(&self) -> bool {
        true
    }

    /// In a word, what its request did.
    fn outcome(&self) -> &'static str {
        "done"
    }

    /// Whether it makes a build, whose end can be waited for.
    fn makes_build(&self) -> bool {
        false
    }
}

/// A refusal of this one request; other errors concern all that follow as well.
///
/// # Errors
/// Those others.
pub(crate) fn rejection(error: ClientError) -> Result<Verdict> {
    match error {
        ClientError::Forbidden { .. }
        | ClientError::NotFound { .. }
        | ClientError::Refused { .. } => {
            // Without the path: it may hold a value of the record, which the host has.
            Ok(Verdict::Rejected(explain(error).message().to_owned()))
        }
        other => Err(explain(other)),
    }
}

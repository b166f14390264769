//! What one record asks for, if it takes one request.

use async_trait::async_trait;
use buildkite_client::Error as ClientError;
use connector_core::{JsonObject, ObjectWriter, Result};
use serde_json::value::RawValue;

use super::api_request::{ApiRequest, PipelineKey};
use super::context::DeliveryContext;
use super::journal::Done;
use crate::error::explain;

/// What a request did, or what was there already.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) done: Done,
    /// Buildkite's answer, if there was one.
    pub(crate) answer: Option<JsonObject>,
    /// What of the record was not done, in a sentence.
    pub(crate) reason: Option<String>,
}

impl Found {
    /// A build.
    pub(crate) fn numbered(number: u64, url: Option<String>) -> Self {
        let done = Done {
            number: Some(number),
            url,
            ..Done::default()
        };
        Self::from(done)
    }

    /// Reads `number`, `web_url` and `created_at` of an answer that is an object, and keeps the
    /// answer without what is large and not the object's own.
    pub(crate) fn of_answer(answer: Option<&RawValue>) -> Self {
        let Some(object) = answer.and_then(JsonObject::from_raw) else {
            return Self::default();
        };
        let mut found = Self::default();
        let mut kept = ObjectWriter::with_capacity(1024);
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

impl From<Done> for Found {
    fn from(done: Done) -> Self {
        Self {
            done,
            ..Self::default()
        }
    }
}

/// What Buildkite shows of a request whose outcome is unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Probe {
    /// It was carried out.
    Done(Found),
    /// Nothing shows yet.
    NotDone,
    /// Whether it was carried out does not matter: sent again, it has the same effect as once.
    Harmless,
    /// Nothing can tell.
    Hidden,
}

/// How a record ends without its request, or with a refusal of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// What it asks for is there.
    Done(Found),
    /// It cannot be done: a sentence.
    Rejected(String),
}

/// What one record asks for.
#[async_trait]
pub(crate) trait Action: Send + Sync {
    /// What it is about.
    fn pipeline(&self) -> &PipelineKey;

    /// The request for it. It carries the record's key if it has a place for one.
    fn request(&self, key: &str) -> Result<ApiRequest>;

    /// Whether the request is needed at all. Asked before it is sent for the first time.
    async fn before(&self, _context: &DeliveryContext, _key: &str) -> Result<Option<Verdict>> {
        Ok(None)
    }

    /// Whether a request was carried out whose answer was lost.
    async fn probe(&self, context: &DeliveryContext, key: &str) -> Result<Probe>;

    /// What Buildkite's refusal of the request means.
    async fn refused(&self, _context: &DeliveryContext, refusal: ClientError) -> Result<Verdict> {
        rejection(refusal).map(Verdict::Rejected)
    }

    /// Whether the journal remembers it. What can be read at any time, and may be wanted again,
    /// needs no memory.
    fn is_remembered(&self) -> bool {
        true
    }

    /// What its request replaces the state of, if it does: the last record for it decides. `None`
    /// if each record acts for itself.
    fn target(&self) -> Option<String> {
        None
    }

    /// In a word, what its request did.
    fn outcome(&self) -> &'static str {
        "done"
    }

    /// Whether it makes a build, whose end can be awaited.
    fn makes_build(&self) -> bool {
        false
    }

    /// Whether that build has the mark of builds that are triggered here.
    fn marks_build(&self) -> bool {
        false
    }
}

/// Why a record is rejected whose own request is refused. Other errors concern all records.
///
/// # Errors
/// Those others.
pub(crate) fn rejection(error: ClientError) -> Result<String> {
    match error {
        ClientError::Forbidden { .. }
        | ClientError::NotFound { .. }
        | ClientError::Refused { .. } => {
            // Without the path: it may hold a value of the record, which the host has.
            Ok(explain(error).message().to_owned())
        }
        other => Err(explain(other)),
    }
}

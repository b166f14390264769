//! What the streams that are accepted have in common: how a record is read, and what it asks for.

use connector_core::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::destination::config::DestinationConfig;
use crate::destination::delivery::{Action, DesiredState, PipelineKey};

/// A stream that is accepted.
pub(crate) struct AcceptedStream {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// What the token must be allowed.
    pub(crate) scopes: &'static [&'static str],
    /// JSON Schema of its records.
    pub(crate) schema: fn() -> Value,
    /// What a record asks for; a sentence if it is not a record of the stream.
    pub(crate) parse_record: fn(&JsonObject, &Defaults<'_>) -> Result<Request, String>,
}

/// What a record asks for.
pub(crate) enum Request {
    /// A request, sent once.
    Once(Box<dyn Action>),
    /// A state, whatever it takes.
    Desired(Box<dyn DesiredState>),
}

impl Request {
    pub(crate) fn once(action: impl Action + 'static) -> Self {
        Self::Once(Box::new(action))
    }

    pub(crate) fn desired(state: impl DesiredState + 'static) -> Self {
        Self::Desired(Box::new(state))
    }

    /// What it replaces the state of, if it does.
    pub(crate) fn target(&self) -> Option<String> {
        match self {
            Self::Once(action) => action.target(),
            Self::Desired(desired) => Some(desired.target()),
        }
    }

    /// What it is about.
    pub(crate) fn pipeline(&self) -> &PipelineKey {
        match self {
            Self::Once(action) => action.pipeline(),
            Self::Desired(desired) => desired.pipeline(),
        }
    }
}

/// What a record may leave out.
pub(crate) struct Defaults<'a>(pub(crate) &'a DestinationConfig);

impl Defaults<'_> {
    /// # Errors
    /// A sentence, if neither the record nor the settings name one.
    pub(crate) fn organization(&self, given: Option<String>) -> Result<String, String> {
        slug(
            "organization",
            given.or_else(|| self.0.organization.clone()),
        )
    }

    /// # Errors
    /// Those of [`organization`](Self::organization).
    pub(crate) fn pipeline(
        &self,
        organization: Option<String>,
        pipeline: Option<String>,
    ) -> Result<PipelineKey, String> {
        Ok(PipelineKey {
            organization: self.organization(organization)?,
            pipeline: slug("pipeline", pipeline.or_else(|| self.0.pipeline.clone()))?,
        })
    }
}

fn slug(field: &str, slug: Option<String>) -> Result<String, String> {
    let slug = slug.unwrap_or_default();
    if slug.is_empty() {
        return Err(format!(
            "neither the record nor the settings name `{field}`"
        ));
    }
    let is_slug = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if slug.chars().all(is_slug) && !slug.starts_with('.') {
        return Ok(slug);
    }
    Err(format!(
        "`{field}` is not a slug: letters, digits and dashes"
    ))
}

/// Reads the fields of a record.
///
/// # Errors
/// A sentence that names the field and what is expected, without a value of the record.
pub(crate) fn parse<T: DeserializeOwned>(record: &JsonObject) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(record.as_str());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let text = error.into_inner().to_string();
        let text = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(text, _)| text);
        explain(&path, text)
    })
}

/// Serde's words, without the value that it quotes.
fn explain(path: &str, text: &str) -> String {
    if let Some(field) = text.strip_prefix("missing field ") {
        return match path {
            "." => format!("{field} is missing"),
            path => format!("{field} is missing in `{path}`"),
        };
    }
    if let Some(rest) = text.strip_prefix("unknown field ") {
        let (field, allowed) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let allowed = allowed.trim_start_matches("one of ");
        return format!(
            "there is no field {field}; the fields are {allowed}; map fields that have other names"
        );
    }
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => {
            format!("`{path}` is wrong: expected {expected}; map it to such a value by `mapping`")
        }
        None => format!("`{path}` is wrong; map it by `mapping`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::destination::streams::builds::BUILDS;

    fn refused(record: Value) -> String {
        let configuration = json!({"organization": "acme", "pipeline": "web"});
        let configuration = connector_core::Configuration::new(configuration).unwrap();
        let (_, config) = DestinationConfig::parse(configuration, None).unwrap();
        let record = JsonObject::from_serialize(&record).unwrap();
        let request = (BUILDS.parse_record)(&record, &Defaults(&config));
        request.err().unwrap()
    }

    #[test]
    fn a_bad_record_is_refused_by_field_without_its_value() {
        for (record, field) in [
            (json!({"branch": "s3cret"}), "`commit` is missing"),
            (json!({"commit": "HEAD", "branch": ["s3cret"]}), "`branch`"),
            (
                json!({"commit": " ", "branch": "s3cret"}),
                "`commit` is empty",
            ),
            (
                json!({"commit": "a", "branch": "b", "env": {"A": 7}}),
                "`env.A`",
            ),
            (
                json!({"commit": "a", "branch": "b", "author": "s3cret, expected x"}),
                "`author`",
            ),
            (
                json!({"commit": "a", "branch": "b", "author": {"name": "s3cret"}}),
                "`email`",
            ),
            (
                json!({"commit": "a", "branch": "b", "pipeline": "s3cret/.."}),
                "`pipeline`",
            ),
            (
                json!({"commit": "a", "branch": "b", "state": "s3cret"}),
                "no field `state`",
            ),
            (
                json!({"commit": "a", "branch": "b", "meta_data": {"idempotency-key": "s3cret"}}),
                "`idempotency-key`",
            ),
        ] {
            let reason = refused(record);
            assert!(
                reason.contains(field) && !reason.contains("s3cret"),
                "{reason}"
            );
        }
    }
}

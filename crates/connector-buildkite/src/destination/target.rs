//! The streams that are taken.

use connector_core::{Catalog, JsonObject, Stream};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::action::{Action, Lane};
use super::config::DestinationConfig;
use super::pipelines::Desired;
use super::{actions, builds, pipelines};

/// All of them.
pub(crate) const TARGETS: [Target; 9] = [
    builds::BUILDS,
    pipelines::PIPELINES,
    actions::build_cancellations::BUILD_CANCELLATIONS,
    actions::build_rebuilds::BUILD_REBUILDS,
    actions::job_retries::JOB_RETRIES,
    actions::job_unblocks::JOB_UNBLOCKS,
    actions::annotations::ANNOTATIONS,
    actions::pipeline_archivals::PIPELINE_ARCHIVALS,
    actions::requests::REQUESTS,
];

/// A stream that is taken.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// What the token must be allowed.
    pub(crate) scopes: &'static [&'static str],
    /// JSON Schema of its records.
    pub(crate) schema: fn() -> Value,
    /// What a record asks for; a sentence if it is no such record.
    pub(crate) order: fn(&JsonObject, &Defaults<'_>) -> Result<Work, String>,
}

/// What a record asks for.
pub(crate) enum Work {
    /// A request, sent once.
    Once(Box<dyn Action>),
    /// A state of a pipeline, whatever it takes.
    Desired(Box<Desired>),
}

impl Work {
    pub(crate) fn once(action: impl Action + 'static) -> Self {
        Self::Once(Box::new(action))
    }

    pub(crate) fn lane(&self) -> &Lane {
        match self {
            Self::Once(action) => action.lane(),
            Self::Desired(desired) => desired.lane(),
        }
    }
}

impl Target {
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// The streams as a catalog.
pub(crate) fn catalog() -> Catalog {
    let stream = |target: &Target| {
        let schema = (target.schema)();
        Stream::new(target.name, target.description, schema)
            .with_scopes(target.scopes.iter().copied())
    };
    Catalog::new(TARGETS.iter().map(stream))
}

/// What records leave out.
pub(crate) struct Defaults<'a>(pub(crate) &'a DestinationConfig);

impl Defaults<'_> {
    /// # Errors
    /// A sentence, if neither the record nor the configuration names one.
    pub(crate) fn organization(&self, given: Option<String>) -> Result<String, String> {
        slug(
            "organization",
            given.or_else(|| self.0.organization.clone()),
        )
    }

    /// # Errors
    /// As [`organization`](Self::organization).
    pub(crate) fn lane(
        &self,
        organization: Option<String>,
        pipeline: Option<String>,
    ) -> Result<Lane, String> {
        Ok(Lane {
            organization: self.organization(organization)?,
            pipeline: slug("pipeline", pipeline.or_else(|| self.0.pipeline.clone()))?,
        })
    }
}

fn slug(field: &str, slug: Option<String>) -> Result<String, String> {
    let slug = slug.unwrap_or_default();
    if slug.is_empty() {
        return Err(format!(
            "`{field}` is named neither in the record nor in the configuration"
        ));
    }
    let is_slug = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match slug.chars().all(is_slug) && !slug.starts_with('.') {
        true => Ok(slug),
        false => Err(format!("`{field}` is no slug: letters, digits and dashes")),
    }
}

/// Reads a record of ours.
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
        return format!("there is no field {field}: it takes {allowed}; map what has other names");
    }
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("`{path}` is wrong: expected {expected}"),
        None => format!("`{path}` is wrong"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(record: Value) -> String {
        let configuration = json!({"organization": "acme", "pipeline": "web"});
        let configuration = connector_core::Configuration::new(configuration).unwrap();
        let (_, config) = DestinationConfig::parse(configuration, None).unwrap();
        let record = JsonObject::from_serialize(&record).unwrap();
        let order = (builds::BUILDS.order)(&record, &Defaults(&config));
        order.err().unwrap()
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

    #[test]
    fn every_field_that_is_taken_is_described() {
        for stream in catalog().streams {
            let properties = stream.json_schema["properties"].as_object().unwrap();
            for (name, schema) in properties {
                assert!(schema["description"].is_string(), "{}.{name}", stream.name);
            }
        }
    }
}

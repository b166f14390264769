//! Lists that the configuration declares, for what Buildkite adds next.

use connector_core::{Result, Stream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::declaration::{ListStream, Parent, Shape};
use crate::error::invalid_setting;

const ORGANIZATION: &str = "{organization}";
const PIPELINE: &str = "{pipeline}";

/// A list of the API that this connector does not know, as a stream.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomStream {
    /// Name of the stream, lower snake case. It must not exist already.
    pub name: String,
    /// Path below the base URL: v2/organizations/{organization}/things, or with /{pipeline} for a
    /// list of each pipeline. A placeholder fills a whole segment.
    pub path: String,
    /// Where the records are in an answer, as a JSON pointer: /items. Default: the answer itself,
    /// or `items` with cursor paging.
    #[schemars(with = "String")]
    pub records: Option<String>,
    /// How the list is paged.
    #[serde(default)]
    pub paging: CustomPaging,
    /// Fields that identify a record. Without any, each sync appends.
    #[serde(default)]
    pub key: Vec<String>,
}

/// How a list is paged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomPaging {
    /// By number, with a `Link` header. Also for a list without pages.
    #[default]
    Page,
    /// By cursor: an object of `items` and `links`.
    Cursor,
    /// The answer is one object: the record.
    Object,
}

impl CustomStream {
    /// The declaration; `position` is its place in the configuration, `known` are the names that
    /// are taken.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config), naming the key.
    pub(crate) fn declare(&self, position: usize, known: &[ListStream]) -> Result<ListStream> {
        let invalid =
            |key, what| invalid_setting(format!("custom_streams[{position}].{key}"), what);
        self.check_name(known)
            .map_err(|what| invalid("name", what))?;
        let parent = self.parent().map_err(|what| invalid("path", what))?;
        let records = self.records.as_ref();
        if records.is_some_and(|pointer| !pointer.starts_with('/')) {
            return Err(invalid(
                "records",
                "expected a JSON pointer, such as /items",
            ));
        }
        Ok(ListStream {
            stream: self.stream(),
            parent,
            path: (self.path.trim_matches('/'))
                .replace(ORGANIZATION, "{organization_slug}")
                .replace(PIPELINE, "{pipeline_slug}"),
            query: Vec::new(),
            shape: match self.paging {
                CustomPaging::Page => Shape::Pages,
                CustomPaging::Cursor => Shape::Cursor,
                CustomPaging::Object => Shape::Object,
            },
            version: None,
            records: self.records.clone(),
        })
    }

    fn check_name(&self, known: &[ListStream]) -> Result<(), &'static str> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(is_word) {
            return Err("expected lower-case letters, digits and underscores");
        }
        let builtin = ["organizations", "pipelines", "builds", "jobs"];
        if builtin.contains(&self.name.as_str()) || known.iter().any(|l| l.name() == self.name) {
            return Err("a stream of this name exists already");
        }
        Ok(())
    }

    /// Whose lists they are, as the placeholders of the path say.
    fn parent(&self) -> Result<Parent, &'static str> {
        let path = self.path.trim_matches('/');
        if !path.starts_with("v2/") || path.contains(['?', '#', ':', '%']) || path.contains("..") {
            return Err("expected a path below the base URL: v2/organizations/{organization}/…");
        }
        let is_odd =
            |part: &str| part.contains(['{', '}']) && ![ORGANIZATION, PIPELINE].contains(&part);
        if path.split('/').any(is_odd) {
            return Err("its placeholders may be {organization} and {pipeline}, each a segment");
        }
        let holds = |name: &str| path.split('/').any(|part| part == name);
        match (holds(ORGANIZATION), holds(PIPELINE)) {
            (true, true) => Ok(Parent::Pipeline),
            (true, false) => Ok(Parent::Organization),
            (false, false) => Ok(Parent::Token),
            (false, true) => Err("{pipeline} needs {organization}"),
        }
    }

    fn stream(&self) -> Stream {
        let key = self.key.iter().map(|field| (field.clone(), json!({})));
        let properties: serde_json::Map<_, _> = key.collect();
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": properties,
        });
        let description = format!("{}, as the configuration declares it.", self.path);
        Stream::new(self.name.as_str(), &description, schema).with_primary_key(self.key.clone())
    }
}

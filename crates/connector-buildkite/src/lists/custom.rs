//! Lists that the configuration declares, for what Buildkite adds next.

use connector_core::{Result, Stream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{ListStream, Parent, Shape};
use crate::config::refuse;

/// A list of the API that this connector does not know, as a stream.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomStream {
    /// Name of the stream, lower snake case; none that there is already.
    pub name: String,
    /// Path below the base URL: v2/organizations/{organization}/things, or with /{pipeline} for a
    /// list of each pipeline. A segment is one placeholder or none.
    pub path: String,
    /// Where in an answer the records lie, as a JSON pointer: /items. Left out: the answer itself,
    /// or `items` with cursor paging.
    #[schemars(with = "String")]
    pub records: Option<String>,
    /// How the list is paged.
    #[serde(default)]
    pub paging: CustomPaging,
    /// Fields that identify a record; without any, a sync appends.
    #[serde(default)]
    pub key: Vec<String>,
}

/// How a list is paged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomPaging {
    /// By number, with a `Link` header; also for a list that is not paged.
    #[default]
    Page,
    /// By cursor: an object of `items` and `links`.
    Cursor,
    /// One object, which is the record.
    Object,
}

impl CustomStream {
    /// The declaration; `position` is where in the configuration it stands, `known` are the names
    /// that are taken.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config), naming the key.
    pub(crate) fn declare(&self, position: usize, known: &[ListStream]) -> Result<ListStream> {
        let bad =
            |key: &str, what: &str| Err(refuse(format!("custom_streams[{position}].{key}"), what));
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(is_word) {
            return bad(
                "name",
                "expected lower-case letters, digits and underscores",
            );
        }
        let builtin = ["organizations", "pipelines", "builds", "jobs"];
        if builtin.contains(&self.name.as_str()) || known.iter().any(|l| l.name() == self.name) {
            return bad("name", "there is a stream of this name already");
        }
        let path = self.path.trim_matches('/');
        if !path.starts_with("v2/") || path.contains(['?', '#', ':', '%']) || path.contains("..") {
            return bad(
                "path",
                "expected a path below the base URL: v2/organizations/{organization}/…",
            );
        }
        let holds = |name: &str| path.split('/').any(|part| part == name);
        let is_odd = |part: &str| {
            part.contains(['{', '}']) && part != "{organization}" && part != "{pipeline}"
        };
        let parent = match (holds("{organization}"), holds("{pipeline}")) {
            _ if path.split('/').any(is_odd) => {
                return bad(
                    "path",
                    "its placeholders may be {organization} and {pipeline}, each a segment",
                );
            }
            (true, true) => Parent::Pipeline,
            (true, false) => Parent::Organization,
            (false, false) => Parent::Token,
            (false, true) => return bad("path", "{pipeline} needs {organization}"),
        };
        if self
            .records
            .as_ref()
            .is_some_and(|pointer| !pointer.starts_with('/'))
        {
            return bad("records", "expected a JSON pointer, as /items");
        }
        let path = path
            .replace("{organization}", "{organization_slug}")
            .replace("{pipeline}", "{pipeline_slug}");
        Ok(ListStream {
            stream: self.stream(),
            parent,
            path,
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

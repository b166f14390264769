//! Records of sources without booleans, numbers or nested values: SQLite, CSV.

use std::borrow::Cow;
use std::collections::BTreeMap;

use connector_core::{JsonObject, ObjectWriter};
use serde_json::Value;
use serde_json::value::RawValue;

/// What a field holds, if some sources have no type for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldType {
    Boolean,
    Number,
    Object,
    List,
}

/// The fields of a stream that some sources have no type for.
pub(crate) struct FieldTypes(BTreeMap<String, FieldType>);

impl FieldTypes {
    /// Those of a JSON schema.
    pub(crate) fn of(schema: &Value) -> Self {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let types = properties.filter_map(|(name, schema)| {
            let field_type = FieldType::of(schema)?;
            Some((name.clone(), field_type))
        });
        Self(types.collect())
    }

    /// A record with the values that the fields stand for: true for 1, a number for its text, a
    /// list for its JSON text. Returns the names of those fields, too. `None` if there is none.
    pub(crate) fn read(&self, record: &JsonObject) -> Option<(JsonObject, Vec<String>)> {
        let fields = record.fields().ok()?;
        let mut read = ObjectWriter::with_capacity(record.as_str().len());
        let mut names = Vec::new();
        for (name, value) in &fields {
            let field_type = self.0.get(name.as_ref());
            match field_type.and_then(|field_type| field_type.read(value.get())) {
                Some(other) => {
                    names.push(name.clone().into_owned());
                    read.raw(name, &other);
                }
                None => read.raw(name, value),
            }
        }
        (!names.is_empty()).then(|| (read.finish(), names))
    }
}

impl FieldType {
    fn of(schema: &Value) -> Option<Self> {
        let alternatives = schema["anyOf"].as_array();
        let mut alternatives = alternatives.into_iter().flatten();
        if let Some(found) = alternatives.find_map(Self::of) {
            return Some(found);
        }
        let names: Vec<&str> = match &schema["type"] {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        names.into_iter().find_map(|name| match name {
            "boolean" => Some(Self::Boolean),
            "integer" | "number" => Some(Self::Number),
            "object" => Some(Self::Object),
            "array" => Some(Self::List),
            _ => None,
        })
    }

    /// What a value of another type stands for.
    fn read(self, json: &str) -> Option<Box<RawValue>> {
        let text: Option<String> = serde_json::from_str(json).ok();
        let text = text.as_deref().map(str::trim);
        let read = match (self, text.unwrap_or(json)) {
            (Self::Boolean, "1") => Cow::Borrowed("true"),
            (Self::Boolean, "0") => "false".into(),
            (Self::Boolean, word) => {
                let word = word.to_ascii_lowercase();
                (text.is_some() && ["true", "false"].contains(&word.as_str()))
                    .then_some(Cow::Owned(word))?
            }
            (Self::Number, _) => {
                let number = text?;
                number.parse::<serde_json::Number>().ok()?;
                number.into()
            }
            (Self::Object, _) => text.filter(|text| text.starts_with('{'))?.into(),
            (Self::List, _) => text.filter(|text| text.starts_with('['))?.into(),
        };
        RawValue::from_string(read.into_owned()).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::destination::streams::builds::BUILDS;
    use crate::destination::streams::pipelines::PIPELINES;

    fn read(schema: fn() -> Value, record: Value) -> Option<(Value, Vec<String>)> {
        let types = FieldTypes::of(&schema());
        let record = JsonObject::from_serialize(&record).unwrap();
        let (read, names) = types.read(&record)?;
        Some((serde_json::from_str(read.as_str()).unwrap(), names))
    }

    #[test]
    fn values_of_sources_without_their_types_are_read() {
        let record = json!({
            "commit": "1", "clean_checkout": 1, "ignore_pipeline_branch_filters": "False",
            "pull_request_id": " 12 ", "env": "{\"A\":\"1\"}", "meta_data": "{\"n\":1.10}",
            "pull_request_labels": "[\"a\"]", "author": "{\"name\":\"Ada\"}",
        });
        let (read, names) = read(BUILDS.schema, record).unwrap();
        let expected = json!({
            "commit": "1", "clean_checkout": true, "ignore_pipeline_branch_filters": false,
            "pull_request_id": 12, "env": {"A": "1"}, "meta_data": {"n": 1.1},
            "pull_request_labels": ["a"], "author": {"name": "Ada"},
        });
        assert_eq!(read, expected);
        assert_eq!(names.len(), 7, "{names:?}");
    }

    #[test]
    fn what_stands_for_nothing_else_stays() {
        for record in [
            json!({"clean_checkout": true, "env": {"A": "1"}, "pull_request_id": 12}),
            json!({"clean_checkout": 2, "env": "A=1", "pull_request_id": "twelve"}),
            json!({"clean_checkout": null, "env": "", "pull_request_id": ""}),
            json!({"env": "[1]", "pull_request_labels": "{}", "commit": "{}"}),
            json!({"env": "{broken"}),
        ] {
            assert_eq!(read(BUILDS.schema, record.clone()), None, "{record}");
        }
        let record = json!({"default_command_step_timeout": "7", "tags": "[]", "archived": "0"});
        let (read, _) = read(PIPELINES.schema, record).unwrap();
        let expected = json!({"default_command_step_timeout": 7, "tags": [], "archived": false});
        assert_eq!(read, expected);
    }
}

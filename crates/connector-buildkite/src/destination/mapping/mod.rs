//! Any record as a record of ours: templates for texts, JSON pointers for values.

use std::collections::BTreeMap;

use connector_core::{JsonObject, Result};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::delivery::at;
use crate::error::invalid_setting;

/// How records of one stream of the source become records of one of the destination's streams.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The destination's stream: builds, pipelines, annotations, ….
    pub to: String,
    /// The fields of its record. A text is a template over the source's record, as `Deploy {{
    /// version }} by {{ author.name }}`; `{"pointer": "/author/name"}` is the value there, left
    /// out if there is none; `{"json": "/data"}` is what the text there says in JSON; everything
    /// else is taken as it stands.
    pub fields: BTreeMap<String, Value>,
}

/// A mapping whose templates have been read.
#[derive(Clone)]
pub(crate) struct CompiledMapping {
    fields: Map<String, Value>,
    templates: Environment<'static>,
}

impl CompiledMapping {
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config) for a template or a pointer that
    /// is none, naming the field.
    pub(crate) fn new(source: &str, mapping: &Mapping) -> Result<Self> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // The name of a field that looks like a file's must not turn escaping on.
        templates.set_auto_escape_callback(|_| AutoEscape::None);
        let fields: Map<_, _> = mapping.fields.clone().into_iter().collect();
        let at = format!("mapping.{source}.fields");
        for (name, value) in &fields {
            add_templates(&mut templates, &format!("{at}.{name}"), name, value)?;
        }
        Ok(Self { fields, templates })
    }

    /// The record that `record` becomes.
    ///
    /// # Errors
    /// A sentence that names the field, without the record's values.
    pub(crate) fn apply(&self, record: &JsonObject) -> Result<JsonObject, String> {
        let values: Value = serde_json::from_str(record.as_str())
            .map_err(|_| "the record cannot be read".to_owned())?;
        let mut fields = Map::new();
        for (name, value) in &self.fields {
            if let Some(value) = self.value(name, value, record, &values)? {
                fields.insert(name.clone(), value);
            }
        }
        JsonObject::from_serialize(&fields).map_err(|error| error.to_string())
    }

    fn value(
        &self,
        path: &str,
        value: &Value,
        record: &JsonObject,
        values: &Value,
    ) -> Result<Option<Value>, String> {
        if let Some((is_json, pointer)) = pointer(value) {
            let text = at(record.as_str(), pointer);
            let found: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
            return match found {
                Some(Value::String(text)) if is_json => match serde_json::from_str(&text) {
                    Ok(value) => Ok(Some(value)),
                    Err(_) => Err(format!("`{path}`: the text at {pointer} is no JSON")),
                },
                found => Ok(found),
            };
        }
        Ok(Some(match value {
            Value::String(_) => Value::String(self.text(path, values)?),
            Value::Array(items) => {
                let mut mapped = Vec::new();
                for (position, item) in items.iter().enumerate() {
                    let path = format!("{path}.{position}");
                    mapped.extend(self.value(&path, item, record, values)?);
                }
                Value::Array(mapped)
            }
            Value::Object(members) => {
                let mut mapped = Map::new();
                for (name, member) in members {
                    let path = format!("{path}.{name}");
                    if let Some(value) = self.value(&path, member, record, values)? {
                        mapped.insert(name.clone(), value);
                    }
                }
                Value::Object(mapped)
            }
            other => other.clone(),
        }))
    }

    fn text(&self, path: &str, values: &Value) -> Result<String, String> {
        let values = minijinja::Value::from(minijinja::value::Serde(values));
        let template = self.templates.get_template(path);
        let rendered = template.and_then(|template| template.render(values));
        rendered.map_err(|error| {
            let why = match error.kind() {
                minijinja::ErrorKind::UndefinedError => "names a field that the record lacks",
                _ => "cannot be filled with this record",
            };
            format!("the template of `{path}` {why}")
        })
    }
}

/// The pointer of `{"pointer": "/…"}` or `{"json": "/…"}`, and whether it is the latter.
fn pointer(value: &Value) -> Option<(bool, &str)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let at = |name| members.get(name).and_then(Value::as_str);
    let plain = at("pointer").map(|pointer| (false, pointer));
    plain.or_else(|| at("json").map(|pointer| (true, pointer)))
}

/// Reads all texts in `value` as templates, each under its path.
fn add_templates(
    templates: &mut Environment<'static>,
    key: &str,
    path: &str,
    value: &Value,
) -> Result<()> {
    if let Some((_, pointer)) = pointer(value) {
        return match pointer.starts_with('/') {
            true => Ok(()),
            false => Err(invalid_setting(
                key,
                "expected a JSON pointer, as /author/name",
            )),
        };
    }
    let children: Vec<(String, &Value)> = match value {
        Value::String(text) => {
            let added = templates.add_template_owned(path.to_owned(), text.clone());
            return added.map_err(|error| {
                let what = match error.line() {
                    Some(line) => format!("is no template: {}, line {line}", error.kind()),
                    None => format!("is no template: {}", error.kind()),
                };
                invalid_setting(key, &what)
            });
        }
        Value::Array(items) => (items.iter().enumerate())
            .map(|(position, item)| (position.to_string(), item))
            .collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, one)| (name.clone(), one))
            .collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        add_templates(
            templates,
            &format!("{key}.{step}"),
            &format!("{path}.{step}"),
            child,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping(fields: Value) -> Result<CompiledMapping> {
        let mapping = serde_json::from_value(json!({"to": "builds", "fields": fields})).unwrap();
        CompiledMapping::new("deploys", &mapping)
    }

    fn apply(fields: Value, record: Value) -> Result<Value, String> {
        let record = JsonObject::from_serialize(&record).unwrap();
        let mapped = mapping(fields).unwrap().apply(&record)?;
        Ok(serde_json::from_str(mapped.as_str()).unwrap())
    }

    #[test]
    fn texts_are_templates_and_pointers_give_values() {
        let record = json!({"version": "1.2", "author": {"name": "Ada"}, "n": [7], "ok": true});
        let fields = json!({
            "message": "Deploy {{ version }} by {{ author.name }}",
            "commit": "HEAD",
            "pull_request_id": {"pointer": "/n/0"},
            "message_2": {"pointer": "/missing"},
            "clean_checkout": false,
            "meta_data": {"by": "{{ author.name }}", "list": ["{{ version }}", {"pointer": "/ok"}]},
        });
        let expected = json!({
            "message": "Deploy 1.2 by Ada",
            "commit": "HEAD",
            "pull_request_id": 7,
            "clean_checkout": false,
            "meta_data": {"by": "Ada", "list": ["1.2", true]},
        });
        assert_eq!(apply(fields, record).unwrap(), expected);
    }

    #[test]
    fn a_text_that_is_json_can_be_taken_apart() {
        let fields = json!({"meta_data": {"json": "/data"}});
        let mapped = apply(fields.clone(), json!({"data": "{\"a\": 1}"})).unwrap();
        assert_eq!(mapped, json!({"meta_data": {"a": 1}}));
        let reason = apply(fields, json!({"data": "s3cret"})).unwrap_err();
        assert!(
            reason.contains("`meta_data`") && !reason.contains("s3cret"),
            "{reason}"
        );
    }

    #[test]
    fn a_template_of_a_field_that_is_missing_is_refused_by_name() {
        let reason = apply(json!({"message": "{{ secret }}"}), json!({"a": "s3cret"})).unwrap_err();
        assert!(
            reason.contains("`message`") && !reason.contains("s3cret"),
            "{reason}"
        );
    }

    #[test]
    fn a_broken_template_and_a_broken_pointer_are_refused_by_key() {
        for fields in [
            json!({"message": "{{ a"}),
            json!({"message": {"pointer": "a"}}),
        ] {
            let error = mapping(fields).err().unwrap();
            assert!(
                error.to_string().contains("mapping.deploys.fields.message"),
                "{error}"
            );
        }
    }
}

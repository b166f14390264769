//! Settings in the forms in which hosts write them.
//!
//! Forms send an empty text for a field that was not filled in. Environment variables and some
//! hosts have only texts: `"4"`, `"true"`, `"[\"acme\"]"`. The declared type of a setting decides
//! what its text means. A text that is not of that type is kept, and the connector refuses it by
//! its key.

use std::collections::BTreeSet;

use connector_core::{ErrorKind, Result, invalid_json};
use serde_json::{Map, Number, Value};

/// The longest chain of references in a schema that is followed.
const MAX_REFERENCES: u8 = 8;

/// Replaces texts with the values that they mean.
///
/// # Errors
/// [`ErrorKind::Config`], naming the key of a list or an object that is not valid JSON.
pub(super) fn read_texts(settings: &mut Value, schema: &Value) -> Result<()> {
    for (key, value) in settings.as_object_mut().into_iter().flatten() {
        let (Some(property), Value::String(text)) = (schema["properties"].get(key), &*value) else {
            continue;
        };
        let meaning = if text.is_empty() {
            property.get("minLength").is_none().then_some(Value::Null)
        } else {
            let types = types(property, schema, 0);
            read(text.trim(), &types).map_err(|error| error.with_context("key", key))?
        };
        if let Some(read) = meaning {
            *value = read;
        }
    }
    Ok(())
}

/// The value that a text means; `None` if the text is kept.
fn read(text: &str, types: &BTreeSet<&str>) -> Result<Option<Value>> {
    let may_be = |kind: &str| types.contains(kind);
    if may_be("string") {
        return Ok(None);
    }
    if may_be("boolean") && ["true", "false"].contains(&&*text.to_ascii_lowercase()) {
        return Ok(Some(text.eq_ignore_ascii_case("true").into()));
    }
    let is_number = may_be("number") || may_be("integer");
    if is_number && let Ok(number) = serde_json::from_str::<Number>(text) {
        return Ok(Some(number.into()));
    }
    let is_list = may_be("array") && text.starts_with('[');
    let is_object = may_be("object") && text.starts_with('{');
    if !is_list && !is_object {
        return Ok(None);
    }
    let value = serde_json::from_str(text);
    value
        .map(Some)
        .map_err(|error| invalid_json(ErrorKind::Config, "the text", &error))
}

/// The types that a schema allows. A schema without a type allows text.
fn types<'s>(schema: &'s Value, root: &'s Value, references: u8) -> BTreeSet<&'s str> {
    let Value::Object(schema) = schema else {
        return ["string"].into();
    };
    let declared = match schema.get("type") {
        Some(Value::String(one)) => [one.as_str()].into(),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => implied(schema, root, references),
    };
    if declared.is_empty() {
        return ["string"].into();
    }
    declared
}

/// The types of a schema that lists its values or refers to other schemas.
fn implied<'s>(
    schema: &'s Map<String, Value>,
    root: &'s Value,
    references: u8,
) -> BTreeSet<&'s str> {
    let values = schema.get("enum").and_then(Value::as_array);
    let values = values.into_iter().flatten().chain(schema.get("const"));
    let of_values = values.map(type_of);
    let choices = ["oneOf", "anyOf", "allOf"].into_iter();
    let choices = choices.filter_map(|word| schema.get(word)?.as_array());
    let referenced = schema.get("$ref").and_then(Value::as_str);
    let referenced = referenced
        .filter(|_| references < MAX_REFERENCES)
        .and_then(|path| root.pointer(path.strip_prefix('#')?));
    let others = choices.flatten().chain(referenced);
    let of_others = others.flat_map(|other| types(other, root, references + 1));
    of_values.chain(of_others).collect()
}

fn type_of(value: &Value) -> &str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "properties": {
                "api_key": {"type": "string"},
                "start_date": {"type": ["string", "null"]},
                "journal": {"type": "string", "default": "j", "minLength": 0},
                "concurrency": {"type": "integer", "default": 4},
                "reserve": {"type": ["number", "null"]},
                "limit": {"anyOf": [{"$ref": "#/definitions/Limit"}, {"type": "null"}]},
                "dry_run": {"type": "boolean"},
                "organizations": {"type": "array", "items": {"type": "string"}},
                "mapping": {"type": "object"},
                "wait": {"oneOf": [{"const": "finished"}]},
                "either": {"type": ["string", "integer"]},
                "anything": true,
            },
            "definitions": {"Limit": {"type": "integer"}},
        })
    }

    fn read_back(mut settings: Value) -> Value {
        read_texts(&mut settings, &schema()).unwrap();
        settings
    }

    #[test]
    fn an_empty_text_leaves_a_setting_unset() {
        for key in [
            "api_key",
            "start_date",
            "concurrency",
            "dry_run",
            "organizations",
            "wait",
        ] {
            let read = read_back(json!({ key: "" }));
            assert_eq!(read, json!({ key: null }), "{key}");
        }
        let explicit = json!({"journal": ""});
        assert_eq!(read_back(explicit.clone()), explicit);
    }

    #[test]
    fn a_text_becomes_a_value_of_the_declared_type() {
        let settings = json!({
            "concurrency": "4", "reserve": " 2.5", "limit": "7", "dry_run": "True",
            "organizations": "[\"acme\"]", "mapping": "{\"a\": {\"to\": \"builds\"}}",
        });
        let expected = json!({
            "concurrency": 4, "reserve": 2.5, "limit": 7, "dry_run": true,
            "organizations": ["acme"], "mapping": {"a": {"to": "builds"}},
        });
        assert_eq!(read_back(settings), expected);
    }

    #[test]
    fn a_setting_that_is_a_text_stays_a_text() {
        let settings = json!({
            "api_key": "4", "start_date": "true", "wait": "finished", "either": "4",
            "anything": "[1]", "unknown": "4", "mapping": {"fields": {"n": "4", "empty": ""}},
        });
        assert_eq!(read_back(settings.clone()), settings);
    }

    #[test]
    fn a_text_without_a_meaning_is_left_for_the_connector_to_refuse() {
        let settings = json!({"concurrency": "four", "dry_run": "yes", "organizations": "acme"});
        assert_eq!(read_back(settings.clone()), settings);
    }

    #[test]
    fn a_list_that_is_cut_is_refused_by_its_key_and_without_its_content() {
        let mut settings = json!({"organizations": "[\"acme\", \"s3cret"});
        let error = read_texts(&mut settings, &schema()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the text is not valid JSON [at: line 1, column 16, key: organizations]"
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"properties": {"a": {"$ref": "#/properties/a"}}});
        let mut settings = json!({"a": "4"});
        read_texts(&mut settings, &schema).unwrap();
        assert_eq!(settings, json!({"a": "4"}));
    }
}

//! Any record as a record of ours: templates for texts, JSON pointers for values.

#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::io::{self, Write};

use connector_core::{JsonObject, ObjectWriter, Result};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::delivery::at;
use crate::error::invalid_setting;

/// The steps that a template may take for one record.
const FUEL: u64 = 100_000;
/// The longest text that a template may give, in bytes.
const MAX_TEXT: usize = 1024 * 1024;

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
        // A null is undefined too, and may be asked for in an `if`.
        templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        templates.set_formatter(values::write);
        templates.add_test("none", |value: minijinja::Value| {
            value.is_none() || value.is_undefined()
        });
        templates.set_fuel(Some(FUEL));
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
        let values = values::value(record.as_str());
        let values = values.ok_or("the record holds a text that cannot be read")?;
        let source = Source {
            templates: &self.templates,
            record: record.as_str(),
            values,
        };
        let mut fields = ObjectWriter::with_capacity(record.as_str().len());
        for (name, value) in &self.fields {
            if let Some(json) = source.json(name, value)? {
                fields.raw(name, &json);
            }
        }
        Ok(fields.finish())
    }
}

/// A record that is mapped.
struct Source<'a> {
    templates: &'a Environment<'static>,
    record: &'a str,
    values: minijinja::Value,
}

impl Source<'_> {
    /// The value of a field, as JSON: what is copied stays as it is written.
    fn json(&self, path: &str, value: &Value) -> Result<Option<Box<RawValue>>, String> {
        if let Some((is_json, pointer)) = pointer(value) {
            return self.at(path, pointer, is_json);
        }
        let json = match value {
            Value::String(_) => json!(self.text(path)?).to_string(),
            Value::Array(items) => {
                let mut mapped = Vec::new();
                for (position, item) in items.iter().enumerate() {
                    mapped.extend(self.json(&format!("{path}.{position}"), item)?);
                }
                to_json(&mapped)?
            }
            Value::Object(members) => {
                let mut mapped = BTreeMap::new();
                for (name, member) in members {
                    let json = self.json(&format!("{path}.{name}"), member)?;
                    mapped.extend(json.map(|json| (name, json)));
                }
                to_json(&mapped)?
            }
            other => other.to_string(),
        };
        raw(json).map(Some)
    }

    /// The value at a pointer, or what the text there says in JSON.
    fn at(
        &self,
        path: &str,
        pointer: &str,
        is_json: bool,
    ) -> Result<Option<Box<RawValue>>, String> {
        let Some(found) = at(self.record, pointer) else {
            return Ok(None);
        };
        let text: Option<String> = serde_json::from_str(&found).ok();
        match text.filter(|_| is_json) {
            None => raw(found.into_owned()).map(Some),
            Some(text) => raw(text)
                .map(Some)
                .map_err(|_| format!("`{path}`: the text at {pointer} is no JSON")),
        }
    }

    fn text(&self, path: &str) -> Result<String, String> {
        let template = self.templates.get_template(path);
        let mut text = LimitedText(Vec::new());
        let rendered = template.and_then(|template| {
            template.render_captured_to(self.values.clone(), &mut text)?;
            Ok(())
        });
        rendered.map_err(|error| {
            let why = match error.kind() {
                ErrorKind::UndefinedError => {
                    "uses a field that the record lacks or that is null: give it a value as in \
                     {{ field | default(\"none\") }}"
                }
                ErrorKind::OutOfFuel => "does not end soon: a loop in it is too long",
                ErrorKind::WriteFailure => "gives a text of more than 1 MiB",
                _ => "cannot be filled with this record",
            };
            format!("the template of `{path}` {why}")
        })?;
        String::from_utf8(text.0).map_err(|error| error.to_string())
    }
}

/// A text that grows up to [`MAX_TEXT`].
struct LimitedText(Vec<u8>);

impl Write for LimitedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn to_json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

fn raw(json: String) -> Result<Box<RawValue>, String> {
    RawValue::from_string(json).map_err(|error| error.to_string())
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
        if pointer.starts_with('/') {
            return Ok(());
        }
        let what = "expected a JSON pointer, as /author/name";
        return Err(invalid_setting(key, what));
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

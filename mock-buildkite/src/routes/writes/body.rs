//! The body of a write: its fields, and what is wrong with them.

use serde_json::{Map, Value, json};

use super::{Call, Reply};
use crate::routes::query::boolean;

/// The fields of a body, read one by one; what is wrong is kept until all were read. A field that
/// is null counts as left out.
pub(super) struct Body {
    fields: Map<String, Value>,
    errors: Vec<Value>,
}

impl Body {
    /// An absent body has no fields. 400 for anything but an object (inferred).
    pub(super) fn parse(call: &Call<'_>) -> Result<Self, Reply> {
        let body = call.body.trim_ascii();
        let body = if body.is_empty() { b"{}" } else { body };
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self {
                fields,
                errors: Vec::new(),
            }),
            Ok(_) => Err(Reply::error(400, "Request body must be a JSON object")),
            Err(_) => Err(Reply::error(400, "Request body is not valid JSON")),
        }
    }

    /// True if the field is there, null or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// The value of a field that has one.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    /// A text that must be there and not be blank.
    pub(super) fn required_text(&mut self, key: &str) -> String {
        let text = self.text(key).unwrap_or_default();
        let is_wrong = self.errors.iter().any(|error| error["field"] == key);
        if text.trim().is_empty() && !is_wrong {
            self.fail(key, "missing");
        }
        text
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn is_true(&mut self, key: &str) -> bool {
        self.flag(key).unwrap_or(false)
    }

    /// A boolean as Rails reads it: also `"true"`, `1`, `"0"`.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.read(key, |value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => Some(number.as_i64() != Some(0)),
            Value::String(text) => boolean(text),
            _ => None,
        })
    }

    /// A text that must be one of these.
    pub(super) fn one_of(&mut self, key: &str, values: &[&str]) -> Option<String> {
        self.read(key, |value| {
            let text = value.as_str()?;
            values.contains(&text).then(|| text.to_owned())
        })
    }

    pub(super) fn integer(&mut self, key: &str) -> Option<i64> {
        self.read(key, Value::as_i64)
    }

    pub(super) fn object(&mut self, key: &str) -> Option<Map<String, Value>> {
        self.read(key, |value| value.as_object().cloned())
    }

    pub(super) fn array(&mut self, key: &str) -> Option<Vec<Value>> {
        self.read(key, |value| value.as_array().cloned())
    }

    /// A field that is of the wrong type is invalid.
    fn read<T>(&mut self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let read = read(value);
        if read.is_none() {
            self.fail(key, "invalid");
        }
        read
    }

    /// Something is wrong with a field.
    pub(super) fn fail(&mut self, field: &str, code: &str) {
        self.errors.push(json!({"field": field, "code": code}));
    }

    /// 422 if anything was wrong.
    pub(super) fn check(&self) -> Result<(), Reply> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let body = json!({"message": "Validation Failed", "errors": self.errors});
        Err(Reply {
            status: 422,
            ..Reply::value(&body)
        })
    }
}

impl Body {
    /// 422 with the reasons in one sentence, as lists answer it, if anything was wrong.
    pub(super) fn check_reason(&self) -> Result<(), Reply> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let reasons: Vec<String> = self.errors.iter().map(reason).collect();
        let message = format!("Validation failed: {}", reasons.join(", "));
        Err(Reply::error(422, &message))
    }
}

/// What is wrong with a field, as a sentence: `Name can't be blank`.
fn reason(error: &Value) -> String {
    let field = error["field"]
        .as_str()
        .unwrap_or_default()
        .replace('_', " ");
    let mut letters = field.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    let field = first.unwrap_or_default() + letters.as_str();
    match error["code"].as_str().unwrap_or_default() {
        "missing" => format!("{field} can't be blank"),
        "invalid" => format!("{field} is invalid"),
        code if code.contains(' ') && code.starts_with(char::is_uppercase) => code.to_owned(),
        code => format!("{field} {code}"),
    }
}

/// A value as meta-data keeps it.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

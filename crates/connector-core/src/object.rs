//! JSON objects kept as text.
//!
//! Records are never turned into trees of values: that would take several times as long, lose
//! numbers beyond 2^53 and reorder fields. A [`JsonObject`] is text that is known
//! to be one valid JSON object; an [`ObjectWriter`] builds one from valid parts without parsing
//! them again.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result};

/// One valid JSON object, as the text in which it arrived: field order, numbers and unknown fields
/// kept. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonObject(Arc<String>);

impl JsonObject {
    /// Takes a text that is one JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] with line and column if the text is anything else; the text itself is
    /// not in the error.
    pub fn parse(text: &str) -> Result<Self> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::new(
                ErrorKind::Data,
                format!("not valid JSON at line {line}, column {column}"),
            )
        })?;
        Self::from_raw(raw)
            .ok_or_else(|| Error::new(ErrorKind::Data, "valid JSON, but not an object"))
    }

    /// A `String` in an `Arc`, since an `Arc<str>` would copy the text.
    fn new(text: String) -> Self {
        Self(Arc::new(text))
    }

    /// Takes a raw value, unless it is something other than an object. Nothing is parsed.
    pub fn from_raw(raw: &RawValue) -> Option<Self> {
        raw.get()
            .starts_with('{')
            .then(|| Self::new(raw.get().to_owned()))
    }

    /// Serializes a struct or map.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] if it does not serialize, or not to an object.
    pub fn from_serialize(value: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(value).map_err(|error| {
            Error::new(ErrorKind::Data, "the value has no form in JSON").with_source(error)
        })?;
        if text.starts_with('{') {
            return Ok(Self::new(text));
        }
        Err(Error::new(ErrorKind::Data, "the value is not an object"))
    }

    /// The text, exactly as it arrived.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text without line breaks. In valid JSON they stand only between values, so they are
    /// replaced by spaces; text without any is borrowed.
    pub fn single_line(&self) -> Cow<'_, str> {
        match memchr::memchr2(b'\n', b'\r', self.0.as_bytes()) {
            None => Cow::Borrowed(self.as_str()),
            Some(_) => Cow::Owned(self.0.replace(['\n', '\r'], " ")),
        }
    }

    /// Reads the fields that `T` names and skips the others.
    ///
    /// # Errors
    /// [`ErrorKind::Data`], naming the field whose type is another; never its value.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        let mut json = serde_json::Deserializer::from_str(&self.0);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            Error::new(
                ErrorKind::Data,
                "a field is missing or of an unexpected type",
            )
            .with_context("field", error.path())
        })
    }

    /// The top-level fields in their order, values unparsed. A repeated key is listed again.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] if a key is not text because it holds half of a surrogate pair.
    pub fn fields(&self) -> Result<Vec<(Cow<'_, str>, &RawValue)>> {
        let fields: Fields<'_> = serde_json::from_str(&self.0).map_err(|error| {
            Error::new(ErrorKind::Data, "a field has a name that is not text").with_source(error)
        })?;
        Ok(fields.0)
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_raw(&raw).ok_or_else(|| serde::de::Error::custom("expected an object"))
    }
}

/// All fields of an object; `serde_json::Map` would parse the values and forget the order.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(48);
                while let Some(Key(key)) = map.next_key()? {
                    fields.push((key, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// Borrowed unless the key holds an escape.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Builds an object from parts that are already valid.
#[derive(Debug)]
pub struct ObjectWriter {
    text: String,
    is_empty: bool,
}

impl ObjectWriter {
    /// An object without fields, with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity.max(2));
        text.push('{');
        Self {
            text,
            is_empty: true,
        }
    }

    /// An object that starts with all fields of `raw` and has room for `extra` bytes more;
    /// `None` if `raw` is not an object.
    pub fn extending(raw: &RawValue, extra: usize) -> Option<Self> {
        let body = raw.get().strip_prefix('{')?.strip_suffix('}')?.trim_end();
        let mut writer = Self::with_capacity(body.len() + extra + 2);
        writer.text.push_str(body);
        writer.is_empty = body.trim_start().is_empty();
        Some(writer)
    }

    /// Adds a field whose value is already valid JSON.
    pub fn raw(&mut self, key: &str, value: &RawValue) {
        self.key(key);
        self.text.push_str(value.get());
    }

    /// Adds a text.
    pub fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quoted(value);
    }

    /// Adds a whole number.
    pub fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.text.push_str(&value.to_string());
    }

    /// Adds a null.
    pub fn null(&mut self, key: &str) {
        self.key(key);
        self.text.push_str("null");
    }

    /// Closes the object.
    pub fn finish(mut self) -> JsonObject {
        self.text.push('}');
        JsonObject::new(self.text)
    }

    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.text.push(',');
        }
        self.quoted(key);
        self.text.push(':');
    }

    fn quoted(&mut self, text: &str) {
        let needs_escape = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        if text.bytes().any(needs_escape) {
            self.text
                .push_str(&serde_json::Value::from(text).to_string());
        } else {
            self.text.push('"');
            self.text.push_str(text);
            self.text.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).expect("a literal of these tests is valid")
    }

    #[test]
    fn an_object_keeps_its_text() {
        let text = r#"{"b":9223372036854775807123,"a":{"z":1,"y":[1.10]},"ключ":"é\n"}"#;
        assert_eq!(JsonObject::parse(text).unwrap().as_str(), text);
    }

    #[test]
    fn what_is_no_object_is_refused_without_its_value() {
        for text in ["[1]", "\"token\"", "{\"a\":token}", "{} {}", ""] {
            let error = JsonObject::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(!error.to_string().contains("token"), "{error}");
        }
    }

    #[test]
    fn a_writer_extends_full_and_empty_objects() {
        for (base, expected) in [
            (r#"{"a":1}"#, r#"{"a":1,"b":"x\"y","c":null}"#),
            ("{ }", r#"{"b":"x\"y","c":null}"#),
        ] {
            let mut writer = ObjectWriter::extending(raw(base), 16).unwrap();
            writer.string("b", "x\"y");
            writer.null("c");
            let object = writer.finish();

            assert_eq!(object.as_str(), expected);
            assert_eq!(JsonObject::parse(expected).unwrap(), object);
        }
    }

    #[test]
    fn fields_come_in_order_with_unescaped_keys() {
        let object = JsonObject::parse(r#"{"z":[1, 2],"\u0061":"é"}"#).unwrap();
        let fields: Vec<_> = object
            .fields()
            .unwrap()
            .into_iter()
            .map(|(key, value)| (key.into_owned(), value.get()))
            .collect();
        assert_eq!(
            fields,
            [("z".to_owned(), "[1, 2]"), ("a".to_owned(), "\"é\"")]
        );
    }

    #[test]
    fn a_single_line_has_no_line_break_and_the_same_value() {
        let object = JsonObject::parse("{\n  \"a\": \"x\\ny\"\r\n}").unwrap();
        let line = object.single_line();
        assert!(!line.contains(['\n', '\r']));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["a"], "x\ny");
    }
}

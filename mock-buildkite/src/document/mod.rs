//! A JSON object whose values keep the text they came in.
//!
//! A recorded answer is served as it was recorded, with the same numbers and the same order of
//! keys. So an object is a list of keys with raw values; only values that a caller sets are
//! serialized again.

mod build;

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use serde_json::value::RawValue;

pub use build::BuildDocument;

/// A JSON object: its keys in order, and the exact text of each value.
#[derive(Debug, Clone, Default)]
pub struct Document {
    fields: Vec<(String, Box<RawValue>)>,
}

impl Document {
    /// Parses the text of one JSON object.
    ///
    /// # Errors
    /// If the text is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The keys, in the order they are served.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(key, _)| key.as_str())
    }

    /// The exact text of a value.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(name, _)| name == key)?;
        Some(field.1.get())
    }

    /// The value of a key, `Null` if the key is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Value {
        self.raw(key)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or(Value::Null)
    }

    /// The value of a key if it is a string.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    /// True if the key holds the value `true`.
    #[must_use]
    pub fn is_true(&self, key: &str) -> bool {
        self.raw(key) == Some("true")
    }

    /// Sets the value of a key. A new key goes to the end.
    pub fn set(&mut self, key: &str, value: impl Serialize) {
        let raw = serde_json::value::to_raw_value(&value).expect("values of a fixture are JSON");
        match self.fields.iter_mut().find(|(name, _)| name == key) {
            Some(field) => field.1 = raw,
            None => self.fields.push((key.to_owned(), raw)),
        }
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        self.fields.retain(|(name, _)| name != key);
    }

    /// The object as compact JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out, |_| true);
        String::from_utf8(out).expect("raw values are text")
    }

    /// Writes the object without the keys that `keep` rejects.
    pub(crate) fn write(&self, out: &mut Vec<u8>, keep: impl Fn(&str) -> bool) {
        let mut object = ObjectWriter::open(out);
        for (key, value) in &self.fields {
            if keep(key) {
                object.raw(key, value.get().as_bytes());
            }
        }
        object.close();
    }
}

/// Writes one JSON object into a buffer, field by field.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> ObjectWriter<'a> {
    /// Opens the object.
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    /// Writes a key. The caller writes its value into the returned buffer.
    pub(crate) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        serde_json::to_writer(&mut *self.out, key).expect("a key is text");
        self.out.push(b':');
        self.out
    }

    /// Writes a key with a value that already is JSON text.
    pub(crate) fn raw(&mut self, key: &str, value: &[u8]) {
        self.key(key).extend_from_slice(value);
    }

    /// Closes the object.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Document { fields })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (key, value) in &self.fields {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl From<Value> for Document {
    /// The keys of an object; any other value makes an empty document.
    fn from(value: Value) -> Self {
        let mut document = Self::default();
        if let Value::Object(map) = value {
            for (key, value) in map {
                document.set(&key, value);
            }
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_order_and_text_of_its_values() {
        let text = r#"{"z":1.50,"a":12345678901234567890123,"é":"\u00e9"}"#;
        let document = Document::parse(text).unwrap();
        assert_eq!(document.to_json(), text);
    }

    #[test]
    fn a_value_is_set_in_its_old_place() {
        let mut document = Document::parse(r#"{"a":1,"b":2}"#).unwrap();
        document.set("a", "new");
        document.set("c", true);
        assert_eq!(document.to_json(), r#"{"a":"new","b":2,"c":true}"#);
    }
}

//! Which fields of a stream are sent.

use std::borrow::Cow;
use std::collections::BTreeSet;

use connector_core::{JsonObject, ObjectWriter, Result};
use serde_json::Value;

/// The fields of a stream, without those that are not selected. Fields that a schema does not list
/// are sent.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    left_out: BTreeSet<String>,
}

impl Fields {
    pub(crate) fn all() -> Self {
        Self::without([])
    }

    pub(crate) fn without(fields: impl IntoIterator<Item = String>) -> Self {
        Self {
            left_out: fields.into_iter().collect(),
        }
    }

    /// Whether a field is sent.
    pub(crate) fn has(&self, field: &str) -> bool {
        !self.left_out.contains(field)
    }

    /// The schema of what is sent.
    pub(crate) fn schema(&self, mut schema: Value) -> Value {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.retain(|name, _| self.has(name));
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| name.as_str().is_none_or(|name| self.has(name)));
        }
        schema
    }

    /// What is sent of a record; of a whole one, its own text on one line.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](connector_core::ErrorKind::Data) if a name is no text.
    pub(crate) fn record<'r>(&self, record: &'r JsonObject) -> Result<Cow<'r, str>> {
        if self.left_out.is_empty() {
            return Ok(record.single_line());
        }
        let mut rest = ObjectWriter::with_capacity(record.as_str().len());
        for (name, value) in record.fields()? {
            if self.has(&name) {
                rest.raw(&name, value);
            }
        }
        let rest = rest.finish();
        Ok(Cow::Owned(rest.single_line().into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_is_left_out_is_in_neither_schema_nor_record() {
        let fields = Fields::without(["message".to_owned()]);
        let schema = json!({
            "properties": {"id": {}, "message": {}},
            "required": ["id", "message"],
        });
        assert_eq!(
            fields.schema(schema),
            json!({"properties": {"id": {}}, "required": ["id"]})
        );
        let record = r#"{"id":1.0,"message":{"a":[]},"new":12345678901234567890}"#;
        let record = JsonObject::parse(record).unwrap();
        assert_eq!(
            fields.record(&record).unwrap(),
            r#"{"id":1.0,"new":12345678901234567890}"#
        );
    }
}

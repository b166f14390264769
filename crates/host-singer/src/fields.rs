//! Which fields of a stream are sent.

use std::borrow::Cow;
use std::collections::BTreeSet;

use connector_core::{JsonObject, ObjectWriter, Result};
use serde_json::Value;

/// The fields of a stream, without those that are not selected. Fields that a schema does not list
/// are sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    left_out: BTreeSet<String>,
    /// Fields of which a part is not selected.
    partial: BTreeSet<String>,
}

impl Fields {
    pub(crate) fn all() -> Self {
        Self::default()
    }

    pub(crate) fn leave_out(&mut self, field: &str) {
        self.left_out.insert(field.to_owned());
    }

    /// Notes that a part of `field` is not selected. Only whole fields can be left out.
    pub(crate) fn leave_out_part(&mut self, field: &str) {
        self.partial.insert(field.to_owned());
    }

    /// Fields that are sent whole although a part of them is not selected.
    pub(crate) fn sent_whole(&self) -> impl Iterator<Item = &str> {
        let partial = self.partial.iter().map(String::as_str);
        partial.filter(|field| self.has(field))
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

    /// The part of a record that is sent, on one line. A record that is sent whole keeps its text.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](connector_core::ErrorKind::Data) if a name is not text.
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
        let mut fields = Fields::all();
        fields.leave_out("message");
        fields.leave_out_part("message");
        assert_eq!(fields.sent_whole().count(), 0);
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

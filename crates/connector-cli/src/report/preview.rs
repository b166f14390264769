//! A result of a dry run as text: each request that would be sent, and what it would change.
//!
//! These fields of a result are shown, if it has them: `stream`, `outcome`, `reason`,
//! `requests` (each with `method`, `path` and `body`) and `differences` (each with `field`, `from`
//! and `to`).

use std::fmt::Write;

use connector_core::{JsonObject, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use similar::TextDiff;

use super::indent::indent;

/// The fields of a result that are shown.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    stream: String,
    reason: Option<String>,
    #[serde(default)]
    #[serde(borrow)]
    requests: Vec<Request<'a>>,
    #[serde(default)]
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
struct Request<'a> {
    method: String,
    path: String,
    /// The text that is sent, unchanged.
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Difference {
    field: String,
    from: Value,
    to: Value,
}

/// The text of a result. `subject` is the field that names its subject, if there is one.
///
/// # Errors
/// [`ErrorKind::Data`](connector_core::ErrorKind::Data) if a field has another form.
pub(crate) fn preview(result: &JsonObject, subject: Option<&str>) -> Result<String> {
    let row: Row<'_> = result.read()?;
    let subject = match subject {
        Some(field) => text_of(result, field)?,
        None => None,
    };
    Ok(text(&row, subject.as_ref().unwrap_or(&row.stream)))
}

/// A field of a result, if it is a text.
fn text_of(result: &JsonObject, field: &str) -> Result<Option<String>> {
    let mut fields = result.fields()?.into_iter();
    let value = fields.find(|(name, _)| name == field);
    Ok(value.and_then(|(_, value)| serde_json::from_str(value.get()).ok()))
}

fn text(row: &Row<'_>, about: &str) -> String {
    let mut text = String::new();
    if row.requests.is_empty() {
        let reason = row.reason.iter().map(|reason| format!(": {reason}"));
        return format!("{about}: {}{}", row.outcome, reason.collect::<String>());
    }
    for difference in &row.differences {
        difference.write(&mut text, about);
    }
    for request in &row.requests {
        // Writing to a string cannot fail.
        writeln!(text, "{} {}", request.method, request.path).ok();
        if let Some(body) = &request.body {
            writeln!(text, "{}", indent(body.get())).ok();
        }
    }
    text
}

impl Difference {
    fn write(&self, text: &mut String, about: &str) {
        let Self { field, from, to } = self;
        let old = from.as_str().unwrap_or_default();
        let new = to.as_str().unwrap_or_default();
        if !old.contains('\n') && !new.contains('\n') {
            writeln!(text, "{about}: {field}: {from} -> {to}").ok();
            return;
        }
        writeln!(text, "{about}: {field}:").ok();
        let diff = TextDiff::from_lines(old, new);
        write!(text, "{}", diff.unified_diff().header("now", "then")).ok();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(row: Value) -> String {
        let row = JsonObject::from_serialize(&row).unwrap();
        preview(&row, Some("place")).unwrap()
    }

    #[test]
    fn a_request_is_shown_with_what_it_changes() {
        let shown = shown(json!({
            "outcome": "planned", "stream": "places", "place": "web",
            "differences": [
                {"field": "description", "from": null, "to": "new"},
                {"field": "text", "from": "a\nb\n", "to": "a\nc\n"},
            ],
            "requests": [{"method": "PATCH", "path": "/v2/x", "body": {"description": "new"}}],
        }));
        for part in [
            "web: description: null -> \"new\"\n",
            "-b\n+c\n",
            "PATCH /v2/x\n{\n  \"description\": \"new\"\n}\n",
        ] {
            assert!(shown.contains(part), "{shown}");
        }
    }

    #[test]
    fn a_record_that_leads_to_no_request_is_shown_with_the_reason() {
        let row = json!({"outcome": "rejected", "stream": "places", "reason": "no"});
        assert_eq!(shown(row), "places: rejected: no");
    }
}

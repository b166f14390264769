//! A dry run, printed: each request as it would be sent, and what it would change.

use std::fmt::Write;

use async_trait::async_trait;
use connector_core::{
    Accepts, Destination, Error, ErrorKind, Outcome, Record, Result, State, WritePlan,
};
use serde::Deserialize;
use serde_json::Value;
use similar::TextDiff;

use crate::exit::Exit;
use crate::output;

/// Prints results instead of keeping them.
pub(crate) struct Preview;

/// As much of a result as is printed.
#[derive(Deserialize)]
struct Row {
    outcome: String,
    stream: String,
    reason: Option<String>,
    pipeline: Option<String>,
    #[serde(default)]
    requests: Vec<Request>,
    #[serde(default)]
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    body: Option<Value>,
}

#[derive(Deserialize)]
struct Difference {
    field: String,
    from: Value,
    to: Value,
}

#[async_trait]
impl Destination for Preview {
    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepts(&mut self) -> Result<Accepts> {
        Ok(Accepts::Any)
    }

    async fn start(&mut self, _plan: &WritePlan) -> Result<Option<State>> {
        Ok(None)
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        for record in &records {
            if output::answer(record.data.read::<Row>()?.text()) != Exit::Complete {
                return Err(Error::new(ErrorKind::Io, "stdout cannot be written to"));
            }
        }
        Ok(vec![Outcome::Accepted(None); records.len()])
    }

    async fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        Ok(())
    }
}

impl Row {
    fn text(&self) -> String {
        let mut text = String::new();
        let about = self.pipeline.as_deref().unwrap_or(&self.stream);
        if self.requests.is_empty() {
            let reason = self.reason.iter().map(|reason| format!(": {reason}"));
            return format!("{about}: {}{}", self.outcome, reason.collect::<String>());
        }
        for difference in &self.differences {
            difference.write(&mut text, about);
        }
        for request in &self.requests {
            // Writing to a text cannot fail.
            writeln!(text, "{} {}", request.method, request.path).ok();
            if let Some(body) = &request.body {
                writeln!(text, "{body:#}").ok();
            }
        }
        text
    }
}

impl Difference {
    fn write(&self, text: &mut String, about: &str) {
        let Self { field, from, to } = self;
        let (old, new) = (
            from.as_str().unwrap_or_default(),
            to.as_str().unwrap_or_default(),
        );
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

    fn text(row: Value) -> String {
        serde_json::from_value::<Row>(row).unwrap().text()
    }

    #[test]
    fn a_request_is_shown_with_what_it_changes() {
        let shown = text(json!({
            "outcome": "planned", "stream": "pipelines", "pipeline": "web",
            "differences": [
                {"field": "description", "from": null, "to": "new"},
                {"field": "configuration", "from": "a\nb\n", "to": "a\nc\n"},
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
        let row = json!({"outcome": "rejected", "stream": "builds", "reason": "no"});
        assert_eq!(text(row), "builds: rejected: no");
    }
}

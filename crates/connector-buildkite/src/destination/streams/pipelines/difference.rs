//! What of a pipeline differs from the state that it is to have.

use serde_json::{Map, Value};

use crate::destination::delivery::Difference;

/// The difference, and the body of the request that ends it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Change {
    pub(crate) patch: Map<String, Value>,
    pub(crate) differences: Vec<Difference>,
}

impl Change {
    /// A field that is changed by the request.
    pub(crate) fn add(&mut self, field: &str, from: Value, to: Value) {
        self.patch.insert(field.to_owned(), to.clone());
        self.note(field, from, to);
    }

    /// A field that is changed otherwise.
    pub(crate) fn note(&mut self, field: impl Into<String>, from: Value, to: Value) {
        let field = field.into();
        self.differences.push(Difference { field, from, to });
    }
}

/// Compares the fields that are given with the pipeline as it is (API facts 10.1).
pub(crate) fn differences(wanted: &Map<String, Value>, current: &Value) -> Change {
    let mut change = Change::default();
    for (field, to) in wanted {
        match field.as_str() {
            // The API does not tell them.
            "teams" => {}
            "provider_settings" => settings(to, &current["provider"]["settings"], &mut change),
            "steps" if holds(&current["steps"], to) => {}
            "configuration" if is_same_text(&current["configuration"], to) => {}
            _ if is_same(&current[field], to) => {}
            _ => change.add(field, current[field].clone(), to.clone()),
        }
    }
    change
}

/// Only those that differ are sent: all others stay.
fn settings(wanted: &Value, current: &Value, change: &mut Change) {
    let mut patch = Map::new();
    for (name, to) in wanted.as_object().into_iter().flatten() {
        if !is_same(&current[name], to) {
            patch.insert(name.clone(), to.clone());
            let field = format!("provider_settings.{name}");
            change.note(field, current[name].clone(), to.clone());
        }
    }
    if !patch.is_empty() {
        change
            .patch
            .insert("provider_settings".to_owned(), patch.into());
    }
}

/// Null, absent, false, an empty text and an empty list say the same.
fn is_same(current: &Value, wanted: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    current == wanted || (is_empty(current) && is_empty(wanted))
}

/// A server may end a text with a line break, or not.
fn is_same_text(current: &Value, wanted: &Value) -> bool {
    match (current.as_str(), wanted.as_str()) {
        (Some(current), Some(wanted)) => current.trim_end() == wanted.trim_end(),
        _ => is_same(current, wanted),
    }
}

/// Whether each step has what is wanted of it; the server adds fields of its own.
fn holds(current: &Value, wanted: &Value) -> bool {
    let (Some(current), Some(wanted)) = (current.as_array(), wanted.as_array()) else {
        return false;
    };
    let step = |(current, wanted): (&Value, &Value)| {
        let mut fields = wanted.as_object().into_iter().flatten();
        fields.all(|(name, value)| is_same(&current[name], value))
    };
    current.len() == wanted.len() && current.iter().zip(wanted).all(step)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(wanted: Value, current: Value) -> Change {
        differences(wanted.as_object().unwrap(), &current)
    }

    #[test]
    fn what_says_the_same_is_no_difference() {
        let wanted = json!({
            "description": "", "tags": [], "configuration": "steps: []\n",
            "provider_settings": {"build_tags": true}, "teams": {"u": "read_only"},
            "steps": [{"type": "script", "command": "true"}],
        });
        let current = json!({
            "description": null, "tags": null, "configuration": "steps: []",
            "provider": {"settings": {"build_tags": true, "build_branches": false}},
            "steps": [{"type": "script", "command": "true", "env": {}}],
        });
        assert_eq!(change(wanted, current), Change::default());
    }

    #[test]
    fn only_what_differs_is_sent() {
        let wanted = json!({
            "name": "Web", "description": "new",
            "provider_settings": {"build_tags": true, "build_branches": true},
        });
        let current = json!({
            "name": "Web", "description": "old",
            "provider": {"settings": {"build_tags": true}},
        });
        let change = change(wanted, current);
        let patch = json!({"description": "new", "provider_settings": {"build_branches": true}});
        assert_eq!(Value::Object(change.patch), patch);
        let fields: Vec<_> = change
            .differences
            .iter()
            .map(|one| one.field.as_str())
            .collect();
        assert_eq!(fields, ["description", "provider_settings.build_branches"]);
    }
}

//! What of a pipeline differs from the state that it is to have.

use std::collections::BTreeSet;

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
            // The API does not show them.
            "teams" => {}
            "provider_settings" => settings(to, &current["provider"]["settings"], &mut change),
            name if is_same_field(name, &current[field], to) => {}
            _ => change.add(field, current[field].clone(), to.clone()),
        }
    }
    change
}

/// What a request was to change and the pipeline does not show afterwards: names of fields, and
/// whether that is all of the change.
pub(crate) fn not_taken(
    wanted: &Map<String, Value>,
    change: &[Difference],
    answer: &Value,
) -> (Vec<String>, bool) {
    let left = differences(wanted, answer).differences;
    let is_left = |one: &&Difference| left.iter().any(|left| left.field == one.field);
    let names: Vec<_> = change.iter().filter(is_left).collect();
    let is_all = !change.is_empty() && names.len() == change.len();
    (names.iter().map(|one| one.field.clone()).collect(), is_all)
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

/// Whether a field says the same, however each side spells it.
fn is_same_field(field: &str, current: &Value, wanted: &Value) -> bool {
    if is_same(current, wanted) {
        return true;
    }
    match (field, current, wanted) {
        ("steps", ..) => holds(current, wanted),
        ("tags", Value::Array(current), Value::Array(wanted)) => {
            let sorted = |tags: &[Value]| {
                let tags = tags.iter().filter_map(Value::as_str).map(str::trim);
                tags.map(str::to_owned).collect::<BTreeSet<_>>()
            };
            sorted(current) == sorted(wanted)
        }
        (_, Value::String(current), Value::String(wanted)) => {
            let normal = normal_form(field);
            normal(current) == normal(wanted)
        }
        _ => false,
    }
}

/// The spelling that a field's texts are compared in.
fn normal_form(field: &str) -> fn(&str) -> String {
    match field {
        "color" => |text| text.trim().to_ascii_lowercase(),
        "emoji" => |text| text.trim().trim_matches(':').to_ascii_lowercase(),
        "configuration" => |text| lines(text).trim_end().to_owned(),
        "branch_configuration"
        | "skip_queued_branch_builds_filter"
        | "cancel_running_branch_builds_filter" => {
            |text| text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        _ => |text| lines(text).trim().to_owned(),
    }
}

/// A text whose lines end as on Unix.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Null, absent, false, zero, an empty text and an empty list say the same. A server may end lines
/// in its own way, and a text with a line break or not.
fn is_same(current: &Value, wanted: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    };
    match (current, wanted) {
        (Value::String(current), Value::String(wanted)) => {
            lines(current).trim_end() == lines(wanted).trim_end()
        }
        (Value::Array(current), Value::Array(wanted)) => {
            let mut pairs = current.iter().zip(wanted);
            current.len() == wanted.len() && pairs.all(|(current, wanted)| is_same(current, wanted))
        }
        (Value::Object(current), Value::Object(wanted)) => {
            let mut members = wanted.iter();
            let has = |(name, wanted): (&String, &Value)| {
                current
                    .get(name)
                    .is_some_and(|current| is_same(current, wanted))
            };
            current.len() == wanted.len() && members.all(has)
        }
        _ => current == wanted || (is_empty(current) && is_empty(wanted)),
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

    #[test]
    fn other_spellings_of_the_same_are_no_difference() {
        for (field, current, wanted) in [
            (
                "configuration",
                json!("steps:\n  - a\n"),
                json!("steps:\r\n  - a\r\n"),
            ),
            (
                "configuration",
                json!("steps: []"),
                json!("steps: []  \n\n"),
            ),
            ("description", json!("a\nb"), json!("a\r\nb ")),
            ("default_command_step_timeout", json!(null), json!(0)),
            ("maximum_command_step_timeout", json!(0), json!(0)),
            ("tags", json!(["b", "a"]), json!(["a", "b", "a"])),
            ("tags", json!(null), json!([])),
            ("color", json!("#FF5733"), json!("#ff5733")),
            ("emoji", json!(":rocket:"), json!("rocket")),
            (
                "env",
                json!({"A": "1", "B": "2"}),
                json!({"B": "2", "A": "1"}),
            ),
            ("env", json!(null), json!({})),
            (
                "branch_configuration",
                json!("main release/*"),
                json!("main  release/*\n"),
            ),
            ("allow_rebuilds", json!(null), json!(false)),
            (
                "steps",
                json!([{"command": "a\nb", "env": {}}]),
                json!([{"command": "a\r\nb"}]),
            ),
        ] {
            let change = change(json!({field: wanted}), json!({field: current}));
            assert_eq!(change, Change::default(), "{field}");
        }
        for (field, current, wanted) in [
            ("configuration", json!(" a"), json!("a")),
            ("default_command_step_timeout", json!(null), json!(1)),
            ("tags", json!(["a"]), json!(["a", "b"])),
            ("env", json!({"A": "1"}), json!({"A": "1", "B": "2"})),
            ("env", json!({"A": "1", "B": "2"}), json!({"A": "1"})),
            ("name", json!("Web"), json!("web")),
        ] {
            let change = change(json!({field: wanted}), json!({field: current}));
            assert_eq!(change.differences.len(), 1, "{field}");
        }
    }

    #[test]
    fn what_a_server_drops_shows_in_its_answer() {
        let wanted = json!({"description": "new", "provider_settings": {"build_tags": true}});
        let before = json!({"description": "old"});
        let wanted = wanted.as_object().unwrap();
        let change = differences(wanted, &before).differences;
        let answer = json!({"description": "new", "provider": {"settings": {}}});
        let dropped = vec!["provider_settings.build_tags".to_owned()];
        assert_eq!(not_taken(wanted, &change, &answer), (dropped, false));
        assert!(not_taken(wanted, &change, &before).1);
        let taken = json!({"description": "new", "provider": {"settings": {"build_tags": true}}});
        assert_eq!(not_taken(wanted, &change, &taken), (Vec::new(), false));
    }
}

//! From YAML or JSON to steps.

use serde_json::{Map, Value};

use super::{Command, Kind, RetryRule, RetryRules, SoftFail, Step, Trigger};

/// The most automatic retries that a rule may ask for.
const MOST_RETRIES: u64 = 10;

/// The steps of a pipeline, from its configuration or else from its field `steps`.
///
/// # Errors
/// If the configuration is not valid YAML or has no steps; the text says where.
pub(crate) fn read(configuration: Option<&str>, steps: &Value) -> Result<Vec<Step>, String> {
    let Some(text) = configuration else {
        return Ok(steps_of(steps, &Defaults::default()));
    };
    // As Buildkite's parser does, YAML 1.2 decides: `y` and `on` are texts.
    let options = serde_saphyr::options! { strict_booleans: true };
    let read: Value =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| first_line(&error))?;
    let list = read.get("steps").unwrap_or(&read);
    if !list.is_array() {
        return Err("`steps` must be a list".to_owned());
    }
    let defaults = Defaults {
        agents: agents(&read["agents"]),
        env: object(&read["env"]),
        group: None,
    };
    Ok(steps_of(list, &defaults))
}

fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// What steps take over from the pipeline or group around them.
#[derive(Default, Clone)]
struct Defaults {
    agents: Vec<String>,
    env: Map<String, Value>,
    group: Option<String>,
}

fn steps_of(list: &Value, defaults: &Defaults) -> Vec<Step> {
    let items = list.as_array().into_iter().flatten();
    items
        .flat_map(|item| steps_of_item(item, defaults))
        .collect()
}

fn steps_of_item(item: &Value, defaults: &Defaults) -> Vec<Step> {
    if !item["group"].is_null() || (item.get("group").is_some() && item["steps"].is_array()) {
        return group(item, defaults);
    }
    vec![step(item, defaults)]
}

/// The steps of a group; what the group depends on, they depend on.
fn group(item: &Value, defaults: &Defaults) -> Vec<Step> {
    let key = text(item, &["key", "id", "identifier"]);
    let inner = Defaults {
        group: key.or_else(|| text(item, &["group", "label", "name"])),
        ..defaults.clone()
    };
    let mut steps = steps_of(&item["steps"], &inner);
    let depends_on = depends_on(&item["depends_on"]);
    for step in &mut steps {
        if step.depends_on.is_none() {
            step.depends_on.clone_from(&depends_on);
        }
        step.condition = step.condition.take().or_else(|| text(item, &["if"]));
    }
    steps
}

fn step(item: &Value, defaults: &Defaults) -> Step {
    let word = item.as_str();
    let has = |keys: &[&str]| {
        let kind = item["type"].as_str();
        keys.iter()
            .any(|key| word == Some(key) || item.get(*key).is_some() || kind == Some(key))
    };
    let kind = if has(&["wait", "waiter"]) {
        Kind::Wait {
            continues_on_failure: flag(&item["continue_on_failure"]),
        }
    } else if has(&["block", "manual"]) {
        manual(item, true)
    } else if has(&["input"]) {
        manual(item, false)
    } else if has(&["trigger"]) {
        trigger(item)
    } else {
        Kind::Command(Box::new(command(item, defaults)))
    };
    let own = match &kind {
        Kind::Manual { .. } => text(item, &["block", "input"]),
        Kind::Wait { .. } => None,
        _ => word.map(str::to_owned),
    };
    Step {
        label: text(item, &["label", "name"]).or(own),
        key: text(item, &["key", "id", "identifier"]),
        group: defaults.group.clone(),
        depends_on: depends_on(&item["depends_on"]),
        allows_failure: flag(&item["allow_dependency_failure"]),
        condition: text(item, &["if"]),
        branches: joined(&item["branches"], " "),
        kind,
    }
}

fn manual(item: &Value, holds: bool) -> Kind {
    Kind::Manual {
        fields: item["fields"].clone(),
        blocked_state: text(item, &["blocked_state"]),
        holds,
    }
}

fn trigger(item: &Value) -> Kind {
    let build = &item["build"];
    Kind::Trigger(Box::new(Trigger {
        pipeline: text(item, &["trigger"]).unwrap_or_default(),
        is_async: flag(&item["async"]),
        soft_fail: flag(&item["soft_fail"]),
        message: text(build, &["message"]),
        commit: text(build, &["commit"]),
        branch: text(build, &["branch"]),
        env: object(&build["env"]),
        meta_data: object(&build["meta_data"]),
    }))
}

fn command(item: &Value, defaults: &Defaults) -> Command {
    let lines = joined(&item["commands"], "\n").or_else(|| joined(&item["command"], "\n"));
    let own = agents(&item["agents"]);
    let given = item["agent_query_rules"]
        .as_array()
        .map(|rules| strings(rules));
    let mut env = defaults.env.clone();
    env.extend(object(&item["env"]));
    let limit = item["concurrency"].as_u64();
    let group = text(item, &["concurrency_group"]);
    Command {
        command: lines
            .or_else(|| item.as_str().map(str::to_owned))
            .unwrap_or_default(),
        agents: if own.is_empty() {
            given.unwrap_or_else(|| defaults.agents.clone())
        } else {
            own
        },
        artifact_paths: joined(&item["artifact_paths"], ";"),
        env,
        plugins: item["plugins"].clone(),
        parallelism: item["parallelism"].as_u64().filter(|count| *count > 0),
        matrix: item["matrix"].clone(),
        priority: item["priority"].as_i64().unwrap_or(0),
        concurrency: limit.map(|limit| (group.unwrap_or_default(), limit)),
        retry: retry(&item["retry"]),
        soft_fail: soft_fail(&item["soft_fail"]),
        skip: skip(&item["skip"]),
        timeout_in_minutes: item["timeout_in_minutes"].as_i64(),
    }
}

fn retry(retry: &Value) -> RetryRules {
    let automatic = match &retry["automatic"] {
        Value::Bool(true) => vec![RetryRule {
            exit_statuses: None,
            limit: 2,
        }],
        Value::Array(rules) => rules.iter().map(retry_rule).collect(),
        rule @ Value::Object(_) => vec![retry_rule(rule)],
        _ => Vec::new(),
    };
    let manual = &retry["manual"];
    RetryRules {
        automatic,
        is_manual_forbidden: *manual == false || manual["allowed"] == false,
        permits_passed: manual["permit_on_passed"] != false,
    }
}

fn retry_rule(rule: &Value) -> RetryRule {
    RetryRule {
        exit_statuses: statuses(&rule["exit_status"]),
        limit: rule["limit"].as_u64().unwrap_or(2).min(MOST_RETRIES),
    }
}

/// Exit statuses: one, a list, or none for `*`.
fn statuses(value: &Value) -> Option<Vec<i64>> {
    match value {
        Value::Number(number) => Some(vec![number.as_i64()?]),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_i64).collect()),
        Value::String(text) => Some(vec![text.parse().ok()?]),
        _ => None,
    }
}

fn soft_fail(value: &Value) -> SoftFail {
    match value {
        Value::Bool(true) => SoftFail::Always,
        Value::Array(rules) => {
            let known = rules.iter().map(|rule| statuses(&rule["exit_status"]));
            let known: Option<Vec<Vec<i64>>> = known.collect();
            known.map_or(SoftFail::Always, |known| SoftFail::With(known.concat()))
        }
        _ => SoftFail::Never,
    }
}

fn skip(value: &Value) -> Option<String> {
    match value {
        Value::Bool(true) => Some(String::new()),
        Value::String(text) if !matches!(text.as_str(), "" | "false") => Some(text.clone()),
        _ => None,
    }
}

/// `["queue=linux"]`, whether written as a list or a map.
fn agents(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => strings(list),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| format!("{key}={}", plain(value)))
            .collect(),
        _ => Vec::new(),
    }
}

fn strings(list: &[Value]) -> Vec<String> {
    list.iter().map(plain).collect()
}

/// A scalar as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// Keys of steps: one, a list, or a list of `{step: key}`. An empty list means no dependency.
fn depends_on(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(key) => Some(vec![key.clone()]),
        Value::Array(list) => {
            let keys = list
                .iter()
                .map(|one| text(one, &["step"]).unwrap_or_else(|| plain(one)));
            Some(keys.collect())
        }
        _ => None,
    }
}

/// The first of some keys that has a text.
fn text(item: &Value, keys: &[&str]) -> Option<String> {
    let mut values = keys.iter().map(|key| &item[*key]);
    let value = values.find(|value| value.is_string() || value.is_number())?;
    Some(plain(value)).filter(|text| !text.is_empty())
}

/// A text, or a list of texts as one.
fn joined(value: &Value, separator: &str) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Array(list) => Some(strings(list).join(separator)),
        _ => None,
    }
}

fn object(value: &Value) -> Map<String, Value> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .map(|(key, value)| (key.clone(), plain(value).into()))
        .collect()
}

fn flag(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || value == "true"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(configuration: &str) -> Vec<(&'static str, Option<String>)> {
        let steps = read(Some(configuration), &Value::Null).unwrap();
        steps
            .into_iter()
            .map(|step| {
                let kind = match step.kind {
                    Kind::Command(_) => "command",
                    Kind::Wait { .. } => "wait",
                    Kind::Manual { .. } => "manual",
                    Kind::Trigger(_) => "trigger",
                };
                (kind, step.label)
            })
            .collect()
    }

    #[test]
    fn steps_are_read_in_every_form() {
        let yaml = "env:\n  \"FOO\": \"bar\"\nsteps:\n  # first\n  - label: \":go: Test\"\n    \
                    command: make test\n    agents:\n      queue: default\n  - wait\n  \
                    - wait: ~\n  - block: Release?\n    key: release\n  - trigger: deploy\n  \
                    - command: \"a: b\"\n    \"name\": \"Odd\"\n  - group: Tests\n    steps:\n      \
                    - command: inner\nnotify:\n  - email: a@example.com\n";
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("command", text(":go: Test")),
            ("wait", None),
            ("wait", None),
            ("manual", text("Release?")),
            ("trigger", None),
            ("command", text("Odd")),
            ("command", None),
        ];
        assert_eq!(kinds(yaml), expected);
        let steps = read(Some(yaml), &Value::Null).unwrap();
        let Kind::Command(command) = &steps[0].kind else {
            panic!("a command")
        };
        assert_eq!(command.command, "make test");
        assert_eq!(command.agents, ["queue=default"]);
        assert_eq!(command.env["FOO"], "bar");
        assert_eq!(steps[3].key.as_deref(), Some("release"));
        assert_eq!(steps[6].group.as_deref(), Some("Tests"));
    }

    #[test]
    fn what_is_no_list_of_steps_is_refused() {
        for text in ["", "env:\n  A: b\n", "hello", "{}", "steps: [\n"] {
            assert!(read(Some(text), &Value::Null).is_err(), "{text}");
        }
    }
}

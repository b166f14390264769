//! The steps of a pipeline: read from its configuration, and turned into jobs.

use serde_json::{Value, json};

use crate::fixture::JobFixture;

/// One step, whatever form it was written in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    kind: Kind,
    name: String,
    command: String,
    key: Option<String>,
    /// The fields of a block step.
    fields: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Script,
    Waiter,
    Manual,
    Trigger,
}

/// The steps of a pipeline, from its configuration or else from its field `steps`.
pub(crate) fn steps_of(configuration: Option<&str>, steps: &Value) -> Vec<Step> {
    let items = match configuration {
        Some(text) => items_of(text),
        None => steps.as_array().cloned().unwrap_or_default(),
    };
    items.iter().map(Step::read).collect()
}

/// The jobs of a new build. Jobs after a wait step are waiting, jobs after a block step blocked.
pub(crate) fn jobs_of(steps: &[Step]) -> Vec<JobFixture> {
    let mut state = "scheduled";
    let mut jobs = Vec::new();
    for step in steps {
        match step.kind {
            Kind::Manual => state = "blocked",
            Kind::Waiter if state == "scheduled" => state = "waiting",
            _ => {}
        }
        jobs.push(step.job(state));
    }
    jobs
}

impl Step {
    /// Reads `"wait"`, `{"command": …}` or `{"type": "script", …}`.
    fn read(item: &Value) -> Self {
        let word = item.as_str().unwrap_or_default();
        let text = |key: &str| item[key].as_str().unwrap_or_default();
        let is = |keys: &[&str]| {
            let mut keys = keys.iter();
            keys.any(|key| word == *key || item.get(key).is_some() || text("type") == *key)
        };
        let kind = match () {
            () if is(&["wait", "waiter"]) => Kind::Waiter,
            () if is(&["block", "input", "manual"]) => Kind::Manual,
            () if is(&["trigger"]) => Kind::Trigger,
            () => Kind::Script,
        };
        let first = |keys: &[&str]| {
            let mut texts = keys.iter().map(|key| text(key));
            texts
                .find(|text| !text.is_empty())
                .unwrap_or(word)
                .to_owned()
        };
        let command = match &item["commands"] {
            Value::Array(lines) => {
                let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                lines.join("\n")
            }
            _ => first(&["command"]),
        };
        Self {
            kind,
            name: first(&["label", "name", "block", "input", "trigger", "command"]),
            command,
            key: item["key"].as_str().map(str::to_owned),
            fields: item["fields"].clone(),
        }
    }

    /// The step as a pipeline shows it.
    pub(crate) fn object(&self) -> Value {
        match self.kind {
            Kind::Waiter => json!({"type": "waiter"}),
            Kind::Manual => json!({"type": "manual", "label": self.name}),
            Kind::Trigger => json!({"type": "trigger", "name": self.name}),
            Kind::Script => json!({
                "type": "script", "name": self.name, "command": self.command,
                "artifact_paths": null, "branch_configuration": null, "env": {},
                "timeout_in_minutes": null, "agent_query_rules": [], "concurrency": null,
                "parallelism": null,
            }),
        }
    }

    fn job(&self, state: &str) -> JobFixture {
        let job = match self.kind {
            Kind::Waiter => return JobFixture::waiter(),
            Kind::Manual => JobFixture::manual(&self.name).field("fields", self.fields.clone()),
            Kind::Trigger => JobFixture::trigger(&self.name),
            Kind::Script => JobFixture::script(&self.name).field("command", self.command.as_str()),
        };
        let job = match &self.key {
            Some(key) => job.step_key(key),
            None => job,
        };
        job.state(state)
    }
}

/// The items under `steps:`, or at the top of a configuration; none if it is not valid YAML.
fn items_of(configuration: &str) -> Vec<Value> {
    let read: Value = serde_saphyr::from_str(configuration).unwrap_or_default();
    let list = read.get("steps").unwrap_or(&read);
    list.as_array().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(configuration: &str) -> Vec<(Kind, String)> {
        let steps = steps_of(Some(configuration), &Value::Null);
        steps
            .into_iter()
            .map(|step| (step.kind, step.name))
            .collect()
    }

    #[test]
    fn steps_are_found_in_yaml_as_people_write_it() {
        let yaml = "env:\n  \"FOO\": \"bar\"\nsteps:\n  # first\n  - label: \":go: Test\"\n    \
                    command: make test\n    agents:\n      queue: default\n  - wait\n  \
                    - wait: ~\n  - block: Release?\n    key: release\n  - trigger: deploy\n  \
                    - command: \"a: b\"\n    \"name\": \"Odd\"\nnotify:\n  - email: a@example.com\n";
        let expected = [
            (Kind::Script, ":go: Test"),
            (Kind::Waiter, "wait"),
            (Kind::Waiter, ""),
            (Kind::Manual, "Release?"),
            (Kind::Trigger, "deploy"),
            (Kind::Script, "Odd"),
        ];
        assert_eq!(
            kinds(yaml),
            expected.map(|(kind, name)| (kind, name.to_owned()))
        );
        let steps = steps_of(Some(yaml), &Value::Null);
        assert_eq!(steps[0].command, "make test");
        assert_eq!(steps[3].key.as_deref(), Some("release"));
        assert_eq!(steps[5].command, "a: b");
    }

    #[test]
    fn a_list_at_the_top_one_that_is_not_indented_and_json_are_read_alike() {
        let expected = [
            (Kind::Script, "make".to_owned()),
            (Kind::Waiter, "wait".to_owned()),
        ];
        for text in [
            "- command: make\n- wait\n",
            "steps:\n- command: 'make'\n- wait\n",
            r#"{"steps": [{"command": "make"}, "wait"]}"#,
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_without_steps_has_none() {
        for text in ["", "env:\n  A: b\n", "hello", "{}"] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}

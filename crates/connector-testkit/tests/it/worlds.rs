//! What the suite is given for the connectors in memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use connector_core::{Connector, JsonObject, Record, Stream};
use connector_testkit::memory::{
    LIMITED_TOKEN, Launcher, Memory, PEOPLE, Remote, TASKS, TOKEN, launches, sign,
};
use connector_testkit::{Access, Acting, Reading, Report, Suite, Webhooks, Writing};
use serde_json::json;

/// The body of a webhook.
pub(crate) const WEBHOOK: &str = r#"{"event":"task.done","organization":"acme","id":1}"#;

pub(crate) fn record(stream: &str, text: &str) -> Record {
    Record::new(stream.into(), JsonObject::parse(text).unwrap())
}

pub(crate) fn access(token: &str) -> Access {
    Access::new(json!({"token": token}))
}

/// The remote of a connector, put back to where it began.
pub(crate) fn reset(remote: &Remote) {
    remote.mend();
    for task in [json!(5), json!(6)] {
        remote.purge(TASKS, task);
    }
    remote.put(TASKS, json!({"id": 1, "title": "Task 1", "state": "open"}));
}

pub(crate) fn reading(memory: &Memory) -> Reading {
    let (healed, broken) = (memory.remote().clone(), memory.remote().clone());
    let prepare = move || {
        healed.mend();
        access(TOKEN)
    };
    let gone = record(
        TASKS,
        r#"{"id":99,"title":"Task 99","state":"done","changed":1}"#,
    );
    Reading::new(access(TOKEN))
        .with_counts(&[(PEOPLE, 3), (TASKS, 5)])
        .with_wrong(access("a token of nobody"))
        .with_limited(access(LIMITED_TOKEN), &[TASKS])
        .with_failure(prepare, move || broken.break_after(1))
        .with_removed_open_row(TASKS, vec![json!(99)])
        .with_removed(gone)
}

/// A world of its own that changes.
pub(crate) fn with_change(reading: Reading, memory: &Memory) -> Reading {
    let (before, after) = (memory.remote().clone(), memory.remote().clone());
    let prepare = move || {
        reset(&before);
        access(TOKEN)
    };
    reading.with_change(prepare, move || {
        after.put(TASKS, json!({"id": 5, "title": "Task 5", "state": "open"}));
        after.put(TASKS, json!({"id": 1, "title": "Task 1", "state": "done"}));
        after.remove(TASKS, json!(6));
    })
}

pub(crate) fn stream(name: &str, key: &str) -> Stream {
    let text = json!({"type": ["string", "null"]});
    let properties = json!({"id": {}, "state": text, "title": text});
    let schema = json!({"type": "object", "properties": properties});
    Stream::new(name, "Some rows.", schema).with_primary_key([key])
}

pub(crate) fn writing() -> Writing {
    let count = AtomicUsize::new(0);
    let fresh = move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        Access::new(json!({"token": TOKEN, "copy": format!("copy-{count}")}))
    };
    let wrong = Access::new(json!({"token": "a token of nobody"}));
    Writing::new(fresh, &[stream("builds", "id"), stream("jobs", "id")])
        .accepts(record(
            "builds",
            r#"{"id":1,"state":"passed","n":9007199254740993}"#,
        ))
        .rejects(record("builds", r#"{"id":null,"state":"without a key"}"#))
        .accepts(record("builds", r#"{"id":2,"state":"running"}"#))
        .rejects(record("agents", r#"{"id":"of no stream of the plan"}"#))
        .accepts(record("jobs", r#"{"id":"a","title":"é\n"}"#))
        .accepts(record("jobs", r#"{"id":"b","title":"other"}"#))
        .with_wrong(wrong)
}

/// A suite over a connector that differs from `memory` in one flaw, if at all.
pub(crate) fn suite<'c>(connector: &'c dyn Connector, memory: &Memory) -> Suite<'c> {
    let remote = memory.remote().clone();
    let count = AtomicUsize::new(0);
    let revocable = move || {
        let token = format!("memory_revocable_{}", count.fetch_add(1, Ordering::SeqCst));
        remote.grant(&token, &["read_tasks"]);
        access(&token)
    };
    let task = record(TASKS, r#"{"id":1}"#);
    Suite::new(connector)
        .with_reading(with_change(reading(memory), memory))
        .with_writing(writing())
        .with_revocable(revocable)
        .with_webhooks(Webhooks::new("task.done", WEBHOOK, sign))
        .with_link(&task, Some("https://example.com/tasks/1"))
        .with_link(&record(PEOPLE, r#"{"name":"Ada"}"#), None)
}

/// A suite over a connector that differs from `launcher` in one flaw, if at all.
pub(crate) fn acting_suite<'c>(connector: &'c dyn Connector, launcher: &Launcher) -> Suite<'c> {
    let count = AtomicUsize::new(0);
    let place =
        |count: usize| Access::new(json!({"token": TOKEN, "copy": format!("journal-{count}")}));
    let failing = AtomicUsize::new(1000);
    let (counted, mended, broken) = (launcher.clone(), launcher.clone(), launcher.clone());
    let prepare = move || {
        mended.mend();
        place(failing.fetch_add(1, Ordering::SeqCst))
    };
    let name = |access: &Access| access.get("copy").as_str().unwrap_or_default().to_owned();
    let acting = Acting::new()
        .with_effects(move |access| counted.count(&name(access)))
        .with_failure(prepare, move || broken.break_after(2));
    let fresh = move || place(count.fetch_add(1, Ordering::SeqCst));
    let writing = Writing::new(fresh, &[launches()])
        .accepts(record("launches", r#"{"key":"a","target":"the moon"}"#))
        .accepts(record("launches", r#"{"key":"b","target":"the moon"}"#))
        .rejects(record("launches", r#"{"key":"without a target"}"#))
        .accepts(record("launches", r#"{"key":"c","target":"the moon"}"#))
        .with_wrong(Access::new(json!({"token": "a token of nobody"})))
        .without_tombstones()
        .with_acting(acting);
    Suite::new(connector).with_writing(writing)
}

/// What is found over the connectors in memory, both together.
pub(crate) async fn reports() -> [Report; 2] {
    let (memory, launcher) = (Memory::new(), Launcher::new());
    let one = suite(&memory, &memory).run().await;
    let other = acting_suite(&launcher, &launcher).run().await;
    [one, other]
}

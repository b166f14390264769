//! A destination that cannot be read back: the author says what came out of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, Connector, DeadLetter, Destination, DestinationRole, Identity,
    JsonObject, Outcome, Record, Result, SettingsSchema, Setup, State, StreamName, StreamPlan,
    WriteMode, WritePlan,
};
use connector_testkit::{Access, Capability, Suite, Writing};
use serde_json::json;

use crate::flaw::{Mutant, Wrong};
use crate::worlds::{record, stream};

/// Lines that came out of each pipe.
type Lines = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// Writes each record as a line; keeps no state.
#[derive(Clone, Default)]
struct Pipe {
    lines: Lines,
}

/// One pipe.
struct End {
    lines: Lines,
    name: String,
    streams: Vec<StreamName>,
    pending: Vec<String>,
}

impl Connector for Pipe {
    fn identity(&self) -> Identity {
        Identity::new("pipe", "Pipe", "1.0.0")
    }

    fn destination(&self) -> Option<&dyn DestinationRole> {
        Some(self)
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    copy: String,
}

#[async_trait]
impl DestinationRole for Pipe {
    fn settings(&self) -> SettingsSchema {
        let copy = json!({"type": "string", "description": "The name of the pipe."});
        SettingsSchema::new(json!({
            "type": "object", "properties": {"copy": copy}, "required": ["copy"],
        }))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new([WriteMode::Append])
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        setup.configuration.clone().parse::<Settings>().map(|_| ())
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        let Settings { copy } = setup.configuration.parse()?;
        Ok(Box::new(End {
            lines: Arc::clone(&self.lines),
            name: copy,
            streams: Vec::new(),
            pending: Vec::new(),
        }))
    }
}

#[async_trait]
impl Destination for End {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new([WriteMode::Append])
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        for stream in &plan.streams {
            self.add_stream(stream).await?;
        }
        Ok(None)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        Capabilities::new([WriteMode::Append]).expect(stream)?;
        self.streams.push(stream.stream.name.clone());
        Ok(())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for record in records {
            if !self.streams.contains(&record.stream) {
                outcomes.push(Outcome::Rejected("its stream was not announced".to_owned()));
                continue;
            }
            self.pending.push(DeadLetter::new(record, "").to_line()?);
            outcomes.push(Outcome::Accepted);
        }
        Ok(outcomes)
    }

    async fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        let mut lines = self.lines.lock().unwrap();
        let lines = lines.entry(self.name.clone()).or_default();
        lines.append(&mut self.pending);
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

fn writing(pipe: &Pipe) -> Writing {
    let lines = Arc::clone(&pipe.lines);
    let count = AtomicUsize::new(0);
    let fresh = move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        Access::new(json!({"copy": format!("pipe-{count}")}))
    };
    let mut bare = stream("logs", "id");
    bare.primary_key.clear();
    Writing::new(fresh, &[stream("builds", "id"), bare])
        .accepts(record("builds", r#"{"id":1,"state":"passed"}"#))
        .accepts(record("builds", r#"{"id":2,"state":"failed"}"#))
        .accepts(record("logs", r#"{"state":"a line without a key"}"#))
        .rejects(record("agents", r#"{"id":"of no stream of the plan"}"#))
        .with_reader(move |access| {
            let lines = lines.lock().unwrap();
            let name = access.get("copy").as_str().unwrap_or_default();
            let lines = lines.get(name).into_iter().flatten();
            lines
                .map(|line| DeadLetter::parse(line).unwrap().record)
                .collect()
        })
}

/// Nothing wrong can be given to a pipe.
const SKIPPED: [&str; 1] = ["destination_check_fails"];

#[tokio::test]
async fn a_pipe_passes_by_what_came_out_of_it() {
    let pipe = Pipe::default();
    let suite = Suite::new(&pipe).with_writing(writing(&pipe));

    let report = suite.with_secret("a secret in the wrong place").run().await;

    report.assert_passed_skipping(&SKIPPED);
    report.assert_capabilities(&[Capability::Connector, Capability::Destination]);
    for check in [
        "accepted_records_are_stored",
        "append_adds_rows",
        "tombstones_mark_rows",
    ] {
        assert!(report.passed().contains(&check), "{report}");
    }
}

#[tokio::test]
async fn what_a_pipe_loses_or_changes_is_found() {
    let losing = Mutant::new("loses a line").records(|records| {
        if records.len() > 1 {
            records.remove(0);
        }
    });
    let losing = losing.outcomes(|_, records, outcomes| {
        if outcomes.len() < records.len() {
            outcomes.insert(0, Outcome::Accepted);
        }
    });
    let changing = Mutant::new("changes a line").records(|records| {
        for record in records.iter_mut().filter(|record| record.stream == "logs") {
            let text = record.data.as_str().replace("line", "lime");
            record.data = JsonObject::parse(&text).unwrap();
        }
    });
    for mutant in [losing, changing] {
        let (pipe, flaw) = (Pipe::default(), mutant.flaw);
        let wrong = Wrong::new(pipe.clone(), mutant);
        let report = Suite::new(&wrong).with_writing(writing(&pipe)).run().await;
        let failed = report.failed();
        assert!(
            failed.contains(&"accepted_records_are_stored"),
            "{flaw}:\n{report}"
        );
    }
}

#[tokio::test]
async fn without_a_reader_the_checks_of_what_is_stored_are_skipped() {
    let pipe = Pipe::default();
    let mut count = 0;
    let stream = stream("builds", "id");
    let writing = Writing::new(|| Access::new(json!({"copy": "pipe"})), &[stream]);
    let writing = writing.accepts(record("builds", r#"{"id":1}"#));

    let report = Suite::new(&pipe).with_writing(writing).run().await;

    for line in &report.lines {
        if let connector_testkit::Ending::Skipped(why) = &line.ending {
            count += usize::from(why.contains("with_reader"));
        }
    }
    assert!(count >= 3, "{report}");
    assert!(report.failed().is_empty(), "{report}");
}

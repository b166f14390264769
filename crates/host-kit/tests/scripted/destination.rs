use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, ActingDestination, Capabilities, Destination, DestinationRole, JsonObject,
    Outcome, Record, Result, SettingsSchema, Setup, State, Stop, Stream, StreamPlan, WritePlan,
};
use serde_json::json;

use super::Scripted;
use super::source::schema;

#[async_trait]
impl DestinationRole for Scripted {
    fn settings(&self) -> SettingsSchema {
        SettingsSchema::new(schema())
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn validate(&self, setup: &Setup) -> Result<()> {
        self.accept(setup)
    }

    async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>> {
        DestinationRole::validate(self, &setup)?;
        self.note("open");
        self.memory.lock().unwrap().dry_runs.push(setup.dry_run);
        Ok(Box::new(ScriptedDestination {
            scripted: self.clone(),
            stop: setup.stop,
            results: Vec::new(),
            under_way: Vec::new(),
        }))
    }
}

/// Rejects records that hold `reject`. Records that hold `stop` make somebody ask it to stop, and
/// it leaves out those after it. If it acts, those that hold `slow` have their result in the end.
struct ScriptedDestination {
    scripted: Scripted,
    stop: Stop,
    results: Vec<JsonObject>,
    under_way: Vec<JsonObject>,
}

fn planned(stream: &StreamPlan) -> String {
    format!("{} {}", stream.stream.name, stream.mode.as_str())
}

#[async_trait]
impl Destination for ScriptedDestination {
    fn capabilities(&self) -> Capabilities {
        self.scripted.capabilities.clone()
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>> {
        let streams: Vec<_> = plan.streams.iter().map(planned).collect();
        self.scripted.note(format!("start {}", streams.join(", ")));
        Ok(None)
    }

    async fn add_stream(&mut self, stream: &StreamPlan) -> Result<()> {
        self.scripted.note(format!("add {}", planned(stream)));
        Ok(())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        self.scripted.note(format!("write {}", records.len()));
        Ok(records.into_iter().map(|one| self.write_one(one)).collect())
    }

    async fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        self.scripted.note("commit");
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        self.scripted.note("finish");
        Ok(())
    }

    fn acting(&mut self) -> Option<&mut dyn ActingDestination> {
        if self.scripted.capabilities.acts {
            Some(self)
        } else {
            None
        }
    }
}

impl ScriptedDestination {
    fn write_one(&mut self, record: Record) -> Outcome {
        let text = record.data.as_str();
        if self.stop.is_requested() {
            return Outcome::NotAttempted;
        }
        if text.contains("reject") {
            return Outcome::Rejected("it asks for it".to_owned());
        }
        if text.contains("stop") {
            self.stop.request();
        }
        if text.contains("slow") {
            self.under_way.push(record.data);
        } else {
            self.results.push(record.data);
        }
        Outcome::Accepted
    }
}

#[async_trait]
impl ActingDestination for ScriptedDestination {
    fn result_stream(&self) -> Stream {
        Stream::new("results", "", json!({}))
    }

    fn take_results(&mut self) -> Vec<JsonObject> {
        std::mem::take(&mut self.results)
    }

    fn unfinished_results(&self) -> Vec<JsonObject> {
        self.under_way.clone()
    }

    async fn follow(&mut self) -> Result<bool> {
        let Some(ended) = self.under_way.pop() else {
            return Ok(false);
        };
        self.scripted.note("follow");
        self.results.push(ended);
        Ok(true)
    }
}

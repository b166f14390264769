use async_trait::async_trait;
use connector_core::{AcceptedStreams, ActingDestination, Capabilities, Stream, WriteMode};
use futures::executor::block_on;
use serde_json::json;

use super::*;

/// Acts on records named `ok`, rejects those named `bad`, fails at `broken`.
#[derive(Default)]
struct Acting {
    fresh: Vec<JsonObject>,
    under_way: Vec<JsonObject>,
    commits: usize,
}

#[async_trait]
impl Destination for Acting {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new([WriteMode::Append]).with_results()
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn accepted_streams(&mut self) -> Result<AcceptedStreams> {
        Ok(AcceptedStreams::Any)
    }

    async fn start(&mut self, _plan: &WritePlan) -> Result<Option<State>> {
        Ok(None)
    }

    async fn add_stream(&mut self, _stream: &StreamPlan) -> Result<()> {
        Ok(())
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for record in records {
            let text = record.data.as_str();
            if text.contains("broken") {
                return Err(Error::new(ErrorKind::Unavailable, "the remote is down"));
            }
            if text.contains("bad") {
                outcomes.push(Outcome::Rejected("it is bad".to_owned()));
                continue;
            }
            if text.contains("slow") {
                self.under_way.push(record.data.clone());
            } else {
                self.fresh.push(record.data.clone());
            }
            outcomes.push(Outcome::Accepted);
        }
        Ok(outcomes)
    }

    async fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        self.commits += 1;
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn acting(&mut self) -> Option<&mut dyn ActingDestination> {
        Some(self)
    }
}

#[async_trait]
impl ActingDestination for Acting {
    fn result_stream(&self) -> Stream {
        Stream::new("results", "", json!({}))
    }

    fn take_results(&mut self) -> Vec<JsonObject> {
        std::mem::take(&mut self.fresh)
    }

    fn unfinished_results(&self) -> Vec<JsonObject> {
        self.under_way.clone()
    }

    async fn follow(&mut self) -> Result<bool> {
        let Some(ended) = self.under_way.pop() else {
            return Ok(false);
        };
        self.fresh.push(ended);
        Ok(true)
    }
}

fn record(name: &str) -> Record {
    let data = JsonObject::from_serialize(&json!({ "name": name })).unwrap();
    Record::new("orders".into(), data)
}

fn names(text: &str) -> Vec<&str> {
    text.split('"').skip(3).step_by(4).collect()
}

struct Bench {
    folder: tempfile::TempDir,
    writer: BatchWriter,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultSink::file(&folder.path().join("results")).unwrap();
        let letters = DeadLetters::open(&folder.path().join("letters")).unwrap();
        let mut writer = BatchWriter::new(Box::new(Acting::default()))
            .with_results(Some(results))
            .with_dead_letters(Some(letters))
            .with_max_rejected(Some(1));
        block_on(writer.start(&WritePlan::new("s", []))).unwrap();
        Self { folder, writer }
    }

    fn write(&mut self, records: &[&str]) -> Result<Vec<RecordOutcome>> {
        let records = records.iter().map(|name| record(name)).collect();
        block_on(self.writer.write(records))
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

#[test]
fn a_rejected_record_is_saved_and_the_others_have_results() {
    let mut bench = Bench::new();
    let outcomes = bench.write(&["ok 1", "bad", "ok 2"]).unwrap();
    assert_eq!(outcomes[0], RecordOutcome::Accepted);
    let RecordOutcome::Rejected(rejection) = &outcomes[1] else {
        panic!("{outcomes:?}");
    };
    let text = "orders: a record was rejected and saved: it is bad";
    assert_eq!(rejection.to_string(), text);
    assert_eq!(names(&bench.file("results")), ["ok 1", "ok 2"]);
    assert_eq!(bench.file("letters").lines().count(), 1);
}

#[test]
fn more_rejected_records_than_allowed_end_the_run_and_are_saved() {
    let mut bench = Bench::new();
    bench.write(&["bad"]).unwrap();
    let error = bench.write(&["bad"]).unwrap_err();
    assert!(error.to_string().contains("`max_rejected`"), "{error}");
    assert_eq!(bench.file("letters").lines().count(), 2);
}

#[test]
fn what_was_done_before_a_failure_has_its_result() {
    let mut bench = Bench::new();
    assert!(bench.write(&["ok 1", "slow 2", "broken"]).is_err());
    block_on(bench.writer.abandon()).unwrap();
    assert_eq!(names(&bench.file("results")), ["ok 1", "slow 2"]);
}

#[test]
fn the_end_waits_for_what_is_under_way_unless_asked_to_stop() {
    let mut bench = Bench::new();
    bench.write(&["slow 1", "slow 2"]).unwrap();
    assert_eq!(bench.file("results"), "");
    let stop = Stop::new();
    stop.request();
    assert!(!block_on(bench.writer.finish(&stop)).unwrap());
    assert_eq!(bench.file("results"), "");

    assert!(block_on(bench.writer.finish(&Stop::new())).unwrap());
    assert_eq!(names(&bench.file("results")), ["slow 2", "slow 1"]);
}

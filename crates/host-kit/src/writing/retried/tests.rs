use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    AcceptedStreams, Capabilities, JsonObject, State, Stream, StreamPlan, WriteMode,
};
use futures::executor::block_on;
use serde_json::json;

use super::*;
use crate::{BatchWriter, DeadLetters};

/// The rows of a copy, by their ids, and what it rejects.
#[derive(Default)]
struct Shared {
    rows: BTreeMap<u64, String>,
    rejected: Vec<&'static str>,
}

struct Copy(Arc<Mutex<Shared>>);

#[async_trait]
impl Destination for Copy {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new([WriteMode::Upsert])
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
        let mut shared = self.0.lock().unwrap();
        let outcomes = records.into_iter().map(|record| {
            let row: serde_json::Value = record.data.read().unwrap();
            let title = row["title"].as_str().unwrap().to_owned();
            if shared.rejected.contains(&&*title) {
                return Outcome::Rejected(format!("no {title}"));
            }
            shared.rows.insert(row["id"].as_u64().unwrap(), title);
            Outcome::Accepted
        });
        Ok(outcomes.collect())
    }

    async fn commit(&mut self, _state: Option<&State>) -> Result<()> {
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

struct Bench {
    folder: tempfile::TempDir,
    shared: Arc<Mutex<Shared>>,
}

impl Bench {
    fn new(rejected: &[&'static str]) -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            shared: Arc::default(),
        };
        bench.rejects(rejected);
        bench
    }

    fn rejects(&self, titles: &[&'static str]) {
        self.shared.lock().unwrap().rejected = titles.to_vec();
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rejected.jsonl")
    }

    /// A run of the stream `stream` that writes these rows.
    fn run_of(&self, stream: &str, rows: &[(u64, &str)]) {
        let mut writer = BatchWriter::new(Box::new(Copy(Arc::clone(&self.shared))))
            .with_dead_letters(Some(DeadLetters::retried(self.path())));
        let plan = Stream::new(stream, "", json!({})).with_primary_key(["id"]);
        let plan = WritePlan::new("s", [StreamPlan::new(plan, WriteMode::Upsert)]);
        block_on(writer.start(&plan)).unwrap();
        for (id, title) in rows {
            let data = JsonObject::from_serialize(&json!({"id": id, "title": title})).unwrap();
            let record = Record::new(stream.into(), data);
            block_on(writer.write(vec![record])).unwrap();
        }
        block_on(writer.commit(None)).unwrap();
    }

    fn run(&self, rows: &[(u64, &str)]) {
        self.run_of("tickets", rows);
    }

    fn row(&self, id: u64) -> Option<String> {
        self.shared.lock().unwrap().rows.get(&id).cloned()
    }

    fn waiting(&self) -> u64 {
        waiting_records(&self.path()).unwrap()
    }
}

#[test]
fn a_rejected_record_is_tried_again_by_each_run_until_the_copy_takes_it() {
    let bench = Bench::new(&["bad"]);
    bench.run(&[(1, "good")]);
    assert!(!bench.path().exists());
    bench.run(&[(2, "bad")]);
    assert_eq!((bench.row(2), bench.waiting()), (None, 1));
    bench.run(&[]);
    assert_eq!(bench.waiting(), 1);
    let line = std::fs::read_to_string(bench.path()).unwrap();
    assert!(line.contains("\"reason\":\"no bad\""), "{line}");

    bench.rejects(&[]);
    bench.run(&[]);
    assert_eq!(bench.row(2).as_deref(), Some("bad"));
    assert!(!bench.path().exists());
}

#[test]
fn an_earlier_version_never_replaces_a_later_one() {
    let bench = Bench::new(&["first"]);
    bench.run(&[(1, "first")]);
    bench.run(&[(1, "second")]);
    assert_eq!(bench.waiting(), 0);
    bench.rejects(&[]);
    bench.run(&[]);
    assert_eq!(bench.row(1).as_deref(), Some("second"));

    bench.rejects(&["third", "fourth"]);
    bench.run(&[(1, "third"), (1, "fourth")]);
    bench.rejects(&[]);
    bench.run(&[]);
    assert_eq!(bench.row(1).as_deref(), Some("fourth"));
}

#[test]
fn a_record_that_is_rejected_after_it_was_accepted_waits() {
    let bench = Bench::new(&["first", "third"]);
    bench.run(&[(1, "first"), (1, "second"), (1, "third")]);
    bench.rejects(&[]);
    bench.run(&[]);
    assert_eq!(bench.row(1).as_deref(), Some("third"));
}

#[test]
fn a_record_that_is_rejected_by_every_run_waits_once() {
    let bench = Bench::new(&["bad"]);
    for _ in 0..4 {
        bench.run(&[(1, "bad")]);
    }
    assert!(bench.waiting() <= 2, "{}", bench.waiting());
}

#[test]
fn streams_that_a_run_does_not_write_keep_waiting() {
    let bench = Bench::new(&["bad"]);
    bench.run(&[(1, "bad")]);
    bench.rejects(&[]);
    bench.run_of("users", &[(2, "good")]);
    assert_eq!(bench.waiting(), 1);
    bench.run(&[]);
    assert_eq!(bench.waiting(), 0);
}

#[test]
fn a_line_that_somebody_broke_is_named() {
    let bench = Bench::new(&["bad"]);
    bench.run(&[(1, "bad")]);
    let text = std::fs::read_to_string(bench.path()).unwrap();
    std::fs::write(bench.path(), format!("\u{feff}{text}\noops\n")).unwrap();
    let mut writer = BatchWriter::new(Box::new(Copy(Arc::clone(&bench.shared))))
        .with_dead_letters(Some(DeadLetters::retried(bench.path())));
    let error = block_on(writer.start(&WritePlan::new("s", []))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("line: 3"), "{error}");
    assert_eq!(bench.waiting(), 2);
}

//! What it costs to write builds with their jobs: CPU time, and how long others are kept from
//! writing.
//!
//! ```text
//! cargo bench -p connector-sqlite --bench write [-- --builds 5000 --rounds 5 --commit-mib 32]
//! ```
//!
//! A build with its ten jobs has about 32 KB. Batches have 1 MiB, as in a sync, and commits 32 MiB
//! unless set. Another connection takes the write lock again and again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use connector_core::{
    Configuration, Destination, DestinationRole, JsonObject, Record, Setup, State, Stream,
    WritePlan,
};
use connector_sqlite::Sqlite;
use futures::executor::block_on;
use nix::sys::resource::{UsageWho, getrusage};
use rusqlite::Connection;
use serde_json::{Map, Value, json};

type Failure = Box<dyn std::error::Error>;

const JOBS_PER_BUILD: usize = 10;
const BATCH_BYTES: usize = 1 << 20;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let (builds, rounds) = (number("--builds", 5_000), number("--rounds", 5));
    let commit_bytes = number("--commit-mib", 32) << 20;
    let batches = batches(builds);
    let mut costs = Vec::new();
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("bench.db");
        let (first, _) = measure(&path, &batches, commit_bytes)?;
        let (again, longest) = measure(&path, &batches, commit_bytes)?;
        costs.push((first, again, longest));
    }
    let per_thousand = |cpu: Duration| cpu.as_secs_f64() * 1e6 / builds as f64;
    say(&format!("{builds} builds, {rounds} rounds; medians"));
    let first = median(costs.iter().map(|cost| per_thousand(cost.0)));
    say(&format!(
        "new rows:      {first:.1} ms of CPU per 1,000 builds"
    ));
    let again = median(costs.iter().map(|cost| per_thousand(cost.1)));
    say(&format!(
        "the same rows: {again:.1} ms of CPU per 1,000 builds"
    ));
    let longest = median(costs.iter().map(|cost| cost.2.as_secs_f64() * 1e3));
    say(&format!("longest wait of another writer: {longest:.1} ms"));
    Ok(())
}

/// CPU time of one sync, and the longest wait of another writer.
fn measure(
    path: &Path,
    batches: &[Vec<Record>],
    commit_bytes: usize,
) -> Result<(Duration, Duration), Failure> {
    let mut destination = block_on(open(path))?;
    block_on(destination.start(&plan()?))?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| longest_wait(path.to_owned(), &is_over));
        let before = cpu()?;
        let written = block_on(write(destination.as_mut(), batches, commit_bytes));
        let after = cpu()?;
        is_over.store(true, Ordering::SeqCst);
        written?;
        let longest = other
            .join()
            .map_err(|_| "the other writer has panicked")??;
        Ok((after.saturating_sub(before), longest))
    })
}

async fn open(path: &Path) -> Result<Box<dyn Destination>, Failure> {
    let path = path.to_str().ok_or("the path is no text")?;
    let configuration = Configuration::default().with("path", path);
    Ok(DestinationRole::open(&Sqlite, Setup::new(configuration)).await?)
}

fn plan() -> Result<WritePlan, Failure> {
    let streams = [stream("builds", &build(0)), stream("jobs", &job(0, 0))];
    let capabilities = DestinationRole::capabilities(&Sqlite);
    Ok(WritePlan::preferred("bench", streams, &capabilities)?)
}

async fn write(
    destination: &mut dyn Destination,
    batches: &[Vec<Record>],
    commit_bytes: usize,
) -> Result<(), Failure> {
    let state = State::new("bench", 1);
    let mut uncommitted = 0;
    for batch in batches {
        uncommitted += bytes(batch);
        destination.write(batch.clone()).await?;
        if uncommitted >= commit_bytes {
            destination.commit(Some(&state)).await?;
            uncommitted = 0;
        }
    }
    Ok(destination.commit(Some(&state)).await?)
}

/// Takes the write lock every few milliseconds, as an application would.
fn longest_wait(path: PathBuf, is_over: &AtomicBool) -> Result<Duration, rusqlite::Error> {
    let database = Connection::open(path)?;
    database.busy_timeout(Duration::from_secs(600))?;
    let mut longest = Duration::ZERO;
    while !is_over.load(Ordering::SeqCst) {
        let begun = Instant::now();
        database.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
        longest = longest.max(begun.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(longest)
}

fn batches(builds: usize) -> Vec<Vec<Record>> {
    let mut batches = vec![Vec::new()];
    let mut size = 0;
    for number in 0..builds {
        let jobs = (0..JOBS_PER_BUILD).map(|index| ("jobs", job(number, index)));
        for (stream, data) in [("builds", build(number))].into_iter().chain(jobs) {
            let data = JsonObject::from_serialize(&data).unwrap_or_else(|error| panic!("{error}"));
            size += data.as_str().len();
            if let Some(batch) = batches.last_mut() {
                batch.push(Record::new(stream.into(), data));
            }
            if size >= BATCH_BYTES {
                batches.push(Vec::new());
                size = 0;
            }
        }
    }
    batches
}

fn build(number: usize) -> Value {
    object(&format!("b{number:08}"), number, 24, 4)
}

fn job(number: usize, index: usize) -> Value {
    object(&format!("j{number:08}-{index:02}"), number, 36, 3)
}

/// An object of texts, times, numbers, nulls and nested values.
fn object(id: &str, number: usize, texts: usize, nested: usize) -> Value {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), id.into());
    fields.insert("number".to_owned(), number.into());
    for index in 0..texts {
        let value = match index % 4 {
            0 => json!(format!(
                "2026-11-28T19:{:02}:{:02}.123Z",
                index,
                number % 60
            )),
            1 => json!(format!("a text of {id} that is \"quoted\" {number}")),
            2 => Value::Null,
            _ => json!(number * 31 + index),
        };
        fields.insert(format!("field_{index}"), value);
    }
    for index in 0..nested {
        let list: Vec<_> = (0..6)
            .map(|at| json!({"key": format!("{id}-{at}"), "value": "x".repeat(60)}))
            .collect();
        fields.insert(
            format!("nested_{index}"),
            json!({"list": list, "at": index}),
        );
    }
    Value::Object(fields)
}

fn stream(name: &str, sample: &Value) -> Stream {
    let fields = sample.as_object().into_iter().flatten();
    let properties: Map<_, _> = fields
        .map(|(field, value)| {
            let names = match value {
                Value::String(_) => json!(["string", "null"]),
                Value::Number(_) => json!("integer"),
                _ => json!(["object", "null"]),
            };
            (field.clone(), json!({"type": names}))
        })
        .collect();
    let schema = json!({"type": "object", "properties": properties});
    Stream::new(name, "", schema).with_primary_key(["id"])
}

fn bytes(batch: &[Record]) -> usize {
    batch.iter().map(|record| record.data.as_str().len()).sum()
}

fn cpu() -> Result<Duration, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let of = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    Ok(of(usage.user_time()) + of(usage.system_time()))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn say(line: &str) {
    println!("{line}");
}

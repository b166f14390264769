//! Results of awaited builds, over runs that are killed.

use std::sync::Mutex;
use std::time::Duration;

use connector_core::{ActingDestination, Destination, Result, State};
use serde_json::{Value, json};

use super::{Bench, build, plan, record, value};

/// Builds that end after half a minute.
async fn running() -> Bench {
    let bench = Bench::new().await.with("wait", "finished");
    bench.server.with_world(|world| {
        for pipeline in ["web", "api"] {
            let steps = json!([{"label": "Make", "command": "make"}]);
            world.set_steps("acme", pipeline, &steps);
        }
        world.set_build_timing(Duration::from_secs(5), Duration::from_secs(20));
        world.fail_jobs("Make", 2);
    });
    bench
}

/// A host that stores results with each commit, and sends what the last state does not cover.
#[derive(Default)]
struct Host {
    stored: Mutex<Vec<Value>>,
}

impl Host {
    async fn run(&self, bench: &Bench, records: &[Value]) -> Result<()> {
        let mut destination = bench.open()?;
        let state = destination.start(&plan("test", "builds")).await?;
        let done = state.map_or(0, |state| state.version() as usize);
        for (position, batch) in records.chunks(2).enumerate().skip(done) {
            let batch = batch.iter().map(|one| record("builds", one)).collect();
            destination.write(batch).await?;
            let state = State::new("acme", u32::try_from(position).unwrap() + 1);
            self.commit(&mut destination, Some(state)).await?;
        }
        while destination.follow().await? {
            self.commit(&mut destination, None).await?;
        }
        self.commit(&mut destination, None).await?;
        destination.finish().await
    }

    async fn commit(
        &self,
        destination: &mut super::BuildkiteDestination,
        state: Option<State>,
    ) -> Result<()> {
        let results = destination.take_results();
        let results = results.iter().map(value);
        self.stored.lock().unwrap().extend(results);
        destination.commit(state.as_ref()).await
    }

    /// Runs until the journal has this many lines. `true` if the run ended before.
    async fn run_until(&self, bench: &Bench, records: &[Value], lines: usize) -> bool {
        let is_killed = async {
            let path = bench.path("journal");
            let has =
                || std::fs::read_to_string(&path).is_ok_and(|text| text.lines().count() >= lines);
            while !has() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = is_killed => false,
            done = self.run(bench, records) => done.is_ok(),
        }
    }

    /// Runs to the end, once a killed run has let go of the journal.
    async fn run_to_the_end(&self, bench: &Bench, records: &[Value]) {
        loop {
            match self.run(bench, records).await {
                Err(error) if error.to_string().contains("another process") => {
                    tokio::task::yield_now().await;
                }
                done => return done.unwrap(),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_of_the_journal_every_build_gets_its_final_result() {
    let records: Vec<_> = (0..5)
        .map(|number| {
            let mut record = build(number);
            record["pipeline"] = ["web", "api"][number % 2].into();
            record
        })
        .collect();
    for lines in 1.. {
        let (bench, host) = (running().await, Host::default());
        let is_whole = host.run_until(&bench, &records, lines).await;
        host.run_to_the_end(&bench, &records).await;

        assert_eq!(bench.builds("web") + bench.builds("api"), 5, "{lines}");
        let stored = host.stored.lock().unwrap();
        let ended = stored.iter().filter(|row| !row["state"].is_null());
        let mut keys: Vec<_> = ended.map(|row| row["key"].to_string()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 5, "killed at line {lines}: {stored:?}");
        if is_whole {
            assert!(lines > 20, "{lines}");
            break;
        }
    }
}

#[tokio::test]
async fn a_result_that_was_stored_is_not_owed_any_more() {
    let (bench, host) = (running().await, Host::default());
    host.run(&bench, &[build(1)]).await.unwrap();
    assert_eq!(host.stored.lock().unwrap().len(), 1);
    host.run(&bench, &[build(1)]).await.unwrap();
    assert_eq!(host.stored.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_next_run_reports_what_a_killed_one_has_triggered() {
    let (bench, host) = (running().await, Host::default());
    let mut destination = bench.open().unwrap();
    super::builds::start(&mut destination, "builds").await;
    let batch = vec![record("builds", &build(1))];
    destination.write(batch).await.unwrap();
    let state = State::new("acme", 1);
    destination.commit(Some(&state)).await.unwrap();
    let known = destination.unfinished_results();
    assert_eq!(value(&known[0])["state"], Value::Null);
    drop(destination);

    host.run(&bench, &[build(1)]).await.unwrap();

    let stored = host.stored.lock().unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["outcome"], "created");
    assert_eq!(stored[0]["key"], value(&known[0])["key"]);
    assert!(stored[0]["state"].is_string(), "{stored:?}");
}

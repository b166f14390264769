//! Where the effect of a record is a state, the last record decides.

use connector_core::{ActingDestination, Destination, Result, State};
use mock_buildkite::{Fault, When};
use serde_json::{Value, json};

use super::super::delivery::Safeguards;
use super::{Bench, build, plan, record};

const COLOURS: [&str; 3] = ["red", "green", "blue"];

fn annotation(context: &str, body: &str) -> Value {
    json!({"number": 1, "context": context, "body": body})
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.accept("builds", &[build(1)]).await;
    bench
}

impl Bench {
    /// The text of a context's annotation.
    async fn body(&self, context: &str) -> Option<String> {
        let annotations = self.annotations().await;
        let annotation = annotations.iter().find(|one| one["context"] == context)?;
        Some(annotation["body_html"].to_string())
    }

    /// How many annotations were sent.
    fn sent(&self) -> usize {
        let writes = self.server.write_requests();
        let is_annotation = |path: &str| path.ends_with("/annotations");
        writes.iter().filter(|one| is_annotation(&one.path)).count()
    }

    async fn annotate(&self, bodies: &[&str]) {
        let records: Vec<_> = bodies.iter().map(|body| annotation("c", body)).collect();
        self.write("annotations", &records).await.unwrap();
        let last = bodies.last().unwrap();
        let body = self.body("c").await.unwrap();
        assert!(body.contains(last), "{body} after {bodies:?}");
    }
}

#[tokio::test]
async fn red_green_red_ends_red_and_the_same_again_sends_nothing() {
    let bench = bench().await;
    bench.annotate(&["red", "green", "red"]).await;
    assert_eq!(bench.sent(), 3);
    bench.annotate(&["red", "green", "red"]).await;
    assert_eq!(bench.sent(), 3);
    bench.annotate(&["red", "green"]).await;
    bench.annotate(&["red"]).await;
    let sent = bench.sent();
    bench.annotate(&["red"]).await;
    assert_eq!(bench.sent(), sent);
    bench.annotate(&["red", "red", "blue"]).await;
    bench.annotate(&["green"]).await;
}

#[tokio::test]
async fn a_request_that_changes_something_is_sent_again_if_another_came_between() {
    let bench = Bench::new().await.with("allow", json!(["requests"]));
    let patch = |text: &str| {
        let body = json!({"description": text});
        json!({"method": "PATCH", "path": "pipelines/web", "body": body})
    };
    let input = [patch("one"), patch("two"), patch("one")];
    for _ in 0..2 {
        bench.write("requests", &input).await.unwrap();
        let web = bench
            .server
            .with_world(|world| world.pipeline_json("acme", "web").unwrap());
        let web: Value = serde_json::from_str(&web).unwrap();
        assert_eq!(web["description"], "one");
        assert_eq!(bench.server.write_requests().len(), 3);
    }
}

#[tokio::test]
async fn the_last_record_of_a_pipeline_decides() {
    let bench = Bench::new().await;
    let with = |text: &str| json!({"slug": "web", "description": text});
    let input = [with("one"), with("two"), with("one")];
    for _ in 0..2 {
        bench.write("pipelines", &input).await.unwrap();
        assert_eq!(bench.server.write_requests().len(), 3);
    }
    // What others change is mended.
    bench.server.with_world(|world| {
        world.change_pipeline("acme", "web", |web| web.set("description", "other"))
    });
    bench.write("pipelines", &input).await.unwrap();
    assert_eq!(bench.server.write_requests().len(), 4);
}

#[tokio::test]
async fn what_an_earlier_version_has_sent_is_not_sent_again() {
    let bench = bench().await;
    bench.annotate(&["red"]).await;
    // As version 1 wrote it: done once, at a place.
    let text = std::fs::read_to_string(bench.path("journal")).unwrap();
    let applied = text
        .lines()
        .find(|line| line.contains("\"applied\""))
        .unwrap();
    let applied: Value = serde_json::from_str(applied).unwrap();
    let place = format!("{} annotations acme/web", bench.server.uri());
    let done = json!({"event": "done", "to": place, "key": applied["key"], "done": {}});
    let old = format!("{}\n{done}\n", json!({"event": "journal", "version": 1}));
    std::fs::write(bench.path("journal"), old).unwrap();
    bench.annotate(&["red"]).await;
    assert_eq!(bench.sent(), 1);
    bench.annotate(&["red", "green", "red"]).await;
    assert_eq!(bench.sent(), 3);
}

/// One run of the model: resumes after the last state and is cut off after some batches.
async fn run(bench: &Bench, sync: &str, input: &[Value], batches: usize) -> Result<()> {
    let mut destination = bench.open()?;
    let state = destination.start(&plan(sync, "annotations")).await?;
    let mut done = state.map_or(0, |state| state.version() as usize - 1);
    let rest = input[done..].chunks(2);
    let is_whole = batches >= rest.len();
    for batch in rest.take(batches) {
        done += batch.len();
        let batch = batch.iter().map(|one| record("annotations", one));
        destination.write(batch.collect()).await?;
        if fastrand::bool() {
            let state = State::new("acme", u32::try_from(done).unwrap() + 1);
            destination.commit(Some(&state)).await?;
        }
    }
    if !is_whole {
        return Ok(());
    }
    let state = State::new("acme", u32::try_from(done).unwrap() + 1);
    destination.commit(Some(&state)).await?;
    while destination.follow().await? {
        destination.commit(None).await?;
    }
    destination.finish().await
}

/// As [`run`], until it lets go of the journal that a killed one may still hold.
async fn run_whole(bench: &Bench, sync: &str, input: &[Value]) {
    loop {
        match run(bench, sync, input, usize::MAX).await {
            Err(error) if error.to_string().contains("another process") => {
                tokio::task::yield_now().await;
            }
            done => return done.unwrap(),
        }
    }
}

/// Random input over two annotations, by runs that are cut off, killed and resumed. Returns what
/// is wrong in the end.
async fn model(seed: u64, safeguards: Safeguards) -> Option<String> {
    fastrand::seed(seed);
    let mut bench = bench().await;
    bench.safeguards = safeguards;
    let lost = When::method("POST").always().chance(0.1, seed);
    bench.server.fail_when(Fault::LostAnswer, lost);
    let input: Vec<_> = (0..fastrand::usize(3..10))
        .map(|_| {
            annotation(
                ["a", "b"][fastrand::usize(..2)],
                COLOURS[fastrand::usize(..3)],
            )
        })
        .collect();
    for _ in 0..fastrand::usize(1..5) {
        let requests = bench.sent() + fastrand::usize(1..6);
        let dies = async {
            while bench.sent() < requests {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = dies => {}
            _run = run(&bench, "test", &input, fastrand::usize(1..5)) => {}
        }
    }
    run_whole(&bench, "test", &input).await;
    if let Some(wrong) = wrong(&bench, &input).await {
        return Some(format!("resumed: {wrong}"));
    }
    run_whole(&bench, "again", &input).await;
    let sent = bench.sent();
    run_whole(&bench, "once more", &input).await;
    if bench.sent() > sent {
        return Some(format!(
            "{} were sent again: {input:?}",
            bench.sent() - sent
        ));
    }
    wrong(&bench, &input).await
}

async fn wrong(bench: &Bench, input: &[Value]) -> Option<String> {
    for context in ["a", "b"] {
        let Some(last) = input.iter().rfind(|record| record["context"] == context) else {
            continue;
        };
        let wanted = last["body"].as_str().unwrap();
        let body = bench.body(context).await.unwrap_or_default();
        if !body.contains(wanted) {
            return Some(format!("{context} is {body}, not {wanted}: {input:?}"));
        }
    }
    None
}

#[tokio::test]
async fn whatever_is_cut_off_and_resumed_the_last_record_decides() {
    for seed in 0..20 {
        let wrong = model(seed, Safeguards::default()).await;
        assert_eq!(wrong, None, "seed {seed}");
    }
}

/// Runs that end with red, killed before their end; the last of them has no record at all.
async fn killed_before_the_end(safeguards: Safeguards) -> Option<String> {
    let mut bench = bench().await;
    bench.safeguards = safeguards;
    let input: Vec<_> = ["red", "green", "red"]
        .map(|body| annotation("c", body))
        .into();
    for (from, to) in [(0, 2), (2, 3)] {
        let mut destination = bench.open().unwrap();
        destination
            .start(&plan("test", "annotations"))
            .await
            .unwrap();
        let batch = input[from..to].iter().map(|one| record("annotations", one));
        destination.write(batch.collect()).await.unwrap();
        destination.commit(None).await.unwrap();
    }
    bench.write("annotations", &[]).await.unwrap();
    bench.body("c").await
}

#[tokio::test]
async fn what_is_to_be_sent_in_the_end_survives_a_kill_and_each_rule_is_needed() {
    let whole = killed_before_the_end(Safeguards::default()).await;
    assert!(whole.unwrap().contains("red"));
    for mutant in [
        Safeguards {
            settle: false,
            ..Safeguards::default()
        },
        Safeguards {
            pending: false,
            ..Safeguards::default()
        },
    ] {
        let left = killed_before_the_end(mutant).await;
        assert!(left.unwrap().contains("green"), "{mutant:?}");
    }
}

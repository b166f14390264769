//! The conformance suite, over each form in which lines are stored.

use std::sync::atomic::{AtomicUsize, Ordering};

use connector_testkit::{Access, Reading, Report, Suite, Writing};

use super::*;

/// Lines of two streams, enough for several checkpoints of the longer one.
const BUILDS: usize = 1030;
const JOBS: usize = 20;

/// What no read of lines can be asked for.
const NOT_OF_LINES: [&str; 5] = [
    // Nothing tells of a key, and nothing of what is new.
    "keys_are_not_null",
    "keys_are_unique",
    "far_future_reads_nothing",
    // Nothing is requested.
    "cancelling_stops_requests",
    // Any stream is taken.
    "unknown_streams_are_refused",
];

fn access(path: &Path) -> Access {
    Access::new(json!({"path": path.to_str().unwrap()}))
}

/// A folder with a file for each stream, or one file. A bad line comes behind those of `builds`.
fn fill(path: &Path, is_folder: bool, is_bad: bool) {
    let bad = match (is_bad, is_folder) {
        (false, _) => "",
        (true, true) => "{\"id\":",
        (true, false) => "{\"stream\":\"builds\",\"record\":[]}",
    };
    let line = |id: usize| format!("{{\"id\":{id},\"state\":\"passed\"}}");
    let builds: Vec<_> = (0..BUILDS).map(line).collect();
    let jobs: Vec<_> = (0..JOBS).map(line).collect();
    if is_folder {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("builds.jsonl"), builds.join("\n") + "\n" + bad).unwrap();
        fs::write(path.join("jobs.jsonl"), jobs.join("\n")).unwrap();
        return;
    }
    let enveloped = |stream: &'static str| {
        move |line: &String| format!("{{\"stream\":\"{stream}\",\"record\":{line}}}\n")
    };
    let jobs = jobs.iter().map(enveloped("jobs"));
    let builds = builds.iter().map(enveloped("builds"));
    let lines: String = jobs.chain(builds).chain([bad.to_owned()]).collect();
    fs::write(path, lines).unwrap();
}

/// The lines as they are, a place without any, and a place whose lines are spoilt once its
/// streams are known.
fn reading(folder: &Path, is_folder: bool) -> Reading {
    let (good, spoilt) = (folder.join("good"), folder.join("spoilt"));
    fill(&good, is_folder, false);
    let bad = spoilt.clone();
    let prepare = move || {
        fill(&spoilt, is_folder, false);
        access(&spoilt)
    };
    Reading::new(access(&good))
        .with_counts(&[("builds", BUILDS), ("jobs", JOBS)])
        .with_wrong(access(&folder.join("nothing")))
        .with_failure(prepare, move || fill(&bad, is_folder, true))
}

fn writing(folder: &Path, end: &'static str) -> Writing {
    let (folder, wrong) = (folder.to_owned(), folder.join("nothing/out"));
    let count = AtomicUsize::new(0);
    let fresh = move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        access(&folder.join(format!("out-{count}{end}")))
    };
    Writing::new(fresh, &[stream("builds"), stream("jobs")])
        .accepts(record("builds", "{\"id\":1,\n\"big\":9007199254740993}"))
        .accepts(record("jobs", "{\"id\":\"a\"}"))
        .rejects(record("agents", "{\"id\":\"of no stream of the plan\"}"))
        .accepts(removed("builds", "{\"id\":2}", "aged_out"))
        .accepts(record("builds", "{\"id\":3,\"text\":\"a\\nb\"}"))
        .with_wrong(access(&wrong))
}

async fn report(is_folder: bool, end: &'static str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let reading = reading(folder.path(), is_folder);
    let writing = writing(folder.path(), end);
    // It takes no secret; one in the place of a key is not to be repeated.
    let suite = Suite::new(&Jsonl).with_secret("bkua_0123456789abcdef");
    suite
        .with_reading(reading)
        .with_writing(writing)
        .run()
        .await
}

#[tokio::test]
async fn a_folder_passes() {
    report(true, "/")
        .await
        .assert_passed_skipping(&NOT_OF_LINES);
}

#[tokio::test]
async fn a_file_passes() {
    report(false, ".jsonl")
        .await
        .assert_passed_skipping(&NOT_OF_LINES);
}

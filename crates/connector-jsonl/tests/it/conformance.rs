//! The conformance suite, over each kind of place for lines.

use std::sync::atomic::{AtomicUsize, Ordering};

use connector_testkit::{Access, Capability, Reading, Suite, Writing};

use super::*;

/// Enough lines for several checkpoints in one file. In a folder, each file has one.
const BUILDS_IN_A_FILE: usize = 1030;
const BUILDS_IN_A_FOLDER: usize = 30;
const JOBS: usize = 20;

/// Nothing is requested.
const SKIPPED: [&str; 1] = ["cancelling_stops_requests"];
const CAPABILITIES: [Capability; 4] = [
    Capability::Connector,
    Capability::Source,
    Capability::Destination,
    Capability::Claim,
];

fn access(path: &Path) -> Access {
    Access::new(json!({"path": path.to_str().unwrap()}))
}

/// A folder with a file for each stream, or one file. A bad line follows those of `builds`.
fn fill(path: &Path, is_folder: bool, is_bad: bool) {
    let bad = match (is_bad, is_folder) {
        (false, _) => "",
        (true, true) => "{\"id\":",
        (true, false) => "{\"stream\":\"builds\",\"record\":[]}",
    };
    let line = |id: usize| format!("{{\"id\":{id},\"state\":\"passed\"}}");
    let builds: Vec<_> = (0..builds_in(is_folder)).map(line).collect();
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

fn builds_in(is_folder: bool) -> usize {
    if is_folder {
        BUILDS_IN_A_FOLDER
    } else {
        BUILDS_IN_A_FILE
    }
}

/// Good lines, a place without lines, and a place whose lines are damaged after discovery.
fn reading(folder: &Path, is_folder: bool) -> Reading {
    let (good, damaged) = (folder.join("good"), folder.join("damaged"));
    fill(&good, is_folder, false);
    let bad = damaged.clone();
    let prepare = move || {
        fill(&damaged, is_folder, false);
        access(&damaged)
    };
    Reading::new(access(&good))
        .with_counts(&[("builds", builds_in(is_folder)), ("jobs", JOBS)])
        .with_wrong(access(&folder.join("nothing")))
        .with_failure(prepare, move || fill(&bad, is_folder, true))
}

fn writing(folder: &Path, end: &'static str) -> Writing {
    let wrong = access(&folder.join("nothing/out"));
    let folder = folder.to_owned();
    let count = AtomicUsize::new(0);
    let fresh = move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        access(&folder.join(format!("out-{count}{end}")))
    };
    records(Writing::new(fresh, &[stream("builds"), stream("jobs")])).with_wrong(wrong)
}

fn records(writing: Writing) -> Writing {
    writing
        .accepts(record("builds", "{\"id\":1,\n\"big\":9007199254740993}"))
        .accepts(record("jobs", "{\"id\":\"a\"}"))
        .rejects(record(
            "agents",
            "{\"id\":\"of a stream outside the plan\"}",
        ))
        .accepts(removed("builds", "{\"id\":2}", "aged_out"))
        .accepts(record("builds", "{\"id\":3,\"text\":\"a\\nb\"}"))
}

async fn passes(is_folder: bool, end: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    // A secret in the place of a key must not be repeated.
    let report = Suite::new(&Jsonl)
        .with_secret("bkua_0123456789abcdef")
        .with_reading(reading(folder.path(), is_folder))
        .with_writing(writing(folder.path(), end))
        .run()
        .await;
    report.assert_passed_skipping(&SKIPPED);
    report.assert_capabilities(&CAPABILITIES);
}

#[tokio::test]
async fn a_folder_passes() {
    passes(true, "/").await;
}

#[tokio::test]
async fn a_file_passes() {
    passes(false, ".jsonl").await;
}

#[cfg(unix)]
mod pipes {
    use std::collections::HashMap;
    use std::io::{BufRead, BufReader, Write};
    use std::process::Command;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use async_trait::async_trait;
    use connector_core::{
        AcceptedStreams, Capabilities, Connector, DestinationRole, Identity, SettingsSchema,
    };

    use super::*;

    const MARK: &str = "the reader has come this far";

    /// The connector as a destination that is a pipe, which keeps no state.
    struct Piped;

    /// A destination, without the states that only files and folders keep.
    struct Stateless(Box<dyn Destination>);

    fn capabilities() -> Capabilities {
        Capabilities::new([WriteMode::Append])
    }

    impl Connector for Piped {
        fn identity(&self) -> Identity {
            Jsonl.identity()
        }

        fn destination(&self) -> Option<&dyn DestinationRole> {
            Some(self)
        }
    }

    #[async_trait]
    impl DestinationRole for Piped {
        fn settings(&self) -> SettingsSchema {
            DestinationRole::settings(&Jsonl)
        }

        fn capabilities(&self) -> Capabilities {
            capabilities()
        }

        fn validate(&self, setup: &Setup) -> Result<(), Error> {
            DestinationRole::validate(&Jsonl, setup)
        }

        async fn open(&self, setup: Setup) -> Result<Box<dyn Destination>, Error> {
            let opened = DestinationRole::open(&Jsonl, setup).await?;
            Ok(Box::new(Stateless(opened)))
        }
    }

    #[async_trait]
    impl Destination for Stateless {
        fn capabilities(&self) -> Capabilities {
            capabilities()
        }

        async fn check(&mut self) -> Result<(), Error> {
            self.0.check().await
        }

        async fn accepted_streams(&mut self) -> Result<AcceptedStreams, Error> {
            self.0.accepted_streams().await
        }

        async fn start(&mut self, plan: &WritePlan) -> Result<Option<State>, Error> {
            self.0.start(plan).await
        }

        async fn add_stream(&mut self, stream: &StreamPlan) -> Result<(), Error> {
            self.0.add_stream(stream).await
        }

        async fn write(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>, Error> {
            self.0.write(records).await
        }

        async fn commit(&mut self, state: Option<&State>) -> Result<(), Error> {
            self.0.commit(state).await
        }

        async fn finish(&mut self) -> Result<(), Error> {
            self.0.finish().await
        }

        fn claim(&mut self) -> Option<&mut dyn connector_core::Claim> {
            self.0.claim()
        }
    }

    /// Makes a named pipe, and reads the lines that come out of it, whoever writes them.
    fn pipe(path: &Path) -> Receiver<String> {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        let (sender, lines) = channel();
        // Also open for writing, so that it does not end with its first writer.
        let pipe = fs::OpenOptions::new().read(true).write(true).open(path);
        let pipe = BufReader::new(pipe.unwrap());
        thread::spawn(move || {
            let mut lines = pipe.lines().map_while(Result::ok);
            while lines.next().is_some_and(|line| sender.send(line).is_ok()) {}
        });
        lines
    }

    /// The records among the lines that have come out of a pipe.
    fn read(path: &Path, lines: &Receiver<String>) -> Vec<Record> {
        // What was written before this line comes before it.
        let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
        writeln!(pipe, "{MARK}").unwrap();
        let lines = lines.iter().take_while(|line| line != MARK);
        lines.map(|line| parsed(&line)).collect()
    }

    fn parsed(line: &str) -> Record {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let stream = line["stream"].as_str().unwrap();
        match line["gone"].as_str() {
            Some(reason) => super::removed(stream, &line["key"].to_string(), reason),
            None => super::record(stream, &line["record"].to_string()),
        }
    }

    #[tokio::test]
    async fn a_named_pipe_passes() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = access(&folder.path().join("nothing/out"));
        let pipes = Arc::new(Mutex::new(HashMap::new()));
        let (made, root) = (Arc::clone(&pipes), folder.path().to_owned());
        let fresh = move || {
            let mut made = made.lock().unwrap();
            let path = root.join(format!("pipe-{}", made.len()));
            made.insert(path.to_str().unwrap().to_owned(), pipe(&path));
            access(&path)
        };
        // What came out of a pipe once does not come again.
        let seen: Mutex<HashMap<String, Vec<Record>>> = Mutex::default();
        let reader = move |access: &Access| {
            let path = access.get("path").as_str().unwrap().to_owned();
            let more = read(Path::new(&path), &pipes.lock().unwrap()[&path]);
            let mut seen = seen.lock().unwrap();
            let seen = seen.entry(path).or_default();
            seen.extend(more);
            seen.clone()
        };
        let streams = [stream("builds"), stream("jobs")];
        let writing = records(Writing::new(fresh, &streams))
            .with_reader(reader)
            .with_wrong(wrong);

        // A secret in the place of a key must not be repeated.
        let suite = Suite::new(&Piped).with_secret("bkua_0123456789abcdef");
        let report = suite.with_writing(writing).run().await;

        report.assert_passed();
    }
}

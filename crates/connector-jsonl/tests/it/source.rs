//! Files as a source.

use connector_core::{Message, ReadRequest, Result, Selection, Source, Status};
use futures::StreamExt;

use super::*;

pub(crate) async fn source_with(path: &Path, stream: Option<&str>) -> Arc<dyn Source> {
    let configuration = Configuration::default().with("path", path.to_str().unwrap());
    let configuration = configuration.with("stream", stream);
    SourceRole::open(&Jsonl, Setup::new(configuration))
        .await
        .unwrap()
}

pub(crate) async fn source(path: &Path) -> Arc<dyn Source> {
    source_with(path, None).await
}

pub(crate) fn request(streams: &[&str]) -> ReadRequest {
    ReadRequest::new(streams.iter().map(|name| Selection::full_refresh(*name)))
}

pub(crate) async fn messages(
    source: &Arc<dyn Source>,
    request: ReadRequest,
) -> Vec<Result<Message>> {
    source.read(request).collect().await
}

/// Each record as `stream text`.
pub(crate) fn records(messages: &[Result<Message>]) -> Vec<String> {
    let record = |message: &Result<Message>| match message {
        Ok(Message::Record(record)) => Some(format!("{} {}", record.stream, record.data.as_str())),
        _ => None,
    };
    messages.iter().filter_map(record).collect()
}

pub(crate) fn names(catalog: &connector_core::Catalog) -> Vec<&str> {
    catalog
        .streams
        .iter()
        .map(|stream| stream.name.as_str())
        .collect()
}

#[tokio::test]
async fn what_was_written_reads_back_from_a_file_and_from_a_folder() {
    for (place_name, is_folder) in [("out.jsonl", false), ("out", true)] {
        let (_folder, path) = place(place_name);
        if is_folder {
            fs::create_dir(&path).unwrap();
        }
        let mut destination = started(&path).await;
        write(&mut destination, "builds", "{\"id\": 1.0}").await;
        write(&mut destination, "jobs", "{\"id\":\"a\"}").await;
        destination.commit(Some(&state(1))).await.unwrap();
        drop(destination);

        let source = source(&path).await;
        source.check().await.unwrap();
        assert_eq!(names(&source.discover().await.unwrap()), ["builds", "jobs"]);
        let all = messages(&source, request(&["builds", "jobs"])).await;
        assert_eq!(
            records(&all),
            ["builds {\"id\": 1.0}", "jobs {\"id\":\"a\"}"]
        );
        let one = messages(&source, request(&["jobs"])).await;
        assert_eq!(records(&one), ["jobs {\"id\":\"a\"}"]);
    }
}

#[tokio::test]
async fn bare_objects_belong_to_the_stream_named_like_the_file_or_set() {
    let (_folder, path) = place("things.jsonl");
    fs::write(
        &path,
        "\u{feff}{\"id\":1}\r\n\n  \n{\"stream\":\"x\",\"record\":{}}",
    )
    .unwrap();
    let expected = |name: &str| {
        [
            format!("{name} {{\"id\":1}}"),
            format!("{name} {{\"stream\":\"x\",\"record\":{{}}}}"),
        ]
    };
    for (stream, name) in [(None, "things"), (Some("others"), "others")] {
        let source = source_with(&path, stream).await;
        let messages = messages(&source, request(&[name])).await;
        assert_eq!(records(&messages), expected(name));
        assert_eq!(
            messages[0].as_ref().unwrap(),
            &Message::Status(name.into(), Status::Started)
        );
        assert_eq!(
            messages.last().unwrap().as_ref().unwrap(),
            &Message::Status(name.into(), Status::Complete)
        );
    }
}

#[tokio::test]
async fn the_schema_lists_the_fields_and_types_that_were_seen() {
    let (_folder, path) = place("things.jsonl");
    let lines = "{\"z\":1,\"a\":null}\n{\"z\":1.5,\"a\":{},\"m\":[]}\n{\"a\":\"x\",\"b\":true}\n";
    fs::write(&path, lines).unwrap();

    let catalog = source(&path).await.discover().await.unwrap();

    let stream = catalog.stream("things").unwrap();
    let properties = stream.json_schema["properties"].as_object().unwrap();
    let order: Vec<_> = properties.keys().collect();
    assert_eq!(order, ["z", "a", "m", "b"]);
    assert_eq!(properties["z"]["type"], "number");
    assert_eq!(properties["a"]["type"], json!(["null", "string", "object"]));
    assert_eq!(properties["m"]["type"], "array");
    assert_eq!(properties["b"]["type"], "boolean");
    assert!(stream.primary_key.is_empty());
    assert_eq!(stream.sync_modes, [SyncMode::FullRefresh]);
}

/// 2,450 builds and as many jobs, mixed in a file or apart in a folder.
fn many(path: &Path, is_folder: bool) -> Vec<String> {
    let line = |stream: &str, id: usize| format!("{stream} {{\"id\":{id}}}");
    let ids = 0..2450;
    if is_folder {
        fs::create_dir(path).unwrap();
        let bare: String = ids.clone().map(|id| format!("{{\"id\":{id}}}\n")).collect();
        fs::write(path.join("builds.jsonl"), &bare).unwrap();
        fs::write(path.join("jobs.jsonl"), bare.trim_end()).unwrap();
        let builds = ids.clone().map(|id| line("builds", id));
        return builds.chain(ids.map(|id| line("jobs", id))).collect();
    }
    let both = |id| [line("builds", id), line("jobs", id)];
    let lines: Vec<_> = ids.flat_map(both).collect();
    let enveloped = |line: &String| {
        let (stream, record) = line.split_once(' ').unwrap();
        format!("{{\"stream\":\"{stream}\",\"record\":{record}}}\n")
    };
    fs::write(path, lines.iter().map(enveloped).collect::<String>()).unwrap();
    lines
}

#[tokio::test]
async fn a_read_that_resumes_from_any_checkpoint_skips_and_repeats_nothing() {
    for is_folder in [false, true] {
        let (_folder, path) = place("many");
        let expected = many(&path, is_folder);
        let source = source(&path).await;
        let whole = messages(&source, request(&["builds", "jobs"])).await;
        assert!(records(&whole) == expected, "{:?}", whole.last());

        let mut checkpoints = 0;
        for (at, message) in whole.iter().enumerate() {
            let Ok(Message::Checkpoint(state)) = message else {
                continue;
            };
            checkpoints += 1;
            let saved = State::parse(&state.to_json().unwrap()).unwrap();
            let again = request(&["builds", "jobs"]).with_state(Some(saved));
            let rest = messages(&source, again).await;
            let before = records(&whole[..at]);
            // From the end of a complete read, everything is read again.
            let before = if before.len() == expected.len() {
                Vec::new()
            } else {
                before
            };
            assert!([before, records(&rest)].concat() == expected, "{state:?}");
            assert_eq!(records(&whole[at..]).is_empty(), at + 3 >= whole.len());
        }
        assert!(checkpoints >= 5, "{checkpoints}");
    }
}

#[tokio::test]
async fn a_stream_that_was_read_further_than_another_repeats_nothing() {
    let (_folder, path) = place("many");
    many(&path, false);
    let source = source(&path).await;
    let first = messages(&source, request(&["builds"])).await;
    let state = first.iter().find_map(|message| match message {
        Ok(Message::Checkpoint(state)) => Some(state.clone()),
        _ => None,
    });

    let both = request(&["builds", "jobs"]).with_state(state);
    let rest = records(&messages(&source, both).await);

    let count = |stream: &str| rest.iter().filter(|line| line.starts_with(stream)).count();
    assert_eq!((count("builds"), count("jobs")), (1450, 2450));
}

#[tokio::test]
async fn an_unknown_stream_and_another_mode_are_refused() {
    let (_folder, path) = place("things.jsonl");
    fs::write(&path, "{}\n").unwrap();
    let source = source(&path).await;

    let unknown = messages(&source, request(&["builds"])).await;
    let mut newer = request(&["things"]);
    newer.streams[0].mode = SyncMode::Incremental;
    let newer = messages(&source, newer).await;

    for (read, message) in [(&unknown, "streams: things"), (&newer, "full_refresh")] {
        assert_eq!(read.len(), 1);
        let error = read[0].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[tokio::test]
async fn a_state_that_does_not_fit_is_refused() {
    let (_folder, path) = place("things.jsonl");
    fs::write(&path, "{\"id\":1}\n{\"id\":2}\n").unwrap();
    let source = source(&path).await;
    let with = |connector: &str, version, value| {
        let mut state = State::new(connector, version);
        state.set_stream("things".into(), value);
        state
    };
    for state in [
        with("buildkite", 1, json!({"offset": 9, "line": 1})),
        with("jsonl", 2, json!({"offset": 9, "line": 1})),
        with("jsonl", 1, json!({"offset": 8, "line": 1})),
        with("jsonl", 1, json!({"offset": 999, "line": 1})),
        with("jsonl", 1, json!({"offset": -1})),
        with("jsonl", 1, json!("x")),
    ] {
        let read = messages(&source, request(&["things"]).with_state(Some(state))).await;
        let error = read.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{error}");
        assert!(records(&read).is_empty());
    }
    let fits = with("jsonl", 1, json!({"offset": 9, "line": 1}));
    let read = messages(&source, request(&["things"]).with_state(Some(fits))).await;
    assert_eq!(records(&read), ["things {\"id\":2}"]);
}

#[tokio::test]
async fn a_missing_file_or_stream_is_reported_with_its_path() {
    let (folder, path) = place("missing.jsonl");
    let missing = source(&path).await.check().await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Config);
    assert!(missing.to_string().contains("missing.jsonl"), "{missing}");

    let empty = source(folder.path()).await.discover().await.unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::Config);
    assert!(
        empty.to_string().contains(folder.path().to_str().unwrap()),
        "{empty}"
    );

    let named = source_with(folder.path(), Some("a")).await.check().await;
    assert!(named.unwrap_err().to_string().contains("key: stream"));
}

#[test]
fn it_works_without_a_runtime() {
    let (_folder, path) = place("things.jsonl");
    fs::write(&path, "{\"id\":1}\n").unwrap();
    futures::executor::block_on(async {
        let read = messages(&source(&path).await, request(&["things"])).await;
        assert_eq!(records(&read), ["things {\"id\":1}"]);
    });
}

#[tokio::test]
async fn a_part_that_others_made_is_refused() {
    let (_folder, path) = place("things.jsonl");
    fs::write(&path, "{}\n").unwrap();
    let part = request(&["things"]).with_partition(json!(1));
    let read = messages(&source(&path).await, part).await;
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].as_ref().unwrap_err().kind(), ErrorKind::Config);
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_read_once_and_ends_with_a_state() {
    let (_folder, path) = place("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, "{\"stream\":\"a\",\"record\":{\"id\":1}}\n").unwrap()
    });
    let source = source(&path).await;
    let read = messages(&source, request(&["a"])).await;
    writer.join().unwrap();
    assert_eq!(records(&read), ["a {\"id\":1}"]);
    let is_state = |message: &Result<Message>| matches!(message, Ok(Message::Checkpoint(_)));
    assert_eq!(read.iter().position(is_state), Some(read.len() - 2));
}

//! Tombstones: written, committed, cut off and read back.

use connector_core::{Message, ReadRequest, Selection};
use futures::StreamExt;

use super::*;

/// A file and a folder, with a file in it, for the stream `builds`.
fn places() -> [(TempDir, PathBuf, PathBuf); 2] {
    let (folder, path) = place("out.jsonl");
    let file = (folder, path.clone(), path);
    let (folder, path) = place("out");
    fs::create_dir(&path).unwrap();
    [file, (folder, path.clone(), path.join("builds.jsonl"))]
}

fn life() -> Vec<Record> {
    vec![
        record("builds", "{\"id\": 1,\"state\":\"passed\"}"),
        removed("builds", "{\n\"id\": 1}", "aged \"out\""),
        record("builds", "{\"id\": 1,\"_gone\":\"own\"}"),
        removed("builds", "{\"_gone\":\"k\",\"id\":2}", "deleted"),
    ]
}

async fn write_all(path: &Path, records: Vec<Record>) {
    let mut destination = started(path).await;
    let outcomes = destination.write(records.clone()).await.unwrap();
    assert_eq!(outcomes, vec![Outcome::Accepted; records.len()]);
    destination.commit(Some(&state(1))).await.unwrap();
}

async fn read_back(path: &Path, stream: Option<&str>) -> Vec<Record> {
    let configuration = Configuration::default().with("path", path.to_str().unwrap());
    let configuration = configuration.with("stream", stream);
    let source = SourceRole::open(&Jsonl, Setup::new(configuration))
        .await
        .unwrap();
    let request = ReadRequest::new([Selection::full_refresh("builds")]);
    let record = |message| async {
        match message {
            Ok(Message::Record(record)) => Some(record),
            other => other.map(|_| None).unwrap(),
        }
    };
    source.read(request).filter_map(record).collect().await
}

#[tokio::test]
async fn a_tombstone_has_its_own_line_in_a_file_and_in_a_folder() {
    let [(_a, file, _), (_b, folder, builds)] = places();
    write_all(&file, life()[..2].to_vec()).await;
    write_all(&folder, life()[..2].to_vec()).await;

    let expected = format!(
        "{{\"sync\":\"s\",\"state\":null}}\n\
         {{\"stream\":\"builds\",\"record\":{{\"id\": 1,\"state\":\"passed\"}}}}\n\
         {{\"stream\":\"builds\",\"gone\":\"aged \\\"out\\\"\",\"key\":{{ \"id\": 1}}}}\n\
         {{\"sync\":\"s\",\"state\":{STATE_1}}}\n"
    );
    assert_eq!(text(&file), expected);
    assert_eq!(
        text(&builds),
        "{\"id\": 1,\"state\":\"passed\"}\n{\"_gone\":\"aged \\\"out\\\"\",\"id\": 1}\n"
    );
}

#[tokio::test]
async fn what_was_written_is_read_back_in_order_from_both() {
    for (_folder, path, _) in places() {
        write_all(&path, life()).await;

        let read = read_back(&path, None).await;

        // Between the values of a key, blanks are not kept.
        let plain = |mut record: Record| {
            let text = record.data.as_str().replace(['\n', ' '], "");
            record.data = JsonObject::parse(&text).unwrap();
            record
        };
        let expected: Vec<_> = life().into_iter().map(plain).collect();
        let read: Vec<_> = read.into_iter().map(plain).collect();
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn a_file_of_a_folder_can_be_read_back_alone() {
    let [_, (_folder, path, builds)] = places();
    write_all(&path, life()).await;
    for stream in [None, Some("builds")] {
        let read = read_back(&builds, stream).await;
        let reasons: Vec<_> = read.iter().map(|record| record.removal_reason()).collect();
        assert_eq!(reasons, [None, Some("aged \"out\""), None, Some("deleted")]);
    }
}

#[tokio::test]
async fn the_schema_does_not_include_tombstones() {
    for (_folder, path, _) in places() {
        write_all(&path, life()[..2].to_vec()).await;
        let source = SourceRole::open(&Jsonl, setup(path.to_str().unwrap())).await;
        let catalog = source.unwrap().discover().await.unwrap();
        let schema = &catalog.stream("builds").unwrap().json_schema;
        let fields: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["id", "state"]);
    }
}

#[tokio::test]
async fn uncommitted_lines_are_removed_wherever_a_kill_cut_them() {
    for (_folder, path, file) in places() {
        write_all(&path, life()).await;
        let committed = text(&file);
        let mut killed = started(&path).await;
        // More than is gathered before it is written.
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(600_000));
        let records = vec![
            removed("builds", "{\"id\":1}", "late"),
            record("builds", &long),
        ];
        killed.write(records).await.unwrap();
        drop(killed);
        let more = text(&file)[committed.len()..].to_owned();
        let first = more.find('\n').unwrap();
        assert!(more.contains("late"));

        for cut in 0..=first + 10 {
            fs::write(&file, [&committed, &more[..cut]].concat()).unwrap();
            let found = start(&mut destination(&path).await).await;
            assert_eq!(found.unwrap(), Some(state(1)), "{cut}");
            assert_eq!(text(&file), committed, "{cut}");
        }
    }
}

#[tokio::test]
async fn a_record_that_looks_like_a_tombstone_is_rejected_by_a_folder_and_kept_by_a_file() {
    let [(_a, file, _), (_b, folder, builds)] = places();
    let own = "{ \"_gone\":\"own\",\"id\":1}";
    write_all(&file, vec![record("builds", own)]).await;
    assert_eq!(read_back(&file, None).await, [record("builds", own)]);

    let mut destination = started(&folder).await;
    let null = "{\"_gone\":null,\"id\":2}";
    let records = vec![record("builds", own), record("builds", null)];
    let outcomes = destination.write(records).await.unwrap();
    destination.commit(None).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Rejected(why) if why.contains("`_gone`")));
    assert_eq!(outcomes[1], Outcome::Accepted);
    assert_eq!(text(&builds), format!("{null}\n"));
}

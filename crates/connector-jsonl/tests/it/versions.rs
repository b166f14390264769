//! Files of an earlier version of the program.

use super::*;

/// What commit aed4f3b wrote, and left when it was killed.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

#[tokio::test]
async fn a_file_of_an_earlier_version_is_extended() {
    let (_folder, path) = place("out.jsonl");
    fs::copy(fixtures().join("aed4f3b.jsonl"), &path).unwrap();
    let before = text(&path);
    let mut destination = destination(&path).await;

    let found = destination.start(&plan("buildkite", &["builds"])).await;
    write(&mut destination, "builds", "{\"id\":\"new\"}").await;
    destination.commit(Some(&state(4))).await.unwrap();

    let mut expected = State::new("test", 1);
    expected.set_stream("builds".into(), json!({"until": 3}));
    assert_eq!(found.unwrap(), Some(expected));
    let committed = before
        .rfind("{\"stream\":\"logs\",\"record\":{\"line\":\"not")
        .unwrap();
    let after = text(&path);
    let (kept, new) = after.split_at(committed);
    assert_eq!(kept, &before[..committed]);
    assert!(new.starts_with("{\"stream\":\"builds\",\"record\":{\"id\":\"new\"}}\n"));
}

#[tokio::test]
async fn a_folder_of_an_earlier_version_is_extended() {
    let (_folder, path) = place("out");
    fs::create_dir(&path).unwrap();
    for name in ["_state.json", "builds.jsonl", "logs.jsonl"] {
        fs::copy(fixtures().join("aed4f3b").join(name), path.join(name)).unwrap();
    }
    let mut destination = destination(&path).await;

    let found = destination
        .start(&plan("another", &["builds", "logs"]))
        .await;
    write(&mut destination, "logs", "{\"line\":\"4\"}").await;
    destination.commit(Some(&state(4))).await.unwrap();

    let mut expected = State::new("test", 1);
    expected.set_stream("builds".into(), json!({"until": 2}));
    assert_eq!(found.unwrap(), Some(expected));
    let lines: Vec<_> = (1..=4).map(|n| format!("{{\"line\":\"{n}\"}}\n")).collect();
    assert_eq!(text(&path.join("logs.jsonl")), lines.concat());
    let builds = fixtures().join("aed4f3b/builds.jsonl");
    assert_eq!(text(&path.join("builds.jsonl")), text(&builds));
}

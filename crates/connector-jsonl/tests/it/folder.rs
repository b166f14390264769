//! A folder as a destination.

use super::*;

/// The path ends with a slash, because the folder does not exist yet.
async fn folder_destination(path: &Path) -> Box<dyn Destination> {
    let path = format!("{}/", path.display());
    DestinationRole::open(&Jsonl, setup(&path)).await.unwrap()
}

async fn folder_started(path: &Path) -> Box<dyn Destination> {
    let mut destination = folder_destination(path).await;
    start(&mut destination).await.unwrap();
    destination
}

fn files(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

/// One committed build and state 1.
async fn committed(path: &Path) {
    let mut destination = folder_started(path).await;
    write(&mut destination, "builds", "{\"id\": 1}").await;
    destination.commit(Some(&state(1))).await.unwrap();
}

#[tokio::test]
async fn each_stream_has_a_file_of_bare_records_beside_the_state() {
    let (_folder, path) = place("out");
    committed(&path).await;

    assert_eq!(files(&path), ["_state.json", "builds.jsonl", "jobs.jsonl"]);
    assert_eq!(text(&path.join("builds.jsonl")), "{\"id\": 1}\n");
    let kept: serde_json::Value = serde_json::from_str(&text(&path.join("_state.json"))).unwrap();
    let state: serde_json::Value = serde_json::from_str(STATE_1).unwrap();
    assert_eq!(
        kept,
        json!({"version": 1, "syncs": {"s": state}, "lengths": {"builds": 10, "jobs": 0}})
    );
}

#[tokio::test]
async fn uncommitted_records_are_removed_by_the_next_start() {
    let (_folder, path) = place("out");
    committed(&path).await;
    let line = "{\"id\": 2}\n";
    for cut in 0..=line.len() {
        append(&path.join("builds.jsonl"), &line.as_bytes()[..cut]);
        append(&path.join("jobs.jsonl"), line.as_bytes());

        let found = start(&mut folder_destination(&path).await).await;

        assert_eq!(found.unwrap(), Some(state(1)));
        assert_eq!(text(&path.join("builds.jsonl")), "{\"id\": 1}\n");
        assert_eq!(text(&path.join("jobs.jsonl")), "");
    }
}

#[tokio::test]
async fn a_sync_that_was_killed_before_its_first_commit_starts_over() {
    let (_folder, path) = place("out");
    let mut first = folder_started(&path).await;
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(3_000_000));
    write(&mut first, "jobs", &long).await;
    drop(first);
    assert!(!text(&path.join("jobs.jsonl")).is_empty());

    assert_eq!(
        start(&mut folder_destination(&path).await).await.unwrap(),
        None
    );
    assert_eq!(text(&path.join("jobs.jsonl")), "");
}

#[tokio::test]
async fn syncing_again_appends_and_other_streams_are_left_alone() {
    let (_folder, path) = place("out");
    committed(&path).await;
    let mut second = folder_destination(&path).await;
    let found = second.start(&plan("other", &["builds", "agents"])).await;
    assert_eq!(found.unwrap(), None);
    write(&mut second, "builds", "{\"id\": 2}").await;
    second.commit(None).await.unwrap();
    drop(second);

    assert_eq!(
        start(&mut folder_destination(&path).await).await.unwrap(),
        Some(state(1))
    );
    assert_eq!(
        text(&path.join("builds.jsonl")),
        "{\"id\": 1}\n{\"id\": 2}\n"
    );
    assert!(path.join("agents.jsonl").exists());
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_nothing_changes() {
    let (_folder, path) = place("out");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("jobs.jsonl"), "{\"mine\":1}\n").unwrap();

    let error = refusal_of_start(&path).await;

    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("jobs.jsonl"), "{error}");
    assert_eq!(text(&path.join("jobs.jsonl")), "{\"mine\":1}\n");
    assert_eq!(files(&path), ["jobs.jsonl"]);
}

#[tokio::test]
async fn a_file_that_a_user_changed_is_refused_and_stays_as_it_is() {
    for (changed, kind) in [
        ("{\"id\":", ErrorKind::State),
        ("{\"id\": 1111}\n", ErrorKind::State),
        ("{\"id\": 1}\nnotes of mine\n", ErrorKind::Config),
    ] {
        let (_folder, path) = place("out");
        committed(&path).await;
        let file = path.join("builds.jsonl");
        fs::write(&file, changed).unwrap();

        let error = refusal_of_start(&path).await;

        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("builds.jsonl"), "{error}");
        assert_eq!(text(&file), changed);
    }
    let (_folder, path) = place("out");
    committed(&path).await;
    fs::remove_file(path.join("builds.jsonl")).unwrap();
    assert_eq!(refusal_of_start(&path).await.kind(), ErrorKind::State);
}

#[tokio::test]
async fn a_damaged_state_is_never_ignored() {
    let (_folder, path) = place("out");
    committed(&path).await;
    let whole = text(&path.join("_state.json"));
    let newer = whole.replace(
        "\"version\": 1,\n  \"syncs\"",
        "\"version\": 2,\n  \"syncs\"",
    );
    assert_ne!(newer, whole);
    for damaged in ["", "{}", &whole[..whole.len() / 2], &newer] {
        fs::write(path.join("_state.json"), damaged).unwrap();
        for error in [
            refusal_of_start(&path).await,
            destination(&path).await.check().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::State);
            assert!(error.to_string().contains("_state.json"), "{error}");
        }
        assert_eq!(text(&path.join("builds.jsonl")), "{\"id\": 1}\n");
    }
}

#[tokio::test]
async fn a_stream_whose_name_would_leave_the_folder_is_refused() {
    for name in ["../x", "a/b", "a\\b", ".hidden", "", "nul\0"] {
        let (_folder, path) = place("out");
        let mut destination = folder_destination(&path).await;
        let error = destination.start(&plan("s", &[name])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
    }
}

#[tokio::test]
async fn two_runs_cannot_write_to_one_folder_at_once() {
    let (_folder, path) = place("out");
    let first = folder_started(&path).await;
    assert_eq!(refusal_of_start(&path).await.kind(), ErrorKind::Conflict);
    drop(first);
    folder_started(&path).await;
}

#[tokio::test]
async fn a_check_creates_no_folder_and_a_start_creates_no_parents() {
    let (folder, path) = place("out");
    folder_destination(&path).await.check().await.unwrap();
    assert!(files(folder.path()).is_empty());

    let deep = folder.path().join("missing/out");
    let mut destination = folder_destination(&deep).await;
    assert_eq!(
        destination.check().await.unwrap_err().kind(),
        ErrorKind::Config
    );
    assert_eq!(
        start(&mut destination).await.unwrap_err().kind(),
        ErrorKind::Config
    );
}

#[tokio::test]
async fn a_stream_can_be_added_while_a_sync_runs_but_not_over_a_foreign_file() {
    let (_folder, path) = place("out");
    let mut destination = folder_started(&path).await;
    write(&mut destination, "builds", "{}").await;
    let agents = appended(stream("agents"));
    destination.add_stream(&agents).await.unwrap();
    destination.add_stream(&agents).await.unwrap();
    write(&mut destination, "agents", "{}").await;
    destination.commit(Some(&state(1))).await.unwrap();
    assert_eq!(text(&path.join("agents.jsonl")), "{}\n");
    assert_eq!(text(&path.join("builds.jsonl")), "{}\n");

    fs::write(path.join("teams.jsonl"), "{\"mine\":1}\n").unwrap();
    let refused = destination.add_stream(&appended(stream("teams"))).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(text(&path.join("teams.jsonl")), "{\"mine\":1}\n");
}

#[tokio::test]
async fn without_locks_the_commit_of_a_second_run_is_refused() {
    let (_folder, path) = place("out");
    committed(&path).await;
    let mut destination = folder_started(&path).await;
    write(&mut destination, "builds", "{\"id\": 2}").await;
    let others = text(&path.join("_state.json")).replace("\"builds\": 1", "\"builds\": 9");
    fs::write(path.join("_state.json"), &others).unwrap();

    let error = destination.commit(Some(&state(2))).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(text(&path.join("_state.json")), others);
    assert_eq!(text(&path.join("builds.jsonl")), "{\"id\": 1}\n");
}

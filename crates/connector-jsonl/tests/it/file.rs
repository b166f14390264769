//! One file as a destination.

use super::*;

const HEADER: &str = "{\"sync\":\"s\",\"state\":null}\n";

fn commit_line() -> String {
    format!("{{\"sync\":\"s\",\"state\":{STATE_1}}}\n")
}

#[tokio::test]
async fn records_keep_their_text_and_a_commit_follows_them() {
    let (_folder, path) = place("out.jsonl");
    let mut destination = started(&path).await;
    assert_eq!(text(&path), HEADER);

    write(
        &mut destination,
        "builds",
        "{\"n\": 9223372036854775808,\n\"é\":1.10}",
    )
    .await;
    write(&mut destination, "jobs", "{}").await;
    destination.commit(Some(&state(1))).await.unwrap();

    let expected = [
        HEADER,
        "{\"stream\":\"builds\",\"record\":{\"n\": 9223372036854775808, \"é\":1.10}}\n",
        "{\"stream\":\"jobs\",\"record\":{}}\n",
        &commit_line(),
    ];
    assert_eq!(text(&path), expected.concat());
}

#[tokio::test]
async fn what_a_killed_sync_left_is_removed_wherever_it_was_cut() {
    let (_folder, path) = place("out.jsonl");
    let mut destination = started(&path).await;
    write(&mut destination, "builds", "{\"id\":1}").await;
    destination.commit(Some(&state(1))).await.unwrap();
    drop(destination);
    let committed = text(&path);

    let lines = format!(
        "{{\"stream\":\"builds\",\"record\":{{\"id\":2}}}}\n{}",
        commit_line()
    );
    for cut in 0..lines.len() {
        fs::write(&path, [&committed, &lines[..cut]].concat()).unwrap();
        let found = start(&mut super::destination(&path).await).await;
        assert_eq!(found.unwrap(), Some(state(1)), "{cut}");
        assert_eq!(text(&path), committed, "{cut}");
    }
    append(&path, &[0; 5000]);
    assert_eq!(
        start(&mut super::destination(&path).await).await.unwrap(),
        Some(state(1))
    );
    assert_eq!(text(&path), committed);
}

#[tokio::test]
async fn uncommitted_records_are_removed_by_the_next_start() {
    let (_folder, path) = place("out.jsonl");
    let mut first = started(&path).await;
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(3_000_000));
    write(&mut first, "builds", &long).await;
    drop(first);
    assert!(text(&path).len() > 3_000_000);

    let mut second = destination(&path).await;
    assert_eq!(start(&mut second).await.unwrap(), None);
    assert_eq!(text(&path), HEADER);
}

#[tokio::test]
async fn an_incomplete_first_line_is_written_again() {
    for cut in 0..HEADER.len() {
        let (_folder, path) = place("out.jsonl");
        fs::write(&path, &HEADER[..cut]).unwrap();
        started(&path).await;
        let expected = if cut == HEADER.len() - 1 {
            None
        } else {
            Some(HEADER)
        };
        assert!(
            expected.is_none_or(|expected| text(&path) == expected),
            "{cut}"
        );
    }
}

#[tokio::test]
async fn syncing_again_appends_and_a_commit_without_a_state_keeps_the_last() {
    let (_folder, path) = place("out.jsonl");
    let mut first = started(&path).await;
    first.commit(Some(&state(1))).await.unwrap();
    drop(first);
    let mut second = started(&path).await;
    write(&mut second, "builds", "{\"id\":1}").await;
    second.commit(None).await.unwrap();
    drop(second);

    let mut third = destination(&path).await;
    assert_eq!(start(&mut third).await.unwrap(), Some(state(1)));
    let record = "{\"stream\":\"builds\",\"record\":{\"id\":1}}\n";
    let expected = [HEADER, &commit_line(), record, &commit_line()].concat();
    assert_eq!(text(&path), expected);
}

#[tokio::test]
async fn each_sync_has_its_own_state() {
    let (_folder, path) = place("out.jsonl");
    let mut first = started(&path).await;
    first.commit(Some(&state(1))).await.unwrap();
    drop(first);

    let mut other = destination(&path).await;
    assert_eq!(
        other.start(&plan("other", &["builds"])).await.unwrap(),
        None
    );
    write(&mut other, "builds", "{}").await;
    other.commit(Some(&state(2))).await.unwrap();
    drop(other);

    assert_eq!(
        start(&mut destination(&path).await).await.unwrap(),
        Some(state(1))
    );
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_stays_as_it_is() {
    for foreign in [
        "hello\n",
        "no line end",
        "\n",
        "{\"stream\":\"builds\",\"record\":{}}\n",
        "{\"sync\":\"s\"}",
        "{\"sync\":1,\"state\":null}\n",
        "{\"sync\":\"s\",\"state\":null}\nnotes of mine\n",
        "{\"sync\":\"s\",\"state\":null}\nnotes",
    ] {
        let (_folder, path) = place("out.jsonl");
        fs::write(&path, foreign).unwrap();

        let error = refusal_of_start(&path).await;

        assert_eq!(error.kind(), ErrorKind::Config, "{foreign}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        assert_eq!(text(&path), foreign);
    }
}

#[tokio::test]
async fn a_damaged_state_is_never_ignored() {
    let (_folder, path) = place("out.jsonl");
    drop(started(&path).await);
    append(&path, b"{\"sync\":\"s\",\"state\":{\"connector\":1}}\n");
    let before = text(&path);

    assert_eq!(refusal_of_start(&path).await.kind(), ErrorKind::State);
    assert_eq!(text(&path), before);
}

#[tokio::test]
async fn two_runs_cannot_write_to_one_file_at_once() {
    let (_folder, path) = place("out.jsonl");
    let first = started(&path).await;
    assert_eq!(refusal_of_start(&path).await.kind(), ErrorKind::Conflict);
    drop(first);
    started(&path).await;
}

#[tokio::test]
async fn a_check_changes_nothing_and_fails_like_a_start() {
    let (folder, path) = place("out.jsonl");
    destination(&path).await.check().await.unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    fs::write(&path, "hello\n").unwrap();
    let error = destination(&path).await.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(text(&path), "hello\n");

    let missing = folder.path().join("missing/out.jsonl");
    for error in [
        destination(&missing).await.check().await.unwrap_err(),
        refusal_of_start(&missing).await,
    ] {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("missing/out.jsonl"), "{error}");
    }
}

#[tokio::test]
async fn a_record_of_a_stream_outside_the_plan_is_rejected() {
    let (_folder, path) = place("out.jsonl");
    let mut destination = started(&path).await;
    let records = vec![record("agents", "{}"), record("jobs", "{}")];
    let outcomes = destination.write(records).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Rejected(why) if why.contains("its stream")));
    assert_eq!(outcomes[1], Outcome::Accepted);
}

#[tokio::test]
async fn a_stream_can_be_added_while_a_sync_runs() {
    let (_folder, path) = place("out.jsonl");
    let mut destination = started(&path).await;
    write(&mut destination, "builds", "{}").await;
    destination
        .add_stream(&appended(stream("agents")))
        .await
        .unwrap();
    write(&mut destination, "agents", "{}").await;
    destination.commit(Some(&state(1))).await.unwrap();
    destination.finish().await.unwrap();

    let lines = "{\"stream\":\"builds\",\"record\":{}}\n{\"stream\":\"agents\",\"record\":{}}\n";
    assert_eq!(text(&path), [HEADER, lines, &commit_line()].concat());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_reported_and_nothing_can_be_committed_after_it() {
    let path = Path::new("/dev/full");
    let mut destination = started(path).await;
    write(&mut destination, "builds", "{}").await;

    let full = destination.commit(Some(&state(1))).await.unwrap_err();
    let after = destination.commit(Some(&state(1))).await.unwrap_err();

    assert_eq!(full.kind(), ErrorKind::Io);
    let expected = "the disk is full; make room and sync again [path: /dev/full]";
    assert_eq!(full.to_string(), expected);
    assert_eq!(after.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn without_locks_the_commit_of_a_second_run_is_refused() {
    let (_folder, path) = place("out.jsonl");
    let mut destination = started(&path).await;
    write(&mut destination, "builds", "{\"id\":1}").await;
    append(&path, commit_line().as_bytes());

    let error = destination.commit(Some(&state(2))).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(text(&path), [HEADER, &commit_line()].concat());
}

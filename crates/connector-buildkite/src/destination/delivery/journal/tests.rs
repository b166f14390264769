use super::*;

const TO: &str = "builds acme/web";

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

fn seven() -> Done {
    Done {
        number: Some(7),
        ..Done::default()
    }
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().join("journal"));
    let journal = Journal::open(path.clone()).await.unwrap();
    for key in ["done", "refused", "open"] {
        journal.intend(TO, key, now()).await.unwrap();
    }
    journal.done(TO, "done", seven()).await.unwrap();
    journal.refused(TO, "refused").await.unwrap();
    journal.cover(TO, [], Some(now())).await.unwrap();
    let state = State::new("acme", 1);
    journal
        .commit("nightly", Default::default(), Some(&state))
        .await
        .unwrap();
    drop(journal);

    let journal = Journal::open(path).await.unwrap();
    assert_eq!(journal.entry(TO, "done"), Some(Entry::Done(seven())));
    assert_eq!(journal.entry(TO, "refused"), None);
    assert_eq!(journal.entry(TO, "open"), Some(Entry::Open(now())));
    assert_eq!(journal.entry("builds acme/other", "open"), None);
    assert_eq!(journal.covered(TO), Some(now()));
    assert_eq!(journal.state("nightly"), Some(state));
}

#[tokio::test]
async fn a_line_that_is_cut_off_is_dropped_and_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(Some(path.clone())).await.unwrap();
    journal.intend(TO, "one", now()).await.unwrap();
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let journal = Journal::open(Some(path.clone())).await.unwrap();
        assert_eq!(journal.entry(TO, "one"), None, "{end}");
    }

    std::fs::write(&path, [&whole[..first], b"{}\n", &whole[first..]].concat()).unwrap();
    let error = Journal::open(Some(path)).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains("line: 2"), "{error}");
}

#[tokio::test]
async fn two_senders_do_not_share_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().join("journal"));
    let _first = Journal::open(path.clone()).await.unwrap();
    let error = Journal::open(path).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("another process"), "{error}");
}

/// A build that is awaited.
fn awaited(key: &str) -> AwaitedBuild {
    AwaitedBuild {
        result: ResultKey {
            stream: "builds".to_owned(),
            key: key.to_owned(),
        },
        organization: "acme".to_owned(),
        pipeline: "web".to_owned(),
        done: seven(),
        outcome: "created".to_owned(),
        is_marked: true,
        since: now(),
    }
}

#[tokio::test]
async fn a_build_is_awaited_until_its_result_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().join("journal"));
    let journal = Journal::open(path.clone()).await.unwrap();
    for key in ["one", "two"] {
        journal.awaits("nightly", awaited(key)).await.unwrap();
    }
    let stored = vec![awaited("one").result];
    journal
        .commit("nightly", (stored, Vec::new()), None)
        .await
        .unwrap();
    drop(journal);
    let journal = Journal::open(path).await.unwrap();
    assert_eq!(journal.awaited("nightly"), [awaited("two")]);
    assert_eq!(journal.awaited("other"), []);
}

#[tokio::test]
async fn a_journal_of_version_1_goes_on_as_version_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let text = "{\"event\":\"journal\",\"version\":1}\n\
                {\"event\":\"intent\",\"to\":\"builds acme/web\",\"key\":\"k\",\"at\":\"1970-01-01T00:00:00Z\"}\n\
                {\"event\":\"done\",\"to\":\"builds acme/web\",\"key\":\"k\",\"done\":{\"number\":7}}\n";
    drop(Journal::open(Some(path.clone())).await.unwrap());
    std::fs::write(&path, text).unwrap();
    let journal = Journal::open(Some(path.clone())).await.unwrap();
    assert_eq!(journal.entry(TO, "k"), Some(Entry::Done(seven())));
    journal.awaits("nightly", awaited("k")).await.unwrap();
    drop(journal);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("{\"event\":\"journal\",\"version\":2}\n"),
        "{text}"
    );
    let journal = Journal::open(Some(path.clone())).await.unwrap();
    assert_eq!(journal.entry(TO, "k"), Some(Entry::Done(seven())));
    assert_eq!(journal.awaited("nightly").len(), 1);
    drop(journal);

    std::fs::write(&path, "{\"event\":\"journal\",\"version\":3}\n").unwrap();
    let error = Journal::open(Some(path)).await.err().unwrap();
    assert!(
        error.to_string().contains("use the newer program"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_superseded_is_left_out_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(Some(path.clone())).await.unwrap();
    for number in 0..500 {
        let state = State::new("acme", number);
        journal
            .commit("nightly", Default::default(), Some(&state))
            .await
            .unwrap();
    }
    journal.intend(TO, "open", now()).await.unwrap();
    journal.intend(TO, "done", now()).await.unwrap();
    journal.done(TO, "done", seven()).await.unwrap();
    journal.cover(TO, [], Some(now())).await.unwrap();
    journal.awaits("nightly", awaited("done")).await.unwrap();
    drop(journal);
    for _ in 0..2 {
        let journal = Journal::open(Some(path.clone())).await.unwrap();
        assert_eq!(journal.state("nightly"), Some(State::new("acme", 499)));
        assert_eq!(journal.entry(TO, "open"), Some(Entry::Open(now())));
        assert_eq!(journal.entry(TO, "done"), Some(Entry::Done(seven())));
        assert_eq!(journal.covered(TO), Some(now()));
        assert_eq!(journal.awaited("nightly"), [awaited("done")]);
        // The file is held also after it was written anew.
        let error = Journal::open(Some(path.clone())).await.err().unwrap();
        assert!(error.to_string().contains("another process"), "{error}");
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(lines, 6);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_others_can_write_or_is_no_file_is_refused_at_once() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let made = std::process::Command::new("mkfifo")
        .arg(at("pipe"))
        .status();
    assert!(made.unwrap().success());
    symlink(at("pipe"), at("link")).unwrap();
    for (path, part) in [
        (at("pipe"), "not a regular file"),
        (at("link"), "not a regular file"),
        (PathBuf::from("/dev/null"), "not a regular file"),
        (folder.path().to_owned(), "not a regular file"),
    ] {
        let error = Journal::open(Some(path.clone())).await.err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
        let error = Journal::read(path).await.err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
    drop(Journal::open(Some(at("journal"))).await.unwrap());
    let group_writable = std::fs::Permissions::from_mode(0o660);
    std::fs::set_permissions(at("journal"), group_writable).unwrap();
    let error = Journal::open(Some(at("journal"))).await.err().unwrap();
    assert!(error.to_string().contains("chmod go-w"), "{error}");

    // A link to a file of one's own is followed, and stays a link.
    std::fs::write(at("own"), "{\"event\":\"journal\",\"version\":1}\n").unwrap();
    std::fs::set_permissions(at("own"), std::fs::Permissions::from_mode(0o600)).unwrap();
    symlink(at("own"), at("to own")).unwrap();
    drop(Journal::open(Some(at("to own"))).await.unwrap());
    assert!(at("to own").is_symlink());
    assert!(
        std::fs::read_to_string(at("own"))
            .unwrap()
            .contains("\"version\":2")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_of_another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    drop(Journal::open(Some(path.clone())).await.unwrap());
    // Only the superuser can give a file away; /etc/hosts belongs to that one for everybody else.
    let other = match std::os::unix::fs::chown(&path, Some(12_345), None) {
        Ok(()) => path,
        Err(_) => PathBuf::from("/etc/hosts"),
    };
    let error = Journal::read(other).await.err().unwrap();
    assert!(error.to_string().contains("another user"), "{error}");
}

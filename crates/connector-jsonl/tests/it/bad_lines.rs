//! Lines that cannot be read, or do not count.

use connector_core::{Message, Result};

use super::source::{messages, names, records, request, source};
use super::*;

#[tokio::test]
async fn a_bad_line_is_an_error_with_its_number_after_the_records_before_it() {
    for (bad, first) in [
        ("{\"secret\":", "{\"id\":1}"),
        ("[\"secret\"]", "{\"id\":1}"),
        ("{} {\"secret\":1}", "{\"id\":1}"),
        (
            "{\"id\":\"secret\"}",
            "{\"stream\":\"things\",\"record\":{\"id\":1}}",
        ),
    ] {
        let (_folder, path) = place("things.jsonl");
        let good = format!("{first}\n");
        fs::write(&path, &good).unwrap();
        let source = source(&path).await;
        source.discover().await.unwrap();
        fs::write(&path, format!("{good}\n{bad}\n{good}")).unwrap();

        let read = messages(&source, request(&["things"])).await;

        assert_eq!(records(&read), ["things {\"id\":1}"]);
        let error = read.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        let shown = error.to_string();
        assert!(shown.contains("line: 3"), "{shown}");
        assert!(shown.contains("stream: things"), "{shown}");
        assert!(shown.contains("things.jsonl"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(read.iter().filter(|message| message.is_err()).count(), 1);
    }
}

#[tokio::test]
async fn a_line_that_is_not_utf8_is_an_error_with_its_number() {
    let (_folder, path) = place("things.jsonl");
    fs::write(&path, b"{\"id\":1}\n{\"id\":\"\xff\"}\n").unwrap();
    let read = messages(&source(&path).await, request(&["things"])).await;
    assert_eq!(records(&read), ["things {\"id\":1}"]);
    let error = read.last().unwrap().as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("UTF-8"), "{error}");
    assert!(error.to_string().contains("line: 2"), "{error}");
}

#[tokio::test]
async fn a_line_of_many_megabytes_is_read() {
    let (_folder, path) = place("things.jsonl");
    let long = format!("{{\"id\":\"{}\"}}", "é".repeat(8_000_000));
    fs::write(&path, format!("{long}\n{{}}\n")).unwrap();
    let read = messages(&source(&path).await, request(&["things"])).await;
    let expected = [format!("things {long}"), "things {}".to_owned()];
    assert!(records(&read) == expected);
}

#[tokio::test]
async fn a_bad_line_stops_neither_the_discovery_nor_the_records_before_it() {
    let good = "{\"id\":1}\n";
    for bad in [
        "{\"id\":2,\"na",
        "{\"id\":\n{\"id\":3}\n",
        "\u{0}\u{0}",
        "[1]",
    ] {
        for is_enveloped in [false, true] {
            let (_folder, path) = place("things.jsonl");
            let first = "{\"stream\":\"things\",\"record\":{\"id\":1}}\n";
            let good = if is_enveloped { first } else { good };
            fs::write(&path, format!("{good}{bad}")).unwrap();
            let source = source(&path).await;

            let catalog = source.discover().await.unwrap();
            let read = messages(&source, request(&["things"])).await;

            assert_eq!(names(&catalog), ["things"]);
            assert_eq!(records(&read), ["things {\"id\":1}"], "{bad}");
            let error = read.last().unwrap().as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(error.to_string().contains("line: 2"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_line_that_was_half_written_is_read_once_it_is_whole_and_nothing_is_repeated() {
    let (_folder, path) = place("things.jsonl");
    let lines: String = (0..1500).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    fs::write(&path, format!("{lines}{{\"id\":15")).unwrap();
    let source = source(&path).await;
    let read = messages(&source, request(&["things"])).await;
    assert_eq!(records(&read).len(), 1500);
    let error = read.last().unwrap().as_ref().unwrap_err();
    assert!(error.message().contains("not complete"), "{error}");
    assert!(error.to_string().contains("line: 1501"), "{error}");
    let Some(Ok(Message::Checkpoint(state))) = read.iter().rev().nth(1) else {
        panic!("no state covers what was read");
    };

    append(&path, b"00}\n");
    let rest = request(&["things"]).with_state(Some(state.clone()));
    let rest = messages(&source, rest).await;
    assert_eq!(records(&rest), ["things {\"id\":1500}"]);
    assert!(rest.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_file_in_utf16_is_refused_by_that_name() {
    let (_folder, path) = place("things.jsonl");
    let text = "\u{feff}{\"secret\":1}\n".encode_utf16();
    fs::write(&path, text.flat_map(u16::to_le_bytes).collect::<Vec<_>>()).unwrap();
    for refused in [
        source(&path).await.check().await.unwrap_err(),
        source(&path).await.discover().await.unwrap_err(),
    ] {
        assert_eq!(refused.kind(), ErrorKind::Data);
        let shown = refused.to_string();
        assert!(shown.contains("UTF-16; save it as UTF-8"), "{shown}");
        assert!(shown.contains("things.jsonl"), "{shown}");
    }
}

#[tokio::test]
async fn what_a_sync_has_not_committed_is_not_read_and_a_notice_says_so() {
    for (place_name, is_folder) in [("out.jsonl", false), ("out", true)] {
        let (_folder, path) = place(place_name);
        if is_folder {
            fs::create_dir(&path).unwrap();
        }
        let mut destination = started(&path).await;
        write(&mut destination, "builds", "{\"id\":1}").await;
        destination.commit(Some(&state(1))).await.unwrap();
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(600_000));
        write(&mut destination, "builds", &long).await;
        drop(destination);

        let notices = Notices::default();
        let setup = setup(path.to_str().unwrap()).with_observer(Arc::new(notices.clone()));
        let source = SourceRole::open(&Jsonl, setup).await.unwrap();
        let read = messages(&source, request(&["builds"])).await;

        assert_eq!(records(&read), ["builds {\"id\":1}"]);
        let heard = notices.heard();
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert!(heard[0].contains("has not committed"), "{heard:?}");
    }
}

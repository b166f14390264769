//! `sync`.

use super::shell::Shell;
use crate::Exit;

fn shell(records: &[&str]) -> Shell {
    let shell = Shell::new();
    shell.tickets.set_records(records);
    shell
}

#[test]
fn a_sync_ends_with_a_table_and_says_how_to_look_at_the_data() {
    let shell = shell(&["{\"id\":1}", "{\"id\":2}"]);
    let ran = shell.run(&["sync"]);
    assert_eq!(ran.exit, Exit::Complete, "{}", ran.err);
    assert_eq!(ran.out, "");
    let row = |name: &str| {
        let line = ran
            .err
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        line.unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(row("tickets"), "tickets 2 16 B 0 0 s complete");
    assert_eq!(row("total"), "total 2 16 B 0 0 s");
    assert!(
        ran.err
            .ends_with("Look into it:\n    look copy.db tickets\n"),
        "{}",
        ran.err
    );
}

#[test]
fn a_second_sync_resumes_under_the_name_of_the_source() {
    let shell = shell(&["{\"id\":1}"]);
    shell.answer(&["sync"]);
    shell
        .tickets
        .records
        .lock()
        .unwrap()
        .push("{\"id\":2}".to_owned());
    shell.answer(&["sync"]);
    let copy = shell.store.copy("copy.db").unwrap();
    assert_eq!(copy.rows.len(), 2);
    assert_eq!(copy.states.keys().collect::<Vec<_>>(), ["tickets"]);

    shell.answer(&["sync", "--restart", "--name", "other"]);
    let copy = shell.store.copy("copy.db").unwrap();
    assert_eq!(copy.rows.len(), 4);
    assert_eq!(copy.states.len(), 2);
}

#[test]
fn streams_are_those_of_the_flags_or_else_of_the_file() {
    let shell = shell(&[]);
    let file = shell.file(
        "a.toml",
        "[sync]\nstreams = [\"logs\"]\nname = \"nightly\"\n",
    );
    let ran = shell.run(&["sync", "--config", &file]);
    assert!(
        ran.err.contains("logs") && !ran.err.contains("users"),
        "{}",
        ran.err
    );
    assert!(
        shell
            .store
            .copy("copy.db")
            .unwrap()
            .states
            .contains_key("nightly")
    );
    let ran = shell.run(&["sync", "--config", &file, "--stream", "users"]);
    assert!(
        !ran.err.contains("logs") && ran.err.contains("users"),
        "{}",
        ran.err
    );
    let ran = shell.run(&["sync", "--all-streams"]);
    assert!(
        ran.err.contains("logs") && ran.err.contains("users"),
        "{}",
        ran.err
    );
    let refused = shell.refusal(Exit::Usage, &["sync", "--stream", "userss"]);
    assert!(refused.contains("did you mean `users`?"), "{refused}");
}

#[test]
fn rejected_records_are_reported_and_saved_in_a_file() {
    let shell = shell(&["{\"id\":1,\"title\":\"bad\"}", "{\"id\":2}"]);
    let letters = shell.path("rejected.jsonl");
    let ran = shell.run(&["sync", "--dead-letters", letters.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Complete, "{}", ran.err);
    let warning = "warning: tickets: 1 record rejected and saved: it is bad";
    assert!(ran.err.contains(warning), "{}", ran.err);
    let saved = std::fs::read_to_string(letters).unwrap();
    assert!(
        saved.ends_with("\"record\":{\"id\":1,\"title\":\"bad\"}}\n"),
        "{saved}"
    );
}

#[test]
fn a_record_that_a_copy_rejects_waits_beside_it_until_the_copy_accepts_it() {
    let shell = shell(&["{\"id\":1,\"title\":\"bad\"}", "{\"id\":2}"]);
    let copy = shell.path("copy").to_str().unwrap().to_owned();
    let beside = shell.path("copy.rejected.jsonl");
    let sync = ["sync", "--to", &format!("store:{copy}")];

    for _ in 0..2 {
        let ran = shell.run(&sync);
        assert_eq!(ran.exit, Exit::Partly, "{}", ran.err);
        assert!(ran.err.contains("1 rejected record in "), "{}", ran.err);
    }

    let saved = std::fs::read_to_string(&beside).unwrap();
    std::fs::write(&beside, saved.replace("\"bad\"", "\"good\"")).unwrap();
    let ran = shell.run(&sync);
    assert_eq!(ran.exit, Exit::Complete, "{}", ran.err);
    assert!(!beside.exists());
    let rows = shell.store.copy(&copy).unwrap().rows;
    let texts: Vec<_> = rows.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["{\"id\":2}", "{\"id\":1,\"title\":\"good\"}"]);
}

#[test]
fn a_dry_run_prints_each_request_and_sends_none() {
    let shell = shell(&["{\"id\":1.10,\"title\":\"\u{202e}x\u{9b}\"}"]);
    let printed = shell.answer(&["sync", "--to", "tickets", "--dry-run", "--project", "web"]);
    assert!(
        printed.starts_with("POST /tickets\n{\n  \"id\": 1.10,\n"),
        "{printed}"
    );
    assert!(printed.contains("\\u202ex\\u009b"), "{printed}");
    assert!(shell.tickets.sent.lock().unwrap().is_empty());

    shell.answer(&["sync", "--to", "tickets", "--project", "web"]);
    assert_eq!(shell.tickets.sent.lock().unwrap().len(), 1);
}

#[test]
fn results_go_where_the_flag_or_the_setting_says() {
    let shell = shell(&["{\"id\":1}"]);
    shell.answer(&["sync", "--to", "tickets", "--results", "store:results.db"]);
    let results = shell.store.copy("results.db").unwrap().rows;
    assert_eq!(results.len(), 1);
    assert!(results[0].1.contains("created"), "{results:?}");

    let file = shell.path("results.jsonl");
    let setting = format!("destination.results={}", file.display());
    shell.answer(&["sync", "--to", "tickets", "--set", &setting]);
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
}

#[test]
fn flags_for_a_destination_that_acts_are_refused_for_others() {
    let shell = shell(&[]);
    for flags in [&["--dry-run"][..], &["--results", "store:r.db"]] {
        let refused = shell.refusal(Exit::Usage, &[&["sync"], flags].concat());
        assert!(
            refused.contains("is for a destination that acts"),
            "{refused}"
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_sync_quietly() {
    let shell = shell(&["{\"id\":1}"]);
    let ran = shell.run(&["sync", "--to", "store:-"]);
    assert_eq!(ran.exit, Exit::Complete);
    assert!(!ran.err.contains("error"), "{}", ran.err);
    let refused = shell.refusal(Exit::Machine, &["sync", "--to", "store:full"]);
    assert!(refused.contains("error: the disk is full"), "{refused}");

    let shell = shell.with_closed_output();
    let ran = shell.run(&["sync", "--to", "tickets", "--dry-run"]);
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Complete, ""));
    assert!(!ran.err.contains("error"), "{}", ran.err);
}

#[test]
fn a_quiet_sync_says_only_what_is_wrong() {
    let shell = shell(&["{\"id\":1}"]);
    let ran = shell.run(&["-q", "sync"]);
    assert_eq!(ran.exit, Exit::Complete);
    assert_eq!(ran.out, "");
    assert_eq!(ran.err, "warning: read \\u001b[31mme\\u202e\n");
}

#[test]
fn a_rejected_credential_brings_the_advice_of_its_connector() {
    let shell = shell(&[]);
    *shell.tickets.rejects.lock().unwrap() = true;
    let refused = shell.refusal(Exit::Credential, &["sync"]);
    assert!(
        refused.contains("error: the key is rejected\nCreate a key at"),
        "{refused}"
    );

    let shell = Shell::new().without_token();
    let refused = shell.refusal(Exit::Credential, &["sync"]);
    assert!(
        refused.contains("TICKETS_TOKEN is not set\nCreate a key"),
        "{refused}"
    );
    assert!(shell.store.copy("copy.db").is_none());
}

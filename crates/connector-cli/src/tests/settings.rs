//! Flags, variables and files.

use super::shell::{Shell, TOKEN};
use crate::Exit;

#[test]
fn a_flag_precedes_a_variable_and_a_variable_the_file() {
    let shell = Shell::new()
        .with_variable("TOY_CONNECTOR_PROJECTS", "b, c")
        .with_variable("TOY_CONNECTOR_PAGE_SIZE", "20");
    let file = "projects = [\"a\"]\npage_size = 10\nbase_url = \"https://file\"";
    let file = shell.file("sync.toml", file);

    shell.answer(&["check", "--config", &file]);
    let opened = shell.tickets.last_opened();
    assert_eq!(opened.projects, ["b", "c"]);
    assert_eq!(opened.page_size, Some(20));
    assert_eq!(opened.base_url.as_deref(), Some("https://file"));

    shell.answer(&[
        "check",
        "--config",
        &file,
        "--project",
        "d",
        "--project",
        "e,f",
    ]);
    assert_eq!(shell.tickets.last_opened().projects, ["d", "e", "f"]);
    shell.answer(&["check", "--set", "page_size=7"]);
    assert_eq!(shell.tickets.last_opened().page_size, Some(7));
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let shell = Shell::new().with_variable("TOY_CONNECTOR_PAGE_SIZE", "");
    shell.answer(&["check"]);
    assert_eq!(shell.tickets.last_opened().page_size, None);
}

#[test]
fn a_variable_is_for_the_destination_if_the_source_has_no_such_setting() {
    let shell = Shell::new()
        .with_variable("TOY_CONNECTOR_PATH", "other.db")
        .with_variable("TOY_CONNECTOR_DESTINATION_PAGE_SIZE", "many");
    let refused = shell.refusal(Exit::Usage, &["sync"]);
    assert!(
        refused.contains("[variable: TOY_CONNECTOR_DESTINATION_PAGE_SIZE, value: \"many\"]"),
        "{refused}"
    );
    let shell = Shell::new().with_variable("TOY_CONNECTOR_PATH", "other.db");
    shell.answer(&["sync"]);
    assert!(shell.store.copy("other.db").is_some());
}

#[test]
fn a_flag_is_for_the_side_whose_connector_declares_it() {
    let shell = Shell::new();
    shell
        .tickets
        .records
        .lock()
        .unwrap()
        .push("{\"id\":1}".to_owned());
    // Both sides are tickets: the source declares it first, and the address is that of both.
    let both = [
        "sync",
        "--to",
        "tickets",
        "--project",
        "web",
        "--base-url",
        "https://a",
    ];
    shell.answer(&both);
    let opened = shell.tickets.opened.lock().unwrap().clone();
    let [source, destination] = &opened[opened.len() - 2..] else {
        panic!("{opened:?}");
    };
    assert_eq!(source.projects, ["web"]);
    assert_eq!(destination.project, None);
    assert_eq!(source.base_url, destination.base_url);
}

#[test]
fn an_address_of_the_destination_is_its_own_and_no_credential_goes_there() {
    let shell = Shell::new().without_token();
    shell.add_credential("acme");
    let sync = ["sync", "--to", "tickets", "--credential", "acme"];
    shell.answer(&sync);
    assert!(shell.tickets.last_opened().has_credential);

    let elsewhere = ["--set", "destination.base_url=https://elsewhere"];
    let refused = shell.refusal(Exit::Credential, &[&sync[..], &elsewhere].concat());
    assert!(refused.contains("TICKETS_TOKEN is not set"), "{refused}");
}

#[test]
fn a_flag_that_nobody_has_use_for_says_who_has() {
    let shell = Shell::new();
    let file = shell.file("in.toml", "[source]\nconnector = \"tickets\"\n");
    shell.answer(&["discover", "--config", &file, "--since", "2026-01-01"]);
    let program = shell.program().with_default_source("store:x");
    let ran = shell.run_program(
        program,
        &["discover", "--from", "tickets", "--since", "2026-01-01"],
    );
    assert_eq!(ran.exit, Exit::Complete, "{}", ran.err);

    let refused = shell.refusal(Exit::Usage, &["sync", "--since", "1", "--from", "store:x"]);
    assert!(
        refused.contains("`store` cannot be used as a source"),
        "{refused}"
    );
}

#[test]
fn a_relative_date_is_resolved_before_the_connector_sees_it() {
    let shell = Shell::new();
    for (since, expected) in [
        ("2026-01-31", "2026-01-31"),
        ("yesterday", "T00:00:00Z"),
        ("7 days ago", "Z"),
    ] {
        shell.answer(&["check", "--since", since]);
        let start = shell.tickets.last_opened().start.unwrap();
        assert!(start.ends_with(expected), "{start}");
    }
    let file = shell.file("since.toml", "start = \"2w\"");
    shell.answer(&["check", "--config", &file]);
    assert!(shell.tickets.last_opened().start.unwrap().ends_with('Z'));
}

#[test]
fn an_error_speaks_of_the_flag_and_quotes_the_value() {
    let shell = Shell::new();
    for (arguments, says) in [
        (
            &["--since", "7x"][..],
            "must be a date [flag: --since, value: \"7x\"]",
        ),
        (
            &["--project", "a", "--project", "ACME"],
            "must be in lower case [flag: --project, value: \"ACME\"]",
        ),
        (
            &["--set", "projects=[\"ACME\"]"],
            "must be in lower case [key: projects[0], value: \"ACME\"]",
        ),
        (
            &["--set", "page_size=300"],
            "expected a whole number from 0 to 255 [key: page_size, value: 300]",
        ),
        (
            &["--set", "page_sizes=3"],
            "unknown key `page_sizes`, did you mean `page_size`?",
        ),
    ] {
        let refused = shell.refusal(Exit::Usage, &[&["check"], arguments].concat());
        assert!(refused.contains(says), "{refused}");
    }
}

#[test]
fn a_secret_is_neither_an_argument_nor_in_an_error() {
    let shell = Shell::new();
    for arguments in [&["check", TOKEN][..], &["check", "--project", TOKEN]] {
        let refused = shell.refusal(Exit::Usage, arguments);
        assert!(refused.contains("an argument holds a secret"), "{refused}");
    }
    let refused = shell.refusal(Exit::Usage, &["check", "--set", "api_key=other"]);
    assert!(
        refused.contains("a secret must not be an argument"),
        "{refused}"
    );

    let file = shell.file("a.toml", "projects = [\"tkt_OTHER\"]\napi_key = 7\n");
    let refused = shell.refusal(Exit::Usage, &["check", "--config", &file]);
    assert!(
        !refused.contains("tkt_OTHER") && !refused.contains('7'),
        "{refused}"
    );
    let file = shell.file("b.toml", "projects = [\"tkt_OTHER\"]");
    let refused = shell.refusal(Exit::Usage, &["check", "--config", &file]);
    assert!(refused.contains("[key: projects[0]]"), "{refused}");
}

#[test]
fn a_path_without_its_connector_is_answered_with_both() {
    let shell = Shell::new();
    let refused = shell.refusal(Exit::Usage, &["sync", "--to", "copy.db"]);
    assert!(
        refused.contains("did you mean `store:copy.db`?"),
        "{refused}"
    );
    let refused = shell.refusal(Exit::Usage, &["sync", "--to", "stor:copy.db"]);
    assert!(
        refused.contains("did you mean `store`?; connectors: store, tickets"),
        "{refused}"
    );
    let refused = shell.refusal(Exit::Usage, &["check", "--from", "tickets:here"]);
    assert!(
        refused.contains("the source `tickets` has no location"),
        "{refused}"
    );
}

#[test]
fn the_home_folder_is_expanded_in_a_location() {
    let shell = Shell::new();
    shell.answer(&["sync", "--to", "store:~/copy.db"]);
    assert!(shell.store.copy("~/copy.db").is_none());
}

#[test]
fn flags_and_file_must_name_one_connector() {
    let shell = Shell::new();
    let file = shell.file(
        "a.toml",
        "[destination]\nconnector = \"store\"\npath = \"file.db\"\n",
    );
    shell.answer(&["sync", "--config", &file]);
    assert!(shell.store.copy("file.db").is_some());
    shell.answer(&["sync", "--config", &file, "--to", "store:flag.db"]);
    assert!(shell.store.copy("flag.db").is_some());
    let refused = shell.refusal(Exit::Usage, &["sync", "--config", &file, "--to", "tickets"]);
    assert!(refused.contains("change one of them"), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_secret_in_a_file_that_others_can_read_brings_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let shell = Shell::new().without_token();
    let file = shell.file("a.toml", "api_key = \"k\"");
    for (mode, warns) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let ran = shell.run(&["check", "--config", &file]);
        assert_eq!(ran.exit, Exit::Complete, "{}", ran.err);
        assert_eq!(ran.err.contains("chmod 600"), warns, "{}", ran.err);
    }
}

//! Every failure says what, where and what to do; and no output ever holds the token.

use std::fs;
use std::path::Path;

use mock_buildkite::{Fault, Token, World};

use crate::support::{Echo, Ended, Fake, Lines, Warehouse, world};

const SECRET: &str = "bkua_5e7c0ffee5ca1ab1e0123456789abcdef";

fn small_world() -> World {
    let mut world = world(30, 2, 1);
    world.add_token(Token::new(SECRET));
    world
}

/// A program that is run as its user would, and with all of its log.
struct Case {
    fake: Fake,
    folder: tempfile::TempDir,
    token: &'static str,
}

impl Case {
    fn new() -> Self {
        Self {
            fake: Fake::start(small_world()),
            folder: tempfile::tempdir().unwrap(),
            token: SECRET,
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.fake.run_as(self.token, self.folder(), arguments)
    }

    /// Expects this end, quiet and loud, and the token nowhere.
    fn assert_ends(&self, arguments: &[&str], code: i32, says: &[&str]) {
        for volume in [&[][..], &["-vvv"], &["-q"]] {
            let ended = self.run(&[arguments, volume].concat());
            ended.assert_code(code).assert_says(says);
            self.assert_kept(&ended);
        }
    }

    fn assert_kept(&self, ended: &Ended) {
        let kept = |text: &str| !text.contains(self.token);
        assert!(kept(&ended.stdout), "on stdout");
        assert!(kept(&ended.stderr), "{}", ended.stderr);
        for entry in fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(kept(&String::from_utf8_lossy(&bytes)), "{}", path.display());
        }
    }
}

#[test]
fn a_sync_that_succeeds_keeps_the_secret() {
    let case = Case::new();
    for to in ["sqlite:all.db", "jsonl:all.jsonl", "jsonl:-"] {
        case.assert_ends(&["sync", "--to", to], 0, &[]);
    }
    assert!(case.folder().join("all.db").exists());
    assert!(!Lines::read(&case.folder().join("all.jsonl")).0.is_empty());
}

#[test]
fn a_wrong_token_is_told_with_where_to_make_one() {
    let case = Case {
        token: "bkua_0ther5ecret",
        ..Case::new()
    };
    let says = [
        "error: Buildkite does not accept the API token (401)",
        "stream: organizations",
        "path: /v2/organizations",
        "Create a token in Buildkite",
    ];
    case.assert_ends(&["sync", "--to", "sqlite:all.db"], 3, &says);
    case.assert_ends(&["check"], 3, &says[..1]);
}

#[test]
fn a_missing_scope_is_named() {
    let case = Case::new();
    let scopes = ["read_organizations", "read_pipelines"];
    let narrow = |token: Token| token.scopes(scopes);
    case.fake
        .with_world(|world| world.change_token(SECRET, narrow));
    let says = [
        "error: ",
        "the token needs the scope read_builds",
        "stream: builds",
        "path: /v2/organizations/acme-inc/builds",
    ];
    case.assert_ends(&["sync", "--to", "sqlite:all.db"], 3, &says);
}

#[test]
fn an_unknown_organization_or_pipeline_names_the_flag_and_what_is_allowed() {
    let case = Case::new();
    let arguments = ["sync", "--to", "sqlite:a", "--organization", "nowhere"];
    let says = [
        "flag: --organization, value: \"nowhere\"",
        "it sees: acme-inc",
        "stream: organizations",
    ];
    case.assert_ends(&arguments, 2, &says);

    let arguments = ["sync", "--to", "sqlite:a", "--pipeline", "nowhere"];
    case.assert_ends(
        &arguments,
        2,
        &["flag: --pipeline, value: \"nowhere\"", "expected the slug"],
    );
}

#[test]
fn the_token_is_not_sent_without_tls() {
    let case = Case::new();
    let arguments = [
        "sync",
        "--to",
        "sqlite:a",
        "--base-url",
        "http://example.com",
    ];
    case.assert_ends(
        &arguments,
        2,
        &["flag: --base-url", "must begin with https://"],
    );
}

#[test]
fn the_token_does_not_follow_a_link_to_another_host() {
    let case = Case::new();
    let (other, next) = (Fake::start(small_world()), "/organizations");
    let link = Fault::NextLinkTo(other.uri().to_owned());
    case.fake.fail(link, u32::MAX, next);
    let says = [
        "error: ",
        "path: /v2/organizations",
        "stream: organizations",
    ];
    case.assert_ends(&["sync", "--to", "sqlite:a"], 1, &says);
    assert_eq!(other.requests(), []);

    case.fake.clear_faults();
    let redirect = Fault::Redirect(format!("{}/v2/organizations", other.uri()));
    case.fake.fail(redirect, u32::MAX, next);
    case.assert_ends(
        &["sync", "--to", "sqlite:a"],
        1,
        &["a redirect, which is not followed"],
    );
    assert_eq!(other.requests(), []);
}

#[test]
fn a_server_that_repeats_the_token_does_not_get_it_into_the_output() {
    let case = Case::new();
    for (status, code) in [(401, 3), (403, 3), (404, 2), (422, 1)] {
        let echo = Echo::start(case.fake.runtime(), status);
        let arguments = ["sync", "--to", "sqlite:a", "--base-url", echo.uri()];
        let says = [&*format!("({status})"), "Bearer [REDACTED]"];
        case.assert_ends(&arguments, code, &says);
    }
}

#[cfg(unix)]
#[test]
fn a_database_that_cannot_be_written_to_is_named() {
    let case = Case::new();
    case.assert_ends(
        &["sync", "--to", "sqlite:none/all.db"],
        2,
        &["path: none/all.db", "create it"],
    );

    case.fake.sync(case.folder(), "sqlite:all.db");
    let path = case.folder().join("all.db");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let is_root = fs::OpenOptions::new().write(true).open(&path).is_ok();
    // To the superuser nothing is read-only.
    if !is_root {
        case.assert_ends(&["sync", "--to", "sqlite:all.db"], 5, &["path: all.db"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_its_path() {
    let case = Case::new();
    let arguments = ["sync", "--to", "jsonl:/dev/full"];
    case.assert_ends(&arguments, 5, &["path: /dev/full"]);
}

#[test]
fn a_damaged_state_is_told_with_what_to_do() {
    let case = Case::new();
    let arguments = ["sync", "--to", "sqlite:all.db"];
    case.run(&arguments).assert_code(0);
    // Opened anew each time: reading the files takes its locks from an open database.
    let change = |sql: &str| Warehouse::open(&case.folder().join("all.db")).execute(sql);

    change("update _sync_state set state = substr(state, 1, 20)");
    let says = [
        "error: the saved state is damaged",
        "remove it to read everything again",
    ];
    case.assert_ends(&arguments, 5, &says);

    change(
        "update _sync_state set state = '{\"connector\":\"other\",\"version\":1,\"streams\":{}}'",
    );
    case.assert_ends(
        &arguments,
        5,
        &["the saved state was made by the connector `other`"],
    );
}

#[test]
fn a_damaged_file_of_lines_is_not_written_to() {
    let case = Case::new();
    let path = case.folder().join("all.jsonl");
    let arguments = ["sync", "--to", "jsonl:all.jsonl"];
    for text in ["{\"mine\":1}\n", "\u{0}\u{0}\u{0}\n"] {
        fs::write(&path, text).unwrap();
        let says = [
            "path: all.jsonl",
            "nothing was changed",
            "choose another path",
        ];
        case.assert_ends(&arguments, 2, &says);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

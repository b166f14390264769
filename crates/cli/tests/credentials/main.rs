//! Credentials as a user meets them: add, list, check, sync, rotate, sync again, remove.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

mod inspection;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mock_buildkite::{MockBuildkite, Seed, Token, World};

const FIRST: &str = "bkua_first5ecret";
const SECOND: &str = "bkua_second5ecret";

/// Runs the program with its store in `folder`, giving it `input`.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_buildkite-connector"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("BUILDKITE_API_TOKEN")
        .env("BUILDKITE_CONNECTOR_STORE", folder.join("store"))
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr];
    let text = texts.map(|text| String::from_utf8_lossy(text).into_owned());
    let text = text.concat();
    for secret in [FIRST, SECOND] {
        assert!(!text.contains(secret), "{text}");
    }
    text
}

fn succeeds(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    let text = said(&output);
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

fn fails(folder: &Path, arguments: &[&str], input: &str, code: i32) -> String {
    let output = run(folder, arguments, input);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

const ADD: [&str; 6] = [
    "credential",
    "add",
    "acme-read",
    "--keep-key-in",
    "file",
    "--description",
];

fn add(folder: &Path, key: &str) -> String {
    let arguments = [&ADD[..], &["for the warehouse"]].concat();
    succeeds(folder, &arguments, &format!("{key}\n"))
}

struct Fake {
    server: MockBuildkite,
    runtime: tokio::runtime::Runtime,
}

fn fake() -> Fake {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = World::seeded(&Seed {
        builds: 3,
        ..Seed::default()
    });
    let server = runtime.block_on(MockBuildkite::start(world));
    server.add_token(Token::new(FIRST));
    Fake { server, runtime }
}

#[test]
fn a_credential_is_added_checked_used_rotated_used_and_removed() {
    let fake = fake();
    let _guard = fake.runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let uri = fake.server.uri();

    let added = add(folder, FIRST);
    assert!(added.contains("it opens with the key file"), "{added}");
    let listed = succeeds(folder, &["credential", "list"], "");
    assert!(
        listed.contains("acme-read") && listed.contains("for the warehouse"),
        "{listed}"
    );
    let checked = succeeds(
        folder,
        &["credential", "check", "acme-read", "--base-url", uri],
        "",
    );
    assert!(checked.contains("Not needed here") && checked.contains("delete_packages"));
    assert!(
        checked.contains("reads") && checked.contains("builds"),
        "{checked}"
    );

    let sync = [
        "sync",
        "--credential",
        "acme-read",
        "--base-url",
        uri,
        "--to",
        "sqlite:a.db",
    ];
    succeeds(folder, &sync, "");

    fake.server.with_world(|world| world.revoke_token(FIRST));
    fake.server.add_token(Token::new(SECOND));
    fails(folder, &sync, "", 3);
    let rotated = succeeds(folder, &["credential", "rotate", "acme-read"], SECOND);
    assert!(rotated.contains("for the warehouse"), "{rotated}");
    let config = "[source]\ncredential = \"acme-read\"\n";
    fs::write(folder.join("a.toml"), config).unwrap();
    let by_file = [
        "sync",
        "--config",
        "a.toml",
        "--base-url",
        uri,
        "--to",
        "sqlite:a.db",
    ];
    succeeds(folder, &by_file, "");

    let remove = [
        "credential",
        "remove",
        "acme-read",
        "--revoke",
        "--base-url",
        uri,
    ];
    succeeds(folder, &remove, "");
    let gone = fails(folder, &by_file, "", 3);
    assert!(
        gone.contains("there is no credential with that name"),
        "{gone}"
    );
    let arguments = [&ADD[..], &["again"]].concat();
    succeeds(folder, &arguments, SECOND);
    let revoked = fails(folder, &by_file, "", 3);
    assert!(revoked.contains("(401)"), "it was revoked: {revoked}");
}

#[test]
fn mistakes_are_told_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fails(folder, &["credential", "list"], "", 3);
    add(folder, FIRST);
    let again = [&ADD[..], &["x"]].concat();
    for (arguments, input, code, part) in [
        (
            &again[..],
            SECOND,
            2,
            "the credential `acme-read` already exists",
        ),
        (&["credential", "add", "b"], "\n", 2, "empty"),
        (&["credential", "add", "a b"], SECOND, 2, "the name"),
        (&["credential", "show", "other"], "", 3, "acme-read"),
        (&["credential", "rotate", "other"], SECOND, 3, "acme-read"),
        (&["credential", "remove", "other"], "", 3, "acme-read"),
        (&["check", "--credential", "other"], "", 3, "acme-read"),
    ] {
        let text = fails(folder, arguments, input, code);
        assert!(text.contains(part), "{arguments:?}: {text}");
    }
    let listed = succeeds(folder, &["credential", "list", "--json"], "");
    assert_eq!(listed.matches("\"name\"").count(), 1, "{listed}");
}

#[cfg(unix)]
#[test]
fn a_store_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), FIRST);
    let file = folder.path().join("store/credentials.age");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();

    let text = fails(folder.path(), &["credential", "list"], "", 3);

    assert!(text.contains("chmod 600"), "{text}");
}

#[test]
fn a_passphrase_of_the_environment_opens_a_store_and_a_wrong_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let with = |passphrase: &str, arguments: &[&str], input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_buildkite-connector"));
        command
            .args(arguments)
            .env("BUILDKITE_CONNECTOR_STORE", folder.path().join("store"))
            .env("BUILDKITE_CONNECTOR_PASSPHRASE", passphrase)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        child.wait_with_output().unwrap()
    };
    let add = ["credential", "add", "a", "--keep-key-in", "passphrase"];
    assert!(with("open sesame", &add, FIRST).status.success());

    assert!(
        with("open sesame", &["credential", "show", "a"], "")
            .status
            .success()
    );
    let wrong = with("open barley", &["credential", "show", "a"], "");
    assert_eq!(wrong.status.code(), Some(3));
    assert!(said(&wrong).contains("passphrase"), "{}", said(&wrong));
}

#[test]
fn a_private_key_is_kept_and_signs() {
    const KEYS: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../buildkite-client/tests/it/keys/"
    );
    let key = fs::read_to_string(format!("{KEYS}only_for_tests.pem")).unwrap();
    let public = fs::read_to_string(format!("{KEYS}only_for_tests.pub.pem")).unwrap();
    let issuer = "0190aaaa-0000-4000-8000-000000000001";
    let fake = fake();
    let _guard = fake.runtime.enter();
    fake.server.add_token(Token::signed_by(issuer, &public));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let uri = fake.server.uri();

    let add = [
        "credential",
        "add",
        "signs",
        "--keep-key-in",
        "file",
        "--private-key-of",
        issuer,
    ];
    succeeds(folder, &add, &key);
    succeeds(
        folder,
        &["credential", "check", "signs", "--base-url", uri],
        "",
    );
    let sync = [
        "sync",
        "--credential",
        "signs",
        "--base-url",
        uri,
        "--to",
        "sqlite:a.db",
    ];
    let text = succeeds(folder, &sync, "");

    assert!(!text.contains(key.lines().nth(1).unwrap()), "{text}");
}

#[test]
fn a_sync_says_beforehand_which_streams_the_token_does_not_open() {
    let fake = fake();
    let _guard = fake.runtime.enter();
    fake.server
        .add_token(Token::new(SECOND).scopes(["read_organizations", "read_builds"]));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(folder, SECOND);

    let sync = [
        "sync",
        "--credential",
        "acme-read",
        "--base-url",
        fake.server.uri(),
        "--to",
        "sqlite:a.db",
    ];
    let text = fails(folder, &sync, "", 3);

    assert!(text.contains("pipelines will not be read"), "{text}");
    assert!(
        text.contains("one of these scopes: read_pipelines"),
        "{text}"
    );
    assert!(
        !text.contains("teams will not be read"),
        "it was not asked for: {text}"
    );
}

#[test]
fn a_credential_says_which_configuration_files_name_it() {
    let fake = fake();
    let _guard = fake.runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(folder, FIRST);
    let shown = succeeds(folder, &["credential", "show", "acme-read"], "");
    assert!(shown.contains("no known configuration file"), "{shown}");
    let uri = fake.server.uri();
    for file in ["one.toml", "two.toml"] {
        let text = format!(
            "[source]\ncredential = \"acme-read\"  # for the warehouse\nbase_url = \"{uri}\"\n\
             [destination]\nconnector = \"sqlite\"\npath = \"a.db\"\n"
        );
        fs::write(folder.join(file), text).unwrap();
        succeeds(
            folder,
            &["sync", "--config", file, "--stream", "pipelines"],
            "",
        );
    }
    // It no longer does.
    fs::write(folder.join("two.toml"), "[source]\n").unwrap();

    let shown = succeeds(folder, &["credential", "show", "acme-read"], "");
    assert!(
        shown.contains("one.toml") && !shown.contains("two.toml"),
        "{shown}"
    );
    let removed = succeeds(folder, &["credential", "remove", "acme-read"], "");
    assert!(
        removed.contains("one.toml names `acme-read` and fails"),
        "{removed}"
    );
}

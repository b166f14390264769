//! A plugin in a project of its own, outside the workspace: it compiles against the contract, the
//! conformance suite and the command line, passes the one and is driven by the other.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SUITE: &str = r#"
use connector_testkit::{Access, Reading, Suite};
use serde_json::json;

#[path = "../src/plugin/counter.rs"]
mod counter;

#[tokio::test]
async fn the_plugin_passes_the_suite() {
    let reading = Reading::new(Access::new(json!({}))).with_counts(&[("numbers", 5)]);
    let report = Suite::new(&counter::Counter).with_reading(reading).run().await;
    assert!(report.failed().is_empty(), "{report}");
}
"#;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

fn manifest() -> String {
    let crates = root().join("crates");
    let of = |name: &str| format!("{name} = {{ path = {:?} }}\n", crates.join(name));
    let [core, cli, jsonl, testkit] = [
        "connector-core",
        "connector-cli",
        "connector-jsonl",
        "connector-testkit",
    ]
    .map(of);
    format!(
        "[workspace]\n\n[package]\nname = \"counter-plugin\"\nversion = \"1.2.3\"\n\
         edition = \"2024\"\n\n[dependencies]\n{core}{cli}{jsonl}async-trait = \"0.1\"\n\
         futures = \"0.3\"\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         serde_json = \"1\"\n\n[dev-dependencies]\n{testkit}\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n"
    )
}

/// The project, with the example plugin and the versions of this workspace.
fn project(folder: &Path) {
    let examples = root().join("examples");
    fs::create_dir_all(folder.join("src/plugin")).unwrap();
    fs::create_dir(folder.join("tests")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest()).unwrap();
    fs::write(folder.join("tests/suite.rs"), SUITE).unwrap();
    for (from, to) in [
        (examples.join("plugin/counter.rs"), "src/plugin/counter.rs"),
        (examples.join("command_line.rs"), "src/main.rs"),
        (root().join("Cargo.lock"), "Cargo.lock"),
    ] {
        fs::copy(from, folder.join(to)).unwrap();
    }
}

fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", root().join("target/outside"))
        .env("CARGO_NET_OFFLINE", "true")
        .output()
        .unwrap();
    let told = [&output.stdout[..], &output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success(), "{arguments:?}: {told}");
    output
}

#[test]
#[ignore = "builds a project of its own, which takes minutes: .ci/run runs it"]
fn a_plugin_outside_the_workspace_has_a_command_line_and_passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());

    let tested = cargo(folder.path(), &["test", "--quiet"]);
    let told = String::from_utf8_lossy(&tested.stdout).into_owned();
    assert!(told.contains("1 passed"), "{told}");

    let run = |arguments: &[&str]| {
        let arguments = [&["run", "--quiet", "--"], arguments].concat();
        String::from_utf8(cargo(folder.path(), &arguments).stdout).unwrap()
    };
    let help = run(&["--help"]);
    for command in ["sync", "plan", "verify", "check", "discover", "sample"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    let checked = run(&["check", "--from", "counter"]);
    assert!(checked.contains("can be read"), "{checked}");
    let synced = run(&["sync", "--from", "counter", "--to", "jsonl:-"]);
    assert_eq!(synced.matches("\"square\"").count(), 5, "{synced}");
}

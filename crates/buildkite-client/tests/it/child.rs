//! Tests that need a process of their own: for its environment or its memory.

use std::process::Command;

/// Runs an ignored test of this executable with these variables, and expects it to pass.
pub(crate) fn assert_passes(test: &str, variables: &[(&str, &str)]) {
    let executable = std::env::current_exe().expect("this executable has a path");
    let mut command = Command::new(executable);
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    let output = command
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .envs(variables.iter().copied())
        .output()
        .expect("this executable can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "there is no test {test}: {text}");
}

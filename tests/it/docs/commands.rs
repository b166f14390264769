//! Every command line of this program in the documentation is one that it understands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::executable;

const PROGRAM: &str = "buildkite-connector";
/// What ends a command in a shell, or redirects it.
const OPERATORS: [&str; 7] = ["|", "||", "&&", ";", "<", ">", ">>"];

/// A command line, without the name of the program, and the page that shows it.
struct Shown {
    page: PathBuf,
    arguments: Vec<String>,
}

/// The Markdown files that people read.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = Vec::new();
    for folder in [".", "docs", "docs/hosts"] {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    pages
}

/// The lines of all `sh` blocks; a line that ends with a backslash goes on in the next.
fn shell_lines(markdown: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_shell = false;
    let joined = markdown.replace("\\\n", " ");
    for line in joined.lines().map(str::trim) {
        if line.starts_with("```") {
            is_shell = line == "```sh";
        } else if is_shell {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// The calls of the program in a line, started by its name or by `cargo run`.
fn calls(line: &str) -> Vec<Vec<String>> {
    let words = shlex::split(line).unwrap_or_else(|| panic!("not a command: {line}"));
    let mut calls = Vec::new();
    for command in words.split(|word| OPERATORS.contains(&word.as_str())) {
        let by_cargo = ["--bin".to_owned(), PROGRAM.to_owned(), "--".to_owned()];
        let started = command.windows(3).position(|words| *words == by_cargo);
        if let Some(at) = started {
            calls.push(command[at + 3..].to_vec());
        } else if command.first().is_some_and(|word| word == PROGRAM) {
            calls.push(command[1..].to_vec());
        }
    }
    calls
}

fn shown() -> Vec<Shown> {
    let mut shown = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for arguments in shell_lines(&text).iter().flat_map(|line| calls(line)) {
            let page = page.clone();
            shown.push(Shown { page, arguments });
        }
    }
    shown
}

/// What the program says against these arguments, if it does. `--help` comes last: what stands
/// before it is parsed, and nothing is run.
fn refusal(arguments: &[String]) -> Option<String> {
    let mut command = Command::new(executable(PROGRAM));
    let output = command.args(arguments).arg("--help").output().unwrap();
    let refusal = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then_some(refusal)
}

#[test]
fn every_command_in_the_documentation_is_understood() {
    let shown = shown();
    assert!(shown.len() > 15, "only {} commands were found", shown.len());
    for Shown { page, arguments } in shown {
        let refusal = refusal(&arguments);
        let line = arguments.join(" ");
        assert_eq!(refusal, None, "{}: {line}", page.display());
    }
}

#[test]
fn commands_that_are_not_understood_are_found() {
    for line in [
        "buildkite-connector snyc --demo",
        "echo x | buildkite-connector sync --to-where sqlite:a.db",
        "cargo run --bin buildkite-connector -- verify --samples many",
        "buildkite-connector credential ad acme",
    ] {
        let calls = calls(line);
        assert!(refusal(&calls[0]).is_some(), "{line}");
    }
    assert_eq!(
        shell_lines("```sh\na \\\n b # c\n```\n```toml\nd\n```"),
        ["a   b # c"]
    );
}

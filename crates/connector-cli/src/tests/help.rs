//! What the program says of itself.

use super::shell::Shell;
use crate::Exit;

const COMMANDS: [&str; 10] = [
    "sync",
    "plan",
    "verify",
    "status",
    "check",
    "credential",
    "discover",
    "sample",
    "completions",
    "man",
];

#[test]
fn the_long_help_of_every_command_lists_the_flags_and_the_exit_codes() {
    let shell = Shell::new();
    for command in COMMANDS {
        let help = shell.answer(&[command, "--help"]);
        assert!(help.contains("  130  stopped by"), "{help}");
        let reads = !["status", "credential", "completions", "man"].contains(&command);
        assert_eq!(help.contains("--project <KEY>"), reads, "{help}");
        assert_eq!(help.contains("[source]\n"), reads, "{help}");
        let writes = ["sync", "plan", "verify", "check"].contains(&command);
        assert_eq!(help.contains("[destination]\n"), writes, "{help}");
        assert_eq!(help.contains("--to <NAME:LOCATION>"), writes, "{help}");
    }
}

#[test]
fn only_copies_that_can_be_read_back_are_offered_for_a_comparison() {
    let shell = Shell::new();
    let help = shell.answer(&["verify", "--help"]);
    let copies = "Copy to compare: store:PATH, store:- [default: store:copy.db]";
    assert!(help.contains(copies), "{help}");
    let help = shell.answer(&["plan", "--help"]);
    assert!(
        help.contains("Destination: store:PATH, store:-, tickets"),
        "{help}"
    );
}

#[test]
fn a_flag_of_both_roles_says_what_it_means_to_each() {
    let shell = Shell::new();
    let help = shell.answer(&["sync", "--help"]);
    for line in [
        "tickets as a source: Project to read",
        "tickets as a destination: Project to write to",
        "[default: store:copy.db]",
        "connector = \"tickets\"",
    ] {
        assert!(help.contains(line), "{line} in {help}");
    }
    let help = shell.answer(&["discover", "--help"]);
    assert!(!help.contains("Project to write to"), "{help}");
}

#[test]
fn mistyped_commands_and_flags_are_answered_with_the_nearest() {
    let shell = Shell::new();
    let refused = shell.refusal(Exit::Usage, &["snc"]);
    assert!(refused.contains("'sync'"), "{refused}");
    let refused = shell.refusal(Exit::Usage, &["sync", "--projct", "a"]);
    assert!(refused.contains("'--project'"), "{refused}");
    let refused = shell.refusal(Exit::Usage, &["sync", "--\u{1b}[2J"]);
    assert!(!refused.contains('\u{1b}'), "{refused:?}");
}

#[test]
fn shells_complete_the_declared_flags() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish"] {
        let script = shell.answer(&["completions", name]);
        assert!(script.contains("toy-connector"), "{script}");
        assert!(script.contains("base-url"), "{script}");
    }
    shell.refusal(Exit::Usage, &["completions", "cmd.exe"]);
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let shell = Shell::new();
    let page = shell.answer(&["man"]);
    assert!(
        page.contains(".TH toy\\-connector 1") || page.contains(".TH toy-connector 1"),
        "{page}"
    );
    let page = shell.answer(&["man", "sync"]);
    assert!(page.contains("base\\-url"), "{page}");
    let refused = shell.refusal(Exit::Usage, &["man", "snyc"]);
    assert!(refused.contains("did you mean `sync`?"), "{refused}");
}

#[test]
fn the_version_is_that_of_the_program() {
    assert_eq!(Shell::new().answer(&["--version"]), "toy-connector 1.2.3\n");
}

/// What is specific to one vendor is in its plugin and in its program.
#[test]
fn no_vendor_is_named_here() {
    fn files(folder: &std::path::Path, all: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, all);
            } else {
                all.push(path);
            }
        }
    }
    let mut all = Vec::new();
    files(
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut all,
    );
    let vendor = ["build", "kite"].concat();
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(!text.contains(&vendor), "{}", path.display());
    }
}

//! Who may name Buildkite: its plugin, its client, its fake and the program.
//!
//! Everything else would serve any other system as well.

use std::fs;

use crate::sources::{packages, rust_files, shown};

const MAY_NAME_IT: [&str; 4] = [
    "connector-buildkite",
    "buildkite-client",
    "cli",
    "mock-buildkite",
];

#[test]
fn no_generic_crate_names_buildkite() {
    let mut names = Vec::new();
    for package in packages() {
        let folder = package.file_name().unwrap().to_string_lossy().into_owned();
        if MAY_NAME_IT.contains(&folder.as_str()) {
            continue;
        }
        for file in rust_files(&package.join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for (index, line) in text.lines().enumerate() {
                if line.to_lowercase().contains("buildkite") {
                    names.push(format!("{}:{}: {line}", shown(&file), index + 1));
                }
            }
        }
    }
    assert!(names.is_empty(), "{}", names.join("\n"));
}

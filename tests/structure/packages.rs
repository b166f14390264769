//! The rooms of the workspace: who may depend on whom.
//!
//! A dependency that is not in this table is a decision; it is made here, where it is seen.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::generated::{assert_table, table};

/// A package, and those of ours that it may depend on.
const ROOMS: [(&str, &[&str]); 18] = [
    ("credential", &[]),
    ("connector-core", &["credential"]),
    ("buildkite-client", &["credential"]),
    (
        "connector-buildkite",
        &["connector-core", "buildkite-client"],
    ),
    ("connector-local", &["connector-core"]),
    ("connector-sqlite", &["connector-core", "connector-local"]),
    ("connector-jsonl", &["connector-core", "connector-local"]),
    ("connector-testkit", &["connector-core"]),
    ("credential-store", &["credential"]),
    ("host-kit", &["connector-core"]),
    ("sync-runner", &["connector-core", "host-kit"]),
    ("host-airbyte", &["connector-core", "host-kit"]),
    ("host-singer", &["connector-core", "host-kit"]),
    (
        "connector-cli",
        &[
            "connector-core",
            "credential-store",
            "host-kit",
            "sync-runner",
        ],
    ),
    ("mock-buildkite", &[]),
    (
        "buildkite-connector",
        &[
            "connector-buildkite",
            "connector-cli",
            "connector-core",
            "connector-jsonl",
            "connector-sqlite",
            "host-airbyte",
            "host-kit",
            "host-singer",
            "mock-buildkite",
        ],
    ),
    ("structure", &[]),
    (
        "examples",
        &[
            "connector-buildkite",
            "connector-cli",
            "connector-core",
            "connector-jsonl",
            "connector-sqlite",
            "host-airbyte",
            "mock-buildkite",
            "sync-runner",
        ],
    ),
];

/// What the tests of every package may use.
const OPEN_TO_TESTS: [&str; 2] = ["connector-testkit", "mock-buildkite"];

/// Libraries from outside, and the only packages of ours that may use them.
const DOORS: [(&str, &[&str]); 8] = [
    ("jsonschema", &["connector-testkit"]),
    ("jsonwebtoken", &["buildkite-client", "mock-buildkite"]),
    ("keyring", &["credential-store"]),
    ("reqwest", &["buildkite-client"]),
    ("rusqlite", &["connector-sqlite"]),
    (
        "clap",
        &[
            "connector-cli",
            "host-airbyte",
            "host-singer",
            "mock-buildkite",
        ],
    ),
    ("wiremock", &["mock-buildkite"]),
    ("x25519-dalek", &["credential-store"]),
];

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(crate::sources::root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    metadata.packages
}

fn rooms() -> BTreeMap<&'static str, &'static [&'static str]> {
    ROOMS.into()
}

fn dependencies(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    let of_kind = package.dependencies.iter().filter(|d| d.kind == kind);
    of_kind.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn every_package_has_a_room() {
    let packages = packages();
    let present: BTreeSet<_> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let known: BTreeSet<_> = rooms().into_keys().collect();
    assert_eq!(present, known);
}

#[test]
fn nobody_depends_on_a_room_that_is_closed_to_them() {
    let rooms = rooms();
    for package in packages() {
        let allowed = rooms[package.name.as_str()];
        for kind in [DependencyKind::Normal, DependencyKind::Build] {
            for name in dependencies(&package, kind) {
                let is_allowed = !rooms.contains_key(name) || allowed.contains(&name);
                assert!(is_allowed, "{} must not depend on {name}", package.name);
            }
        }
        for name in dependencies(&package, DependencyKind::Development) {
            let is_allowed = !rooms.contains_key(name)
                || OPEN_TO_TESTS.contains(&name)
                || allowed.contains(&name);
            assert!(is_allowed, "tests of {} must not use {name}", package.name);
        }
    }
}

#[test]
fn each_way_out_of_the_program_has_one_door() {
    for package in packages() {
        for (library, users) in DOORS {
            let uses = dependencies(&package, DependencyKind::Normal).contains(library);
            let may = users.contains(&package.name.as_str());
            assert!(!uses || may, "{} must not use {library}", package.name);
        }
    }
}

#[test]
fn the_contract_needs_no_runtime_no_network_and_no_database() {
    let packages = packages();
    let core = packages
        .iter()
        .find(|p| p.name.as_str() == "connector-core");
    let uses = dependencies(core.unwrap(), DependencyKind::Normal);
    for library in ["tokio", "reqwest", "rusqlite", "clap", "tracing"] {
        assert!(!uses.contains(library), "{library}");
    }
}

/// A package as the README lists it: its folder and what it is for.
fn folder(package: &Package) -> Vec<String> {
    let root = crate::sources::root();
    let folder = package.manifest_path.parent().unwrap().as_std_path();
    let folder = folder.strip_prefix(&root).unwrap().display();
    let description = package.description.clone().unwrap_or_default();
    assert!(!description.is_empty(), "{folder} has no description");
    vec![format!("[`{folder}`]({folder})"), description]
}

#[test]
fn the_docs_list_every_package() {
    let mut rows: Vec<_> = packages().iter().map(folder).collect();
    rows.sort();
    let packages = table(&["folder", "what it is for"], rows);
    assert_table("README.md", "packages", &packages);
}

#[test]
fn the_docs_say_who_depends_on_whom() {
    let rows = ROOMS.iter().map(|(name, allowed)| {
        let allowed: Vec<_> = allowed.iter().map(|name| format!("`{name}`")).collect();
        vec![format!("`{name}`"), allowed.join(", ")]
    });
    let rooms = table(&["package", "may depend on"], rows);
    assert_table("docs/architecture.md", "who depends on whom", &rooms);
}

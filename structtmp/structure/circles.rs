//! No circles of sibling modules.
//!
//! A module and its own submodules may refer to each other: they are one thing in several files.
//! Two siblings that need each other are either one thing, or lack a third that both stand on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::module_tree::{ModulePath, ModuleTree};
use crate::sources::{packages, shown};

/// What one sibling refers to, all below it included.
type Siblings = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_two_sibling_modules_need_each_other() {
    let mut circles = Vec::new();
    for package in packages() {
        let source = package.join("src");
        for root in ["lib.rs", "main.rs"].map(|name| source.join(name)) {
            if root.is_file() {
                circles.extend(circles_of(&root));
            }
        }
    }
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n"));
}

fn circles_of(root: &Path) -> Vec<String> {
    let references = ModuleTree::read(root).references();
    let mut levels: BTreeMap<ModulePath, Siblings> = BTreeMap::new();
    for (from, to) in references {
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        // One of them contains the other.
        let (Some(user), Some(used)) = (from.get(shared), to.get(shared)) else {
            continue;
        };
        let siblings = levels.entry(from[..shared].to_vec()).or_default();
        let uses = siblings.entry(user.clone()).or_default();
        uses.insert(used.clone());
    }
    let in_level = |(parent, siblings): (ModulePath, Siblings)| {
        let place = format!("{} {}", shown(root), parent.join("::"));
        let circles = circles_among(&siblings).into_iter();
        circles
            .map(|circle| format!("{place}: {}", circle.join(" – ")))
            .collect::<Vec<_>>()
    };
    levels.into_iter().flat_map(in_level).collect()
}

/// Sets of siblings each of which reaches all others of its set.
fn circles_among(siblings: &Siblings) -> BTreeSet<Vec<String>> {
    let reached = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            for used in siblings.get(next).into_iter().flatten() {
                if seen.insert(used) {
                    open.push(used);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<_, _> = siblings.keys().map(|name| (name, reached(name))).collect();
    let in_circle = reach
        .iter()
        .filter(|(name, reached)| reached.contains(*name));
    let circle = |(name, reached): (&&String, &BTreeSet<&String>)| {
        let back = |other: &&&String| {
            reach
                .get(**other)
                .is_some_and(|reached| reached.contains(*name))
        };
        reached
            .iter()
            .filter(back)
            .map(|name| (*name).clone())
            .collect()
    };
    in_circle.map(circle).collect()
}

#[test]
fn a_circle_by_a_detour_is_found_and_a_line_is_none() {
    let siblings = |pairs: &[(&str, &str)]| {
        let mut siblings = Siblings::new();
        for (user, used) in pairs {
            let uses = siblings.entry((*user).to_owned()).or_default();
            uses.insert((*used).to_owned());
        }
        siblings
    };
    let line = siblings(&[("a", "b"), ("b", "c"), ("a", "c")]);
    assert!(circles_among(&line).is_empty());
    let detour = siblings(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]);
    let circle = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(circles_among(&detour), [circle].into());
}

#[test]
fn re_exports_are_followed_to_where_an_item_is_defined() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use b::*;");
    write("a.rs", "pub struct A; pub fn f(_: crate::B) {}");
    write("b.rs", "use crate::c; pub struct B; fn g() { c::h(); }");
    write("c.rs", "pub fn h() { let _ = super::A; }");
    let circles = circles_of(&folder.path().join("lib.rs"));
    assert_eq!(circles.len(), 1, "{circles:?}");
    assert!(circles[0].ends_with("a – b – c"), "{circles:?}");
}

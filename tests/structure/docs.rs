//! What the documentation promises: links that lead somewhere, a short README, code that compiles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::sources::{files_ending_with, root, rust_files, shown};

const LONGEST_README: usize = 150;

/// A Markdown file of the repository.
struct Page {
    path: PathBuf,
    /// Where its links lead, as written.
    links: Vec<String>,
    /// What a link into it can name after `#`.
    anchors: BTreeSet<String>,
    /// Its Rust code.
    rust: Vec<String>,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let mut page = Self {
            path,
            links: Vec::new(),
            anchors: BTreeSet::new(),
            rust: Vec::new(),
        };
        page.parse(&text);
        page
    }

    fn parse(&mut self, markdown: &str) {
        let mut headings = Headings::default();
        let (mut heading, mut code) = (None::<String>, None::<String>);
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    self.links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let title = heading.take().unwrap_or_default();
                    self.anchors.insert(headings.anchor(&title));
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    code = (&*language == "rust").then(String::new);
                }
                Event::End(TagEnd::CodeBlock) => self.rust.extend(code.take()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(into) = heading.as_mut().or(code.as_mut()) {
                        into.push_str(&text);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Turns headings into anchors as GitHub does.
#[derive(Default)]
struct Headings(BTreeMap<String, u32>);

impl Headings {
    fn anchor(&mut self, title: &str) -> String {
        let is_kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
        let kept: String = title.to_lowercase().chars().filter(is_kept).collect();
        let anchor = kept.replace(' ', "-");
        let seen = self.0.entry(anchor.clone()).or_default();
        *seen += 1;
        match *seen {
            1 => anchor,
            times => format!("{anchor}-{}", times - 1),
        }
    }
}

fn pages() -> BTreeMap<PathBuf, Page> {
    let paths = files_ending_with("md", &root());
    let pages = paths
        .into_iter()
        .map(|path| (path.clone(), Page::read(path)));
    pages.collect()
}

/// The file that a link from `page` names, and the anchor in it; `None` for a web address.
fn target(page: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor.to_owned())),
        None => (link, None),
    };
    if file.is_empty() {
        return Some((page.to_owned(), anchor));
    }
    let file = page.parent().unwrap().join(file);
    Some((file.canonicalize().unwrap_or(file), anchor))
}

/// What is wrong with the links of these pages.
fn broken(pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    let mut broken = Vec::new();
    for page in pages.values() {
        for link in &page.links {
            let Some((file, anchor)) = target(&page.path, link) else {
                continue;
            };
            let has =
                |anchor: &String| pages.get(&file).is_some_and(|p| p.anchors.contains(anchor));
            if !file.exists() {
                broken.push(format!("{}: {link}: no such file", shown(&page.path)));
            } else if anchor.as_ref().is_some_and(|anchor| !has(anchor)) {
                broken.push(format!("{}: {link}: no such heading", shown(&page.path)));
            }
        }
    }
    broken
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let pages = pages();
    let links: usize = pages.values().map(|page| page.links.len()).sum();
    assert!(links > 20, "only {links} links were found");
    let broken = broken(&pages);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let path = folder.join("a.md");
    let text = "# One `two`, three\n# Twice\n# Twice\n[1](#one-two-three) [2](#twice-1) [3](a.md) \
                [4](#twice-2) [5](b.md) [6](a.md#four) [7](https://example.com/#x)";
    fs::write(&path, text).unwrap();
    let pages = BTreeMap::from([(path.clone(), Page::read(path))]);
    let broken = broken(&pages).join("\n");
    for (link, is_broken) in [
        ("#one-two-three:", false),
        ("#twice-1:", false),
        (" a.md:", false),
        ("#twice-2: no such heading", true),
        ("b.md: no such file", true),
        ("a.md#four: no such heading", true),
        ("example.com", false),
    ] {
        assert_eq!(broken.contains(link), is_broken, "{link} in:\n{broken}");
    }
}

#[test]
fn the_readme_is_short() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lines = readme.lines().count();
    assert!(lines <= LONGEST_README, "{lines} lines");
}

/// Lines without their indentation, so that code can be shown from the middle of a function.
fn flush(code: &str) -> String {
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(String::from("\n"), |all, line| all + line + "\n")
}

/// CI compiles and runs the examples, so code that is cut from them is right.
#[test]
fn rust_code_in_the_documentation_is_cut_from_an_example() {
    let examples = rust_files(&root().join("examples"));
    let examples: Vec<_> = examples
        .iter()
        .map(|path| flush(&fs::read_to_string(path).unwrap()))
        .collect();
    let mut blocks = 0;
    for page in pages().values() {
        for code in &page.rust {
            blocks += 1;
            let is_cut = examples
                .iter()
                .any(|example| example.contains(&flush(code)));
            assert!(is_cut, "{}: not in examples/:\n{code}", shown(&page.path));
        }
    }
    assert!(blocks > 0, "no Rust code was found");
}

//! How long functions and files are.
//!
//! `cargo test -p structure sizes -- --nocapture` prints the figures. The median and the 90th
//! percentile are those of code that is shipped: a test is one story, told in one function.

use std::fs;
use std::path::PathBuf;

use syn::spanned::Spanned;
use syn::visit::Visit;

use crate::sources::{packages, root, rust_files, shown};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 80;
const MEDIAN_FUNCTION: usize = 8;
const P90_FUNCTION: usize = 22;

/// The functions of a file: name and lines, from `fn` to the closing brace.
#[derive(Default)]
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let from = signature.span().start().line;
        let to = block.span().end().line;
        self.0.push((signature.ident.to_string(), to - from + 1));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}

/// All Rust files of the project, and whether they are shipped: tests, benchmarks and examples are
/// not.
fn files() -> Vec<(PathBuf, bool)> {
    let mut files: Vec<_> = packages().iter().flat_map(|p| rust_files(p)).collect();
    files.extend(rust_files(&root().join("tests")));
    files.extend(rust_files(&root().join("examples")));
    let is_shipped = |file: &PathBuf| {
        let path = shown(file);
        let is_of = |folder: &str| path.contains(&format!("/{folder}"));
        path.contains("/src/")
            && !["tests", "test_", "benches", "examples"]
                .into_iter()
                .any(is_of)
    };
    let marked = files.into_iter().map(|file| {
        let shipped = is_shipped(&file);
        (file, shipped)
    });
    marked.collect()
}

/// How long functions are.
struct Lengths(Vec<usize>);

impl Lengths {
    fn at(&self, share: usize) -> usize {
        self.0[(self.0.len() - 1) * share / 100]
    }

    #[expect(clippy::print_stdout, reason = "figures for people")]
    fn print(&self, what: &str) {
        println!(
            "{} functions of {what}: median {} lines, p90 {}, longest {}",
            self.0.len(),
            self.at(50),
            self.at(90),
            self.at(100)
        );
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut too_long = Vec::new();
    let (mut shipped, mut others) = (Lengths(Vec::new()), Lengths(Vec::new()));
    for (file, is_shipped) in files() {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            too_long.push(format!("{}: {lines} lines", shown(&file)));
        }
        let mut functions = Functions::default();
        functions.visit_file(&syn::parse_file(&text).unwrap());
        let lengths = if is_shipped {
            &mut shipped
        } else {
            &mut others
        };
        for (name, lines) in functions.0 {
            lengths.0.push(lines);
            if lines > LONGEST_FUNCTION {
                too_long.push(format!("{}: fn {name} has {lines} lines", shown(&file)));
            }
        }
    }
    shipped.0.sort_unstable();
    others.0.sort_unstable();
    shipped.print("shipped code");
    others.print("tests, benchmarks and examples");
    assert!(too_long.is_empty(), "too long:\n{}", too_long.join("\n"));
    assert!(shipped.at(50) <= MEDIAN_FUNCTION);
    assert!(shipped.at(90) <= P90_FUNCTION);
}

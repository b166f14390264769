//! How long functions and files are.
//!
//! `cargo test -p e2e --test structure sizes -- --nocapture` prints the figures.

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

/// All Rust files of the project: shipped code, tests, benchmarks, examples.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = packages().iter().flat_map(|p| rust_files(p)).collect();
    
    
    files
}

#[test]
fn files_and_functions_are_short() {
    let mut too_long = Vec::new();
    let mut lengths = Vec::new();
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            too_long.push(format!("{}: {lines} lines", shown(&file)));
        }
        let mut functions = Functions::default();
        functions.visit_file(&syn::parse_file(&text).unwrap());
        for (name, lines) in functions.0 {
            lengths.push(lines);
            if lines > LONGEST_FUNCTION {
                too_long.push(format!("{}: fn {name} has {lines} lines", shown(&file)));
            }
        }
    }
    lengths.sort_unstable();
    let at = |share: usize| lengths[(lengths.len() - 1) * share / 100];
    let (median, p90) = (at(50), at(90));
    println!(
        "{} functions: median {median} lines, p90 {p90}, longest {}",
        lengths.len(),
        at(100)
    );
    assert!(too_long.is_empty(), "too long:\n{}", too_long.join("\n"));
    assert!(median <= MEDIAN_FUNCTION, "median {median}");
    assert!(p90 <= P90_FUNCTION, "p90 {p90}");
}

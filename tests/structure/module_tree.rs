//! The modules of a crate, and what each of them refers to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, UseTree};

/// A module's path below its crate; empty for the root.
pub(crate) type ModulePath = Vec<String>;

/// One module, without its submodules.
#[derive(Debug, Default)]
struct Module {
    children: BTreeSet<String>,
    /// What `use` brings into it: the name there, and the path as written.
    imports: Vec<(String, Vec<String>)>,
    /// Paths whose whole content is imported.
    globs: Vec<Vec<String>>,
    /// Every path with more than one segment.
    paths: BTreeSet<Vec<String>>,
}

/// The modules of a crate, tests left out.
#[derive(Debug, Default)]
pub(crate) struct ModuleTree {
    modules: BTreeMap<ModulePath, Module>,
}

impl ModuleTree {
    /// Reads a crate from its root file.
    pub(crate) fn read(root: &Path) -> Self {
        let mut tree = Self::default();
        tree.add_file(root, Vec::new(), root.parent().unwrap());
        tree
    }

    /// For each module, the modules that it refers to.
    pub(crate) fn references(&self) -> Vec<(ModulePath, ModulePath)> {
        let mut references = BTreeSet::new();
        for (path, module) in &self.modules {
            let imports = module.imports.iter().map(|(_, target)| target);
            for target in imports.chain(&module.globs).chain(&module.paths) {
                if let Some(target) = self.resolve(path, target, 0) {
                    references.insert((path.clone(), target));
                }
            }
        }
        references.into_iter().collect()
    }

    fn add_file(&mut self, file: &Path, path: ModulePath, folder: &Path) {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap();
        self.add_items(parsed.items, path, folder);
    }

    fn add_items(&mut self, items: Vec<Item>, path: ModulePath, folder: &Path) {
        let mut module = Module::default();
        let mut submodules = Vec::new();
        for item in items {
            if is_test(attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(submodule) => {
                    module.children.insert(submodule.ident.to_string());
                    submodules.push(submodule);
                }
                Item::Use(import) => module.add_import(&import.tree, Vec::new()),
                other => module.visit_item(&other),
            }
        }
        self.modules.insert(path.clone(), module);
        for submodule in submodules {
            self.add_submodule(submodule, &path, folder);
        }
    }

    fn add_submodule(&mut self, submodule: ItemMod, parent: &[String], folder: &Path) {
        let name = submodule.ident.to_string();
        let path = [parent, std::slice::from_ref(&name)].concat();
        let inner = folder.join(&name);
        match submodule.content {
            Some((_, items)) => self.add_items(items, path, &inner),
            None => self.add_file(&module_file(folder, &name), path, &inner),
        }
    }

    /// The module in which the item at `target`, as written in the module `from`, is defined;
    /// `None` if it is of another crate.
    fn resolve(&self, from: &[String], target: &[String], depth: usize) -> Option<ModulePath> {
        // A circle of re-exports would not compile.
        if depth > 16 {
            return None;
        }
        let (first, rest) = target.split_first()?;
        match first.as_str() {
            "crate" => self.walk(Vec::new(), rest, depth),
            "self" => self.walk(from.to_vec(), rest, depth),
            "super" => {
                let (_, parent) = from.split_last()?;
                if rest.first().is_some_and(|next| next == "super") {
                    self.resolve(parent, rest, depth + 1)
                } else {
                    self.walk(parent.to_vec(), rest, depth)
                }
            }
            name => {
                let module = &self.modules[from];
                if module.children.contains(name) {
                    return self.walk(from.to_vec(), target, depth);
                }
                let import = module.imports.iter().find(|(known, _)| known == name)?;
                let whole = [&import.1, rest].concat();
                self.resolve(from, &whole, depth + 1)
            }
        }
    }

    fn walk(&self, at: ModulePath, rest: &[String], depth: usize) -> Option<ModulePath> {
        let Some((next, after)) = rest.split_first() else {
            return Some(at);
        };
        let module = &self.modules[&at];
        if module.children.contains(next) {
            let child = [at, vec![next.clone()]].concat();
            return self.walk(child, after, depth);
        }
        let mut imports = module.imports.iter();
        if let Some((_, target)) = imports.find(|(name, _)| name == next) {
            return self.resolve(&at, target, depth + 1);
        }
        let from_globs = module.globs.iter().find_map(|glob| {
            let target = [glob.as_slice(), std::slice::from_ref(next)].concat();
            let found = self.resolve(&at, &target, depth + 1)?;
            (found != at).then_some(found)
        });
        // Anything else is defined right here.
        from_globs.or(Some(at))
    }
}

impl Module {
    fn add_import(&mut self, tree: &UseTree, mut prefix: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_import(&path.tree, prefix);
            }
            UseTree::Name(name) if name.ident == "self" => {
                let alias = prefix.last().cloned().unwrap_or_default();
                self.imports.push((alias, prefix));
            }
            UseTree::Name(name) => {
                let alias = name.ident.to_string();
                prefix.push(alias.clone());
                self.imports.push((alias, prefix));
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    prefix.push(rename.ident.to_string());
                }
                self.imports.push((rename.rename.to_string(), prefix));
            }
            UseTree::Glob(_) => self.globs.push(prefix),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_import(tree, prefix.clone());
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        let segments: Vec<_> = segments.map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.paths.insert(segments);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.add_import(&import.tree, Vec::new());
    }
}

fn module_file(folder: &Path, name: &str) -> PathBuf {
    let flat = folder.join(format!("{name}.rs"));
    if flat.is_file() {
        flat
    } else {
        folder.join(name).join("mod.rs")
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let is_cfg_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    };
    attributes.iter().any(is_cfg_test)
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

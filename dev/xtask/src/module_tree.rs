//! A crate's modules as a tree, each with what it imports and what it refers to.

use std::collections::BTreeMap;

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::source_file::{SourceFile, is_for_tests};

/// The modules below one crate root. The root has index 0.
#[derive(Debug, Default)]
pub(crate) struct ModuleTree {
    pub(crate) modules: Vec<Module>,
}

/// One module, in its own file or inline.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// Whether only tests compile it.
    pub(crate) is_for_tests: bool,
    /// Names that `use` brings in, by name.
    pub(crate) imports: Vec<Import>,
    /// Paths that start with `crate`, `super` or `self`, those of `use` too.
    pub(crate) references: Vec<Reference>,
}

/// `use a::b as name` is the path `[a, b]` under a name; a glob has the name `*`.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
}

/// A path in the code and its line.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

impl ModuleTree {
    /// Follows the `mod` declarations from a crate root such as `crates/x/src/lib.rs`. A declared file that is not there
    /// is left out: the compiler reports it.
    pub(crate) fn load(root: &str, sources: &BTreeMap<String, SourceFile>) -> Self {
        let mut tree = Self::default();
        if let Some(source) = sources.get(root) {
            let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
            let place = Place { file: root, folder: folder.to_owned(), parent: None, is_for_tests: false };
            tree.add("crate", place, &source.syntax.items, sources);
        }
        tree
    }

    /// The module that holds what `path` names, seen from module `from`; none when it is not in this crate.
    pub(crate) fn resolve(&self, from: usize, path: &[String]) -> Option<usize> {
        self.resolve_bounded(from, path, RESOLVE_STEPS_MAX)
    }

    /// Names from the root to a module: `crate::a::b`.
    pub(crate) fn full_name(&self, index: usize) -> String {
        let names: Vec<&str> = self.lineage(index).filter_map(|i| Some(self.modules.get(i)?.name.as_str())).collect();
        names.into_iter().rev().collect::<Vec<_>>().join("::")
    }

    /// The module and its ancestors, up to the root.
    pub(crate) fn lineage(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(index), |i| self.modules.get(*i)?.parent)
    }

    fn add(
        &mut self,
        name: &str,
        place: Place<'_>,
        items: &[syn::Item],
        sources: &BTreeMap<String, SourceFile>,
    ) -> usize {
        let index = self.modules.len();
        let mut reader = Reader::default();
        items.iter().for_each(|item| reader.visit_item(item));
        self.modules.push(Module {
            name: name.to_owned(),
            file: place.file.to_owned(),
            parent: place.parent,
            children: BTreeMap::new(),
            is_for_tests: place.is_for_tests,
            imports: reader.imports,
            references: reader.references,
        });
        for item in items {
            let syn::Item::Mod(declared) = item else { continue };
            let child_name = declared.ident.to_string();
            let Some(child) = self.add_child(index, &place, declared, sources) else { continue };
            if let Some(module) = self.modules.get_mut(index) {
                module.children.insert(child_name, child);
            }
        }
        index
    }

    fn add_child(
        &mut self,
        parent: usize,
        place: &Place<'_>,
        declared: &syn::ItemMod,
        sources: &BTreeMap<String, SourceFile>,
    ) -> Option<usize> {
        let name = declared.ident.to_string();
        let is_for_tests = place.is_for_tests || is_for_tests(&declared.attrs);
        let folder = format!("{}/{name}", place.folder);
        let parent = Some(parent);
        if let Some((_, items)) = &declared.content {
            return Some(self.add(&name, Place { file: place.file, folder, parent, is_for_tests }, items, sources));
        }
        let named = path_attribute(&declared.attrs).map(|path| format!("{}/{path}", place.folder));
        let candidates = named.into_iter().chain([format!("{folder}.rs"), format!("{folder}/mod.rs")]);
        let source = candidates.into_iter().find_map(|file| sources.get(&file))?;
        let place = Place { file: &source.path, folder, parent, is_for_tests };
        Some(self.add(&name, place, &source.syntax.items, sources))
    }

    fn resolve_bounded(&self, from: usize, path: &[String], steps: usize) -> Option<usize> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Some(0),
            "self" => Some(from),
            "super" => self.modules.get(from)?.parent,
            name => self.step(from, name, steps),
        }?;
        let Some((next, _)) = rest.split_first() else { return Some(start) };
        if next == "super" {
            return self.resolve_bounded(start, rest, steps);
        }
        let mut current = start;
        for name in rest {
            match self.step(current, name, steps) {
                Some(next) => current = next,
                None => break,
            }
        }
        Some(current)
    }

    /// From a module to what it calls `name`: a child, or wherever its `use` leads. None: its own item, or unknown.
    fn step(&self, from: usize, name: &str, steps: usize) -> Option<usize> {
        let module = self.modules.get(from)?;
        if let Some(child) = module.children.get(name) {
            return Some(*child);
        }
        let steps = steps.checked_sub(1)?;
        let imported = module.imports.iter().find(|import| import.name == name && !import.starts_with(name));
        imported.and_then(|import| self.resolve_bounded(from, &import.path, steps))
    }
}

impl Import {
    /// `use serde;` names itself: following it would go in a circle.
    fn starts_with(&self, name: &str) -> bool {
        self.path.first().is_some_and(|first| first == name)
    }
}

struct Place<'a> {
    file: &'a str,
    /// Where files of child modules stand.
    folder: String,
    parent: Option<usize>,
    is_for_tests: bool,
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("path")).find_map(|attribute| {
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) =
            &attribute.meta.require_name_value().ok()?.value
        else {
            return None;
        };
        Some(text.value())
    })
}

/// Reads the items of one module, but not of its child modules and tests.
#[derive(Default)]
struct Reader {
    imports: Vec<Import>,
    references: Vec<Reference>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let is_module = matches!(item, syn::Item::Mod(_));
        if !is_module && !is_for_tests(crate::source_file::item_attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.read_use(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.refer(segments, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.read_tokens(invocation.tokens.clone());
        visit::visit_macro(self, invocation);
    }
}

impl Reader {
    fn refer(&mut self, path: Vec<String>, line: usize) {
        let is_ours = matches!(path.first().map(String::as_str), Some("crate" | "super" | "self"));
        if is_ours && path.len() > 1 {
            self.references.push(Reference { path, line });
        }
    }

    fn read_use(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.read_use(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Name(name) => self.import(before, &name.ident.to_string(), None, line),
            syn::UseTree::Rename(name) => {
                self.import(before, &name.ident.to_string(), Some(name.rename.to_string()), line);
            }
            syn::UseTree::Glob(_) => self.import(before, "*", None, line),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.read_use(before, tree)),
        }
    }

    fn import(&mut self, before: &[String], last: &str, rename: Option<String>, line: usize) {
        let mut path = before.to_vec();
        if last != "self" && last != "*" {
            path.push(last.to_owned());
        }
        let own_name = path.last().filter(|_| last != "*").cloned();
        let name = rename.or(own_name).unwrap_or_else(|| "*".to_owned());
        self.refer(path.clone(), line);
        self.imports.push(Import { name, path });
    }

    /// Paths inside a macro's arguments, which have no syntax yet.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) if path.is_empty() || path.last().is_some_and(|last| last == "::") => {
                    line = ident.span().start().line;
                    path.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint => {
                    path.push("::".to_owned());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && path.last().is_some_and(|last| last == "::") => {}
                other => {
                    self.refer_tokens(&mut path, line);
                    match other {
                        TokenTree::Group(group) => self.read_tokens(group.stream()),
                        TokenTree::Ident(ident) => path.push(ident.to_string()),
                        _ => {}
                    }
                }
            }
        }
        self.refer_tokens(&mut path, line);
    }

    fn refer_tokens(&mut self, path: &mut Vec<String>, line: usize) {
        let segments = std::mem::take(path).into_iter().filter(|segment| segment != "::").collect();
        self.refer(segments, line);
    }
}

const RESOLVE_STEPS_MAX: usize = 32;

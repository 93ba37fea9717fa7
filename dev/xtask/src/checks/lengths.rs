//! Files and functions are short. Long functions of today stand in the ratchet: they may shrink, never grow.

use std::collections::BTreeMap;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::rules::{RATCHET_PATH, TIDY_PATH};
use crate::source_file::{SourceFile, is_for_tests, item_attributes};
use crate::{Finding, Repository};

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = check_files(repository);
    let mut functions = BTreeMap::new();
    for source in repository.sources.values().filter(|source| !is_test_path(&source.path)) {
        let mut finder = Functions { path: &source.path, owner: String::new(), found: &mut functions };
        finder.visit_file(&source.syntax);
    }
    findings.extend(check_functions(&functions, &repository.rules.ratchet));
    findings
}

fn check_files(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tables = &repository.rules.tables;
    for source in repository.sources.values().filter(|source| !is_test_path(&source.path)) {
        let lines = source.lines_without_tests();
        let is_table = tables.iter().any(|table| table.path == source.path);
        if lines > FILE_LINES_MAX && !is_table {
            let message = format!(
                "{lines} lines without tests, {FILE_LINES_MAX} are allowed: split it by question answered (a flat table may stand in {TIDY_PATH})"
            );
            findings.push(Finding::new(&source.path, FILE_LINES_MAX, message));
        }
    }
    for table in tables {
        if table.reason.trim().is_empty() {
            findings.push(Finding::new(TIDY_PATH, 1, format!("{} is listed without a reason: give it", table.path)));
        }
        let lines = repository.sources.get(&table.path).map_or(0, SourceFile::lines_without_tests);
        if lines <= FILE_LINES_MAX {
            findings.push(Finding::new(TIDY_PATH, 1, format!("{} is short or gone: remove its entry", table.path)));
        }
    }
    findings
}

fn check_functions(functions: &BTreeMap<String, Function>, ratchet: &BTreeMap<String, usize>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, function) in functions.iter().filter(|(_, function)| function.lines > FUNCTION_LINES_MAX) {
        let lines = function.lines;
        let message = match ratchet.get(name) {
            Some(allowed) if lines == *allowed => continue,
            Some(allowed) if lines < *allowed => {
                format!("shrank to {lines} lines: write {lines} for \"{name}\" in {RATCHET_PATH}")
            }
            Some(allowed) => format!("grew from {allowed} to {lines} lines: take the new part out"),
            None => format!("{lines} lines, the wall is {FUNCTION_LINES_MAX}: split it ({name})"),
        };
        findings.push(Finding::new(&function.path, function.line, message));
    }
    for name in ratchet.keys() {
        if functions.get(name).is_none_or(|function| function.lines <= FUNCTION_LINES_MAX) {
            findings.push(Finding::new(RATCHET_PATH, 1, format!("\"{name}\" is short or gone: remove its entry")));
        }
    }
    findings
}

fn is_test_path(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "benches")
}

/// A function's place and length, from `fn` to its closing brace.
struct Function {
    path: String,
    line: usize,
    lines: usize,
}

/// Collects functions as `path::Type::name`; the longest wins where a name stands twice.
struct Functions<'a> {
    path: &'a str,
    owner: String,
    found: &'a mut BTreeMap<String, Function>,
}

impl Functions<'_> {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.fn_token.span.start().line;
        let end = block.brace_token.span.close().end().line;
        let name = format!("{}::{}{}", self.path, self.owner, signature.ident);
        let function = Function { path: self.path.to_owned(), line, lines: (end + 1).saturating_sub(line) };
        if self.found.get(&name).is_none_or(|known| known.lines < function.lines) {
            self.found.insert(name, function);
        }
    }

    fn inside(&mut self, owner: String, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.owner, owner);
        visit(self);
        self.owner = before;
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(item_attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = type_name(&item.self_ty);
        self.inside(format!("{owner}::"), |inner| visit::visit_item_impl(inner, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.inside(format!("{}::", item.ident), |inner| visit::visit_item_trait(inner, item));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn type_name(of: &syn::Type) -> String {
    match of {
        syn::Type::Path(path) => path.path.segments.last().map_or_else(String::new, |last| last.ident.to_string()),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        other => format!("line {}", other.span().start().line),
    }
}

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

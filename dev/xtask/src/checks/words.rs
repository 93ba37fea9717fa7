//! What no text may hold: trailing white space, and in Rust unfinished work and letters outside ASCII.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};

use crate::source_file::SourceFile;
use crate::{Finding, Repository};

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (path, text) in &repository.texts {
        findings.extend(trailing_space(path, text));
    }
    for source in repository.sources.values() {
        let mut literals = Vec::new();
        read_tokens(source.tokens.clone(), source, &mut literals, &mut findings);
        findings.extend(letters_outside_ascii(source, &literals));
    }
    findings
}

fn trailing_space(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.split('\n').enumerate().filter(|(_, line)| line.ends_with([' ', '\t', '\r']));
    lines.map(|(index, _)| Finding::new(path, index + 1, "ends in white space: remove it")).collect()
}

/// Collects the byte ranges of literals, and finds `todo!` and its kin.
fn read_tokens(
    tokens: TokenStream,
    source: &SourceFile,
    literals: &mut Vec<Range<usize>>,
    findings: &mut Vec<Finding>,
) {
    let mut before: Option<proc_macro2::Ident> = None;
    for token in tokens {
        match token {
            TokenTree::Group(group) => read_tokens(group.stream(), source, literals, findings),
            TokenTree::Literal(literal) => literals.push(literal.span().byte_range()),
            TokenTree::Ident(ident) => {
                before = Some(ident);
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == '!' => {
                let Some(name) = before.as_ref().filter(|name| FORBIDDEN_MACROS.iter().any(|bad| name == bad)) else {
                    before = None;
                    continue;
                };
                let message = format!("{name}! is unfinished work: finish it, or answer with a clear error");
                findings.push(Finding::new(&source.path, name.span().start().line, message));
            }
            TokenTree::Punct(_) => {}
        }
        before = None;
    }
}

fn letters_outside_ascii(source: &SourceFile, literals: &[Range<usize>]) -> Vec<Finding> {
    if source.text.is_ascii() || source.path.contains("/tests/") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut offset = 0;
    for (index, line) in source.text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        if line.is_ascii() || source.is_test_line(index + 1) {
            continue;
        }
        let outside = |at: usize| !literals.iter().any(|range| range.contains(&at) && is_literal(&source.text, range));
        let bad = line.char_indices().find(|(at, letter)| !letter.is_ascii() && outside(start + at));
        if let Some((_, letter)) = bad {
            let message = format!("has {letter:?} outside a string: write it in ASCII");
            findings.push(Finding::new(&source.path, index + 1, message));
        }
    }
    findings
}

/// A doc comment is a literal token too, but its text starts with a slash.
fn is_literal(text: &str, range: &Range<usize>) -> bool {
    text.get(range.clone()).is_some_and(|text| !text.starts_with('/'))
}

const FORBIDDEN_MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];

//! One Rust file: its text, its syntax, and which of its lines are tests.

use std::ops::RangeInclusive;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A Rust file that parses.
pub(crate) struct SourceFile {
    /// Relative to the repository's root.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    pub(crate) tokens: TokenStream,
    /// Lines of items that only tests compile.
    test_lines: Vec<RangeInclusive<usize>>,
}

/// Why a file does not parse.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl SourceFile {
    pub(crate) fn parse(path: &str, text: String) -> Result<Self, SyntaxError> {
        let syntax = syn::parse_file(&text).map_err(|error| SyntaxError::from(&error))?;
        let tokens = text.parse::<TokenStream>().map_err(|error| SyntaxError::from(&syn::Error::from(error)))?;
        let mut finder = TestItems(Vec::new());
        finder.visit_file(&syntax);
        Ok(Self { path: path.to_owned(), text, syntax, tokens, test_lines: finder.0 })
    }

    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// Lines that are not tests.
    pub(crate) fn lines_without_tests(&self) -> usize {
        (1..=self.text.lines().count()).filter(|line| !self.is_test_line(*line)).count()
    }
}

impl From<&syn::Error> for SyntaxError {
    fn from(error: &syn::Error) -> Self {
        Self { line: error.span().start().line, message: error.to_string() }
    }
}

/// Whether only tests compile an item: `#[cfg(test)]`, `#[cfg(all(test, ..))]`, `#[test]`, `#[tokio::test]`.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last().map(|segment| segment.ident.to_string());
        match last.as_deref() {
            Some("test") => true,
            Some("cfg") => attribute.meta.require_list().is_ok_and(|list| asks_for_test(&list.tokens)),
            _ => false,
        }
    })
}

fn asks_for_test(condition: &TokenStream) -> bool {
    let text = condition.to_string();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.clone().any(|word| word == "test") && !words.any(|word| word == "not" || word == "any")
}

struct TestItems(Vec<RangeInclusive<usize>>);

impl<'ast> Visit<'ast> for TestItems {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_for_tests(item_attributes(item)) {
            let span = item.span();
            self.0.push(span.start().line..=span.end().line);
        } else {
            visit::visit_item(self, item);
        }
    }
}

/// The attributes of an item of any kind.
pub(crate) fn item_attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected_lines_without_tests: usize) {
        let file = SourceFile::parse("a.rs", text.to_owned()).unwrap();
        assert_eq!(file.lines_without_tests(), expected_lines_without_tests, "{text}");
    }

    #[test]
    fn test_items_are_not_counted() {
        check("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n", 1);
        check("fn a() {}\n#[test]\nfn b() {\n}\n", 1);
        check("#[cfg(all(test, unix))]\nmod x {}\nfn a() {}\n", 1);
        check("#[cfg(not(test))]\nmod x {}\nfn a() {}\n", 3);
        check("#[cfg(feature = \"x\")]\nmod x {}\n", 2);
    }

    #[test]
    fn broken_rust_is_an_error_with_its_line() {
        let Err(error) = SourceFile::parse("a.rs", "fn a() {}\nfn (".to_owned()) else { panic!("parsed") };
        assert_eq!(error.line, 2, "{}", error.message);
    }
}

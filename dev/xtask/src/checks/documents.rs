//! Every file says what it is for, every crate has a first screen, and the change log is there.

use crate::{Finding, Repository};

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (path, text) in repository.texts.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let lines = doc_lines(text);
        if lines == 0 {
            let message = "starts without //!: say in one to five lines what this file is for";
            findings.push(Finding::new(path, 1, message));
        } else if is_library_root(path) && lines < FIRST_SCREEN_LINES_MIN {
            let message = format!(
                "the crate's first screen has {lines} lines of {FIRST_SCREEN_LINES_MIN}: say its purpose, its place and what it never does"
            );
            findings.push(Finding::new(path, 1, message));
        }
    }
    if !repository.texts.contains_key("CHANGELOG.md") {
        findings.push(Finding::new("CHANGELOG.md", 1, "is missing: write what changes for the user"));
    }
    findings
}

fn doc_lines(text: &str) -> usize {
    text.lines().take_while(|line| line.starts_with("//!")).count()
}

fn is_library_root(path: &str) -> bool {
    path.starts_with("crates/") && path.ends_with("/src/lib.rs")
}

const FIRST_SCREEN_LINES_MIN: usize = 3;

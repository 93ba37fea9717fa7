//! All checks, in the order in which they are reported.

mod cycles;
mod dead_files;
mod documents;
mod floors;
mod lengths;
mod words;

use crate::{Finding, Repository};

/// Runs every check; what comes back is sorted by place and empty for a tidy repository.
pub fn tidy(repository: &Repository) -> Vec<Finding> {
    let mut findings = repository.unreadable.clone();
    let checks = [floors::check, cycles::check, dead_files::check, documents::check, lengths::check, words::check];
    for check in checks {
        findings.extend(check(repository));
    }
    findings.sort();
    findings.dedup();
    findings
}

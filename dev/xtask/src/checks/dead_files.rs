//! Every Rust file is reached by a `mod` declaration from a crate root; every crate has a root.

use std::collections::BTreeSet;

use crate::module_tree::ModuleTree;
use crate::package::Package;
use crate::{Finding, Repository};

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    repository.packages.iter().flat_map(|package| check_package(package, repository)).collect()
}

fn check_package(package: &Package, repository: &Repository) -> Vec<Finding> {
    let prefix = format!("{}/", package.folder);
    let files: Vec<&str> = repository.sources.keys().filter_map(|path| path.strip_prefix(prefix.as_str())).collect();
    let mut reached = BTreeSet::new();
    for root in files.iter().filter(|file| is_root(file)).map(|file| format!("{prefix}{file}")) {
        reach(&root, repository, &mut reached);
    }
    for root in &package.target_paths {
        reach(root, repository, &mut reached);
    }
    let mut findings: Vec<Finding> = files
        .iter()
        .map(|file| format!("{prefix}{file}"))
        .filter(|path| !reached.contains(path))
        .map(|path| Finding::new(&path, 1, "no mod declaration leads here: declare the module or delete the file"))
        .collect();
    let has = |root: &str| repository.texts.contains_key(&format!("{prefix}{root}"));
    if !has("src/lib.rs") && !has("src/main.rs") {
        findings.push(Finding::new(&package.manifest_path(), 1, "has neither src/lib.rs nor src/main.rs: add one"));
    }
    findings
}

fn reach(root: &str, repository: &Repository, reached: &mut BTreeSet<String>) {
    let tree = ModuleTree::load(root, &repository.sources);
    reached.extend(tree.modules.into_iter().map(|module| module.file));
}

/// Cargo's own rules for crate roots, relative to the crate's folder.
fn is_root(file: &str) -> bool {
    matches!(
        file.split('/').collect::<Vec<_>>().as_slice(),
        ["build.rs"]
            | ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "benches" | "examples", _]
            | ["tests" | "benches" | "examples", _, "main.rs"]
    )
}

//! A crate uses only crates on strictly lower floors; tests may use anything below the roof.

use std::collections::BTreeMap;

use crate::package::{Dependency, Package};
use crate::{Finding, Repository};

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let floors: BTreeMap<&str, i64> =
        repository.packages.iter().filter_map(|package| Some((package.name.as_str(), package.floor?))).collect();
    repository.packages.iter().flat_map(|package| check_package(package, &floors)).collect()
}

fn check_package(package: &Package, floors: &BTreeMap<&str, i64>) -> Vec<Finding> {
    let path = package.manifest_path();
    let mut findings = Vec::new();
    if package.folder.rsplit('/').next() != Some(package.name.as_str()) {
        let message = format!("crate {} stands in folder {}: give both one name", package.name, package.folder);
        findings.push(Finding::new(&path, package.line_of("name"), message));
    }
    if !package.has_workspace_lints {
        findings.push(Finding::new(&path, 1, "has not the workspace's lints: add [lints] workspace = true"));
    }
    let Some(floor) = package.floor else {
        let message = "has no floor: add [package.metadata.althing] floor = N, above all that it uses";
        findings.push(Finding::new(&path, 1, message));
        return findings;
    };
    for dependency in &package.dependencies {
        let Some(below) = floors.get(dependency.name.as_str()) else { continue };
        if let Some(message) = judge(dependency, floor, *below) {
            findings.push(Finding::new(&path, package.line_of(&dependency.name), message));
        }
    }
    findings
}

fn judge(dependency: &Dependency, floor: i64, below: i64) -> Option<String> {
    let name = &dependency.name;
    if dependency.is_for_tests {
        let is_fine = below < ROOF || below < floor;
        return (!is_fine)
            .then(|| format!("tests on floor {floor} use {name} on floor {below}: use crates below {ROOF}"));
    }
    (below >= floor)
        .then(|| format!("floor {floor} uses {name} on floor {below}: move what is needed down, or this crate up"))
}

/// The floor of the binary.
const ROOF: i64 = 7;

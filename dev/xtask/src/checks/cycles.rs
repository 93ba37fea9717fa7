//! Inside a crate, modules use each other in one direction only.
//!
//! Two siblings, each with all that is below it, must not need each other. A parent and its own children may: the parent
//! declares and assembles them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::module_tree::ModuleTree;
use crate::{Finding, Repository};

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &repository.packages {
        for root in ["src/lib.rs", "src/main.rs"] {
            let tree = ModuleTree::load(&format!("{}/{root}", package.folder), &repository.sources);
            findings.extend(check_tree(&tree));
        }
    }
    findings
}

/// From a sibling to the siblings it needs, with the place where it says so.
type Needs = BTreeMap<usize, BTreeMap<usize, (String, usize)>>;

fn check_tree(tree: &ModuleTree) -> Vec<Finding> {
    let needs = needs(tree);
    let mut reported = BTreeSet::new();
    let mut findings = Vec::new();
    for start in needs.keys() {
        let Some(cycle) = shortest_cycle(*start, &needs) else { continue };
        if !reported.insert(cycle.iter().copied().collect::<BTreeSet<_>>()) {
            continue;
        }
        let names: Vec<String> = cycle.iter().chain([start]).map(|index| tree.full_name(*index)).collect();
        let place = cycle.get(1).or(Some(start)).and_then(|next| needs.get(start)?.get(next));
        let Some((file, line)) = place else { continue };
        let message =
            format!("modules need each other: {}; move what both need into a module of its own", names.join(" -> "));
        findings.push(Finding::new(file, *line, message));
    }
    findings
}

fn needs(tree: &ModuleTree) -> Needs {
    let mut needs = Needs::new();
    for (index, module) in tree.modules.iter().enumerate().filter(|(_, module)| !module.is_for_tests) {
        for reference in &module.references {
            let target = tree.resolve(index, &reference.path);
            let Some((from, to)) = target.and_then(|target| siblings_above(tree, index, target)) else { continue };
            let place = (module.file.clone(), reference.line);
            needs.entry(from).or_default().entry(to).or_insert(place);
        }
    }
    needs
}

/// The two different modules with one parent under which `a` and `b` stand; none when one is above the other.
fn siblings_above(tree: &ModuleTree, a: usize, b: usize) -> Option<(usize, usize)> {
    let mut above_a: Vec<usize> = tree.lineage(a).collect();
    let mut above_b: Vec<usize> = tree.lineage(b).collect();
    loop {
        match (above_a.pop()?, above_b.pop()?) {
            (from, to) if from == to => {}
            differing => return Some(differing),
        }
    }
}

/// The shortest way from a module back to itself, without the return.
fn shortest_cycle(start: usize, needs: &Needs) -> Option<Vec<usize>> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(current) = queue.pop_front() {
        for next in needs.get(&current).into_iter().flat_map(BTreeMap::keys).copied() {
            if next == start {
                let back =
                    std::iter::successors(Some(current), |i| (*i != start).then(|| came_from.get(i).copied())?);
                let mut cycle: Vec<usize> = back.collect();
                cycle.reverse();
                return Some(cycle);
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = came_from.entry(next) {
                entry.insert(current);
                queue.push_back(next);
            }
        }
    }
    None
}

//! Each check fails on a small repository that breaks its rule, and a tidy one passes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use tempfile::TempDir;
use xtask::{Repository, tidy};

/// Files added to a tidy repository, and for each expected finding its place and a part of its message.
fn check(files: &[(&str, &str)], expected: &[(&str, usize, &str)]) {
    let folder = TempDir::new().unwrap();
    let all = TIDY.iter().filter(|(path, _)| files.iter().all(|(other, _)| other != path)).chain(files);
    for (path, text) in all {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let findings = tidy(&Repository::read(folder.path()).unwrap());
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), expected.len(), "{shown:#?}");
    for (finding, (path, line, part)) in findings.iter().zip(expected) {
        assert_eq!((finding.path.as_str(), finding.line), (*path, *line), "{shown:#?}");
        assert!(finding.message.contains(part), "{finding} has not {part:?}");
    }
}

const LOW_MANIFEST: &str =
    "[package]\nname = \"low\"\n[package.metadata.althing]\nfloor = 0\n[lints]\nworkspace = true\n";
const ROOT: &str = "//! One.\n//! Two.\n//! Three.\n";
const TIDY: &[(&str, &str)] = &[
    ("CHANGELOG.md", "# Changes\n"),
    ("crates/low/Cargo.toml", LOW_MANIFEST),
    (
        "crates/low/src/lib.rs",
        "//! One.\n//! Two.\n//! Three.\n/// Letters: \u{61}.\npub const X: &str = \"\u{e4}\";\n",
    ),
];

fn manifest(name: &str, floor: i64, rest: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\n[package.metadata.althing]\nfloor = {floor}\n[lints]\nworkspace = true\n{rest}"
    )
}

#[test]
fn a_tidy_repository_has_no_findings() {
    check(&[], &[]);
}

#[test]
fn a_crate_uses_only_lower_floors() {
    let uses_low = "[dependencies]\nlow.workspace = true\n";
    let high = "crates/high/Cargo.toml";
    let lib = ("crates/high/src/lib.rs", ROOT);
    check(&[(high, &manifest("high", 1, uses_low)), lib], &[]);
    check(&[(high, &manifest("high", 0, uses_low)), lib], &[(high, 8, "floor 0 uses low on floor 0")]);
    let for_target = "[target.'cfg(unix)'.dependencies]\nlow = { path = \"../low\" }\n";
    check(&[(high, &manifest("high", 0, for_target)), lib], &[(high, 8, "floor 0 uses low")]);
    let for_build = "[build-dependencies]\nlow = { path = \"../low\" }\n";
    check(&[(high, &manifest("high", 0, for_build)), lib], &[(high, 8, "floor 0 uses low")]);
}

#[test]
fn tests_may_use_anything_below_the_roof() {
    let high = ("crates/high/Cargo.toml", &*manifest("high", 6, ""));
    let low = |rest| manifest("low", 0, rest);
    let lib = ("crates/high/src/lib.rs", ROOT);
    let uses_high = low("[dev-dependencies]\nhigh.workspace = true\n");
    check(&[high, lib, ("crates/low/Cargo.toml", &uses_high)], &[]);
    let roof = ("crates/high/Cargo.toml", &*manifest("high", 7, ""));
    let expected = ("crates/low/Cargo.toml", 8, "tests on floor 0 use high on floor 7");
    check(&[roof, lib, ("crates/low/Cargo.toml", &uses_high)], &[expected]);
}

#[test]
fn a_manifest_has_floor_name_and_lints() {
    let path = "crates/low/Cargo.toml";
    check(&[(path, "[package]\nname = \"low\"\n[lints]\nworkspace = true\n")], &[(path, 1, "no floor")]);
    check(&[(path, &LOW_MANIFEST.replace("\"low\"", "\"other\""))], &[(path, 2, "give both one name")]);
    check(&[(path, &LOW_MANIFEST.replace("workspace = true", ""))], &[(path, 1, "workspace's lints")]);
    check(&[(path, "[package")], &[(path, 1, "no manifest")]);
}

#[test]
fn modules_do_not_need_each_other() {
    let root = ("crates/low/src/lib.rs", "//! One.\n//! Two.\n//! Three.\nmod a;\nmod b;\npub use b::B;\n");
    let b = ("crates/low/src/b.rs", "//! B.\nuse crate::a::A;\npub struct B(A);\n");
    check(&[root, b, ("crates/low/src/a.rs", "//! A.\npub struct A;\n")], &[]);
    let expected = ("crates/low/src/a.rs", 2, "crate::a -> crate::b -> crate::a");
    for needs_b in [
        "//! A.\nuse crate::b::B;\npub struct A(Box<B>);\n",
        "//! A.\nuse crate::B;\npub struct A(Box<B>);\n",
        "//! A.\nuse super::{b};\npub struct A(Box<b::B>);\n",
        "//! A.\npub struct A(Box<crate::b::B>);\n",
        "//! A.\npub fn a() -> String { format!(\"{}\", x y: crate::b::f()) }\n",
    ] {
        check(&[root, b, ("crates/low/src/a.rs", needs_b)], &[expected]);
    }
    let only_in_tests = "//! A.\npub struct A;\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n";
    check(&[root, b, ("crates/low/src/a.rs", only_in_tests)], &[]);
}

#[test]
fn folders_of_modules_do_not_need_each_other() {
    let root = ("crates/low/src/lib.rs", "//! One.\n//! Two.\n//! Three.\nmod a;\nmod b;\n");
    let a = ("crates/low/src/a.rs", "//! A.\nmod one;\nmod two;\npub struct A;\n");
    let one = ("crates/low/src/a/one.rs", "//! One.\nuse super::A;\nuse crate::b::B;\npub struct One(A, B);\n");
    let two = ("crates/low/src/a/two.rs", "//! Two.\npub struct Two;\n");
    check(&[root, a, one, two, ("crates/low/src/b.rs", "//! B.\npub struct B;\n")], &[]);
    let b = ("crates/low/src/b.rs", "//! B.\nuse crate::a::two::Two;\npub struct B(Two);\n");
    check(&[root, a, one, two, b], &[("crates/low/src/a/one.rs", 3, "crate::a -> crate::b -> crate::a")]);
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = ("crates/low/src/lib.rs", "//! One.\n//! Two.\n//! Three.\nmod a;\n");
    check(&[root, ("crates/low/src/a.rs", "// A.\n")], &[("crates/low/src/a.rs", 1, "starts without //!")]);
    check(&[("crates/low/src/lib.rs", "//! One.\n")], &[("crates/low/src/lib.rs", 1, "first screen has 1 lines of 3")]);
}

#[test]
fn a_file_no_mod_leads_to_is_dead() {
    let path = "crates/low/src/a.rs";
    check(&[(path, "//! A.\n")], &[(path, 1, "no mod declaration")]);
    check(
        &[("crates/low/tests/it/cases.rs", "//! A.\n")],
        &[("crates/low/tests/it/cases.rs", 1, "no mod declaration")],
    );
    check(
        &[("crates/low/tests/it/main.rs", "//! A.\nmod cases;\n"), ("crates/low/tests/it/cases.rs", "//! A.\n")],
        &[],
    );
    check(
        &[("crates/low/src/bin/x.rs", "//! A.\n#[path = \"y.rs\"]\nmod z;\n"), ("crates/low/src/bin/y.rs", "//! A.\n")],
        &[],
    );
}

#[test]
fn a_crate_has_a_root() {
    check(&[("crates/x/Cargo.toml", &manifest("x", 0, ""))], &[("crates/x/Cargo.toml", 1, "neither src/lib.rs")]);
}

#[test]
fn a_file_is_short_without_its_tests() {
    let path = "crates/low/src/lib.rs";
    let of_lines = |lines: usize| format!("{ROOT}{}", "const A: u8 = 1;\n".repeat(lines - 3));
    check(&[(path, &of_lines(600))], &[]);
    check(&[(path, &of_lines(601))], &[(path, 600, "601 lines without tests")]);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(500));
    check(&[(path, &format!("{}{tests}", of_lines(590)))], &[]);
    check(&[("crates/low/tests/long.rs", &of_lines(700))], &[]);
    let table = "[[table]]\npath = \"crates/low/src/lib.rs\"\nreason = \"one row an error\"\n";
    check(&[(path, &of_lines(601)), ("dev/xtask/tidy.toml", table)], &[]);
    check(&[("dev/xtask/tidy.toml", table)], &[("dev/xtask/tidy.toml", 1, "short or gone")]);
    let without_reason = table.replace("one row an error", " ");
    let expected = ("dev/xtask/tidy.toml", 1, "without a reason");
    check(&[(path, &of_lines(601)), ("dev/xtask/tidy.toml", &without_reason)], &[expected]);
}

#[test]
fn a_function_is_short_or_in_the_ratchet() {
    let path = "crates/low/src/lib.rs";
    let of_lines = |lines: usize| format!("{ROOT}impl X {{\nfn f() {{\n{}}}\n}}\n", "a();\n".repeat(lines - 2));
    let ratchet = "dev/xtask/ratchet.toml";
    let allow = |lines: usize| format!("[functions]\n\"crates/low/src/lib.rs::X::f\" = {lines}\n");
    check(&[(path, &of_lines(70))], &[]);
    check(&[(path, &of_lines(71))], &[(path, 5, "71 lines, the wall is 70")]);
    check(&[(path, &of_lines(80)), (ratchet, &allow(80))], &[]);
    check(&[(path, &of_lines(81)), (ratchet, &allow(80))], &[(path, 5, "grew from 80 to 81")]);
    check(&[(path, &of_lines(79)), (ratchet, &allow(80))], &[(path, 5, "shrank to 79")]);
    check(&[(path, &of_lines(70)), (ratchet, &allow(80))], &[(ratchet, 1, "remove its entry")]);
    check(&[(ratchet, "nonsense = 1\n")], &[(ratchet, 1, "is not as expected")]);
    let in_tests = of_lines(90).replace("impl X", "#[cfg(test)]\nmod tests");
    check(&[(path, &in_tests)], &[]);
}

#[test]
fn rust_is_ascii_outside_strings_and_tests() {
    let path = "crates/low/src/lib.rs";
    let check_line = |line: &str, is_fine: bool| {
        let text = format!("{ROOT}{line}\nconst X: u8 = 1;\n");
        let expected = (path, 4, "outside a string");
        check(&[(path, &text)], if is_fine { &[] } else { std::slice::from_ref(&expected) });
    };
    check_line("const A: char = '\u{e4}'; const B: &str = r#\"\u{3b2}\"#;", true);
    check_line("// \u{a7} 3", false);
    check_line("/// \u{a7} 3", false);
    check_line("const A: &str = \"\u{e4}\"; // \u{e4}", false);
    check_line("#[cfg(test)] mod tests { /* \u{e4} */ }", true);
}

#[test]
fn unfinished_work_and_trailing_space_are_found() {
    let path = "crates/low/src/lib.rs";
    let check_line = |line: &str, part: &str| check(&[(path, &format!("{ROOT}{line}\n"))], &[(path, 4, part)]);
    check_line("fn a() { todo!() }", "todo! is unfinished");
    check_line("fn a() { assert!(unimplemented!(\"x\")) }", "unimplemented! is unfinished");
    check_line("fn a() { x(dbg!(1)) }", "dbg! is unfinished");
    check_line("const A: u8 = 1; ", "white space");
    check(&[("docs/a.md", "a\nb\t\n")], &[("docs/a.md", 2, "white space")]);
}

#[test]
fn broken_rust_and_a_missing_changelog_are_found() {
    let path = "crates/low/src/lib.rs";
    check(&[(path, &format!("{ROOT}fn (\n"))], &[(path, 4, "does not parse")]);
    let folder = TempDir::new().unwrap();
    let findings = tidy(&Repository::read(folder.path()).unwrap());
    assert_eq!(findings.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["CHANGELOG.md"]);
}

//! A crate's manifest: its name, its floor and what it depends on.

use toml::{Table, Value};

/// What `Cargo.toml` says of one crate.
#[derive(Debug)]
pub(crate) struct Package {
    /// `package.name`.
    pub(crate) name: String,
    /// The crate's folder, relative to the root, such as `crates/names`.
    pub(crate) folder: String,
    /// `package.metadata.althing.floor`.
    pub(crate) floor: Option<i64>,
    /// Whether it takes the workspace's lints, `forbid(unsafe_code)` among them.
    pub(crate) has_workspace_lints: bool,
    /// All dependencies, of every kind and every target.
    pub(crate) dependencies: Vec<Dependency>,
    /// Source files that the manifest names by `path` (binaries, tests, benches, examples).
    pub(crate) target_paths: Vec<String>,
    /// The manifest's text, to find lines in.
    pub(crate) manifest: String,
}

/// One dependency.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// Whether only tests and benches use it.
    pub(crate) is_for_tests: bool,
}

impl Package {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The text is no TOML, or has no `package.name`.
    pub(crate) fn parse(folder: &str, manifest: String) -> Result<Self, String> {
        let table: Table = manifest.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let package = table.get("package");
        let name = package.and_then(|p| p.get("name")).and_then(Value::as_str).ok_or("no package.name")?.to_owned();
        let floor = package
            .and_then(|p| p.get("metadata"))
            .and_then(|m| m.get("althing"))
            .and_then(|a| a.get("floor"))
            .and_then(Value::as_integer);
        let has_workspace_lints =
            table.get("lints").and_then(|l| l.get("workspace")).and_then(Value::as_bool).unwrap_or(false);
        let dependencies = dependencies(&table);
        let target_paths = target_paths(&table).map(|path| format!("{folder}/{path}")).collect();
        Ok(Self { name, folder: folder.to_owned(), floor, has_workspace_lints, dependencies, target_paths, manifest })
    }

    /// The manifest's path, relative to the root.
    pub(crate) fn manifest_path(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    /// The line of the manifest that starts with a word, or 1.
    pub(crate) fn line_of(&self, word: &str) -> usize {
        let starts = |line: &str| {
            line.strip_prefix(word).is_some_and(|rest| rest.starts_with(['.', ' ', '=']) || rest.is_empty())
        };
        self.manifest.lines().position(starts).map_or(1, |index| index + 1)
    }
}

fn dependencies(table: &Table) -> Vec<Dependency> {
    let mut all = dependencies_of_section(table);
    let targets = table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    for target in targets.filter_map(Value::as_table) {
        all.extend(dependencies_of_section(target));
    }
    all
}

fn dependencies_of_section(table: &Table) -> Vec<Dependency> {
    let kinds = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    let mut all = Vec::new();
    for (kind, is_for_tests) in kinds {
        let Some(section) = table.get(kind).and_then(Value::as_table) else { continue };
        for (key, value) in section {
            let name = value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned();
            all.push(Dependency { name, is_for_tests });
        }
    }
    all
}

fn target_paths(table: &Table) -> impl Iterator<Item = &str> {
    let lists = ["bin", "test", "bench", "example"].into_iter().filter_map(|kind| table.get(kind)?.as_array());
    let tables = lists.flatten().chain(table.get("lib"));
    tables.filter_map(|target| target.get("path")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gives_floor_and_dependencies_of_every_kind() {
        let text = "[package]\nname = \"a\"\n[package.metadata.althing]\nfloor = 3\n[lints]\nworkspace = true\n\
                    [dependencies]\nb.workspace = true\nc = { package = \"d\" }\n[dev-dependencies]\ne = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nf = \"1\"\n[[bin]]\nname = \"x\"\npath = \"other/x.rs\"\n";
        let package = Package::parse("crates/a", text.to_owned()).unwrap();
        assert_eq!((package.name.as_str(), package.floor, package.has_workspace_lints), ("a", Some(3), true));
        let names: Vec<_> = package.dependencies.iter().map(|d| (d.name.as_str(), d.is_for_tests)).collect();
        assert_eq!(names, [("b", false), ("d", false), ("e", true), ("f", false)]);
        assert_eq!(package.target_paths, ["crates/a/other/x.rs"]);
        assert_eq!(package.line_of("b"), 8);
    }

    #[test]
    fn a_bad_manifest_is_an_error() {
        assert!(Package::parse("a", "[package".to_owned()).is_err());
        assert!(Package::parse("a", "[package]\nversion = \"1\"".to_owned()).is_err());
    }
}

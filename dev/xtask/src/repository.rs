//! The repository as the checks see it: packages, Rust files and other texts, all read once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Finding;
use crate::package::Package;
use crate::rules::Rules;
use crate::source_file::SourceFile;

/// Everything that is checked, in memory.
pub struct Repository {
    pub(crate) packages: Vec<Package>,
    /// Rust files by path.
    pub(crate) sources: BTreeMap<String, SourceFile>,
    /// All text files by path, Rust too.
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) rules: Rules,
    /// What could not even be read as what it should be.
    pub(crate) unreadable: Vec<Finding>,
}

/// Why the repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The disk failed.
    #[error("cannot read {path}: {source}")]
    Read {
        /// What was read.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

impl Repository {
    /// Reads all text files below `root`, but for build output and data folders.
    ///
    /// # Errors
    /// A folder or file cannot be read. A file that is there but makes no sense is a finding, not an error.
    pub fn read(root: &Path) -> Result<Self, RepositoryError> {
        let mut texts = BTreeMap::new();
        read_folder(root, root, &mut texts)?;
        let mut repository = Self {
            packages: Vec::new(),
            sources: BTreeMap::new(),
            texts,
            rules: Rules::default(),
            unreadable: Vec::new(),
        };
        repository.parse_rules();
        repository.parse_packages();
        repository.parse_sources();
        Ok(repository)
    }

    /// How many text files there are.
    pub fn files(&self) -> usize {
        self.texts.len()
    }

    /// How many crates there are, those in `dev/` too.
    pub fn crates(&self) -> usize {
        self.packages.len()
    }

    fn parse_rules(&mut self) {
        match Rules::read(&self.texts) {
            Ok(rules) => self.rules = rules,
            Err((path, message)) => self.unreadable.push(Finding::new(&path, 1, message)),
        }
    }

    fn parse_packages(&mut self) {
        for (path, text) in &self.texts {
            let Some(folder) = path.strip_suffix("/Cargo.toml") else { continue };
            let is_member = folder.starts_with("crates/") || folder.starts_with("dev/");
            if !is_member || folder.matches('/').count() != 1 {
                continue;
            }
            match Package::parse(folder, text.clone()) {
                Ok(package) => self.packages.push(package),
                Err(message) => {
                    self.unreadable.push(Finding::new(path, 1, format!("is no manifest of a crate: {message}")));
                }
            }
        }
    }

    fn parse_sources(&mut self) {
        for (path, text) in self.texts.iter().filter(|(path, _)| path.ends_with(".rs")) {
            match SourceFile::parse(path, text.clone()) {
                Ok(source) => {
                    self.sources.insert(path.clone(), source);
                }
                Err(error) => {
                    let message = format!("does not parse as Rust: {}; mend it", error.message);
                    self.unreadable.push(Finding::new(path, error.line, message));
                }
            }
        }
    }
}

fn read_folder(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) -> Result<(), RepositoryError> {
    let failed = |path: &Path, source| RepositoryError::Read { path: path.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(|source| failed(folder, source))? {
        let path = entry.map_err(|source| failed(folder, source))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() {
            if !IGNORED_FOLDERS.contains(&name) {
                read_folder(root, &path, texts)?;
            }
        } else if is_text(name) {
            let text = fs::read(&path).map_err(|source| failed(&path, source))?;
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            texts.insert(relative, String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| TEXT_EXTENSIONS.contains(&extension)) || TEXT_NAMES.contains(&name)
}

const IGNORED_FOLDERS: [&str; 6] = ["target", "data", ".git", "__pycache__", ".pytest_cache", "node_modules"];
const TEXT_EXTENSIONS: [&str; 7] = ["rs", "toml", "md", "py", "sh", "yml", "txt"];
const TEXT_NAMES: [&str; 4] = ["Makefile", "NOTICE", "run", ".gitignore"];

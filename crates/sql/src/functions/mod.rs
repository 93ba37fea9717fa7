//! The functions of the language (AWS IoT Core developer guide, iot-sql-functions). A family is a file, a function is
//! a row of its table.

mod bits;
mod collection;
mod digest;
mod encoding;
mod function;
mod java_regex;
mod message;
mod number;
mod pattern;
mod text;
mod time;
mod trigonometry;
mod unserved;

pub(crate) use function::{Arguments, Function};
pub(crate) use pattern::compile as compile_regex;

use crate::SqlVersion;

/// What a name stands for.
pub(crate) enum Served {
    /// A row of a table.
    Function(&'static Function),
    /// `get_or_default`, which the evaluator carries out, for it catches what fails; with its first version.
    Special(SqlVersion),
    /// A function of AWS IoT SQL that is not served here.
    Not,
}

/// Finds a function by its name in lower case; None if AWS IoT SQL has none of that name.
pub(crate) fn find(name: &str) -> Option<Served> {
    if name == "get_or_default" {
        return Some(Served::Special(SqlVersion::V2016_03_23));
    }
    let mut rows = FAMILIES.iter().flat_map(|family| family.iter());
    match rows.find(|function| function.name == name) {
        Some(function) => Some(Served::Function(function)),
        None => unserved::NAMES.contains(&name).then_some(Served::Not),
    }
}

static FAMILIES: [&[Function]; 10] = [
    bits::FUNCTIONS,
    collection::FUNCTIONS,
    digest::FUNCTIONS,
    encoding::FUNCTIONS,
    message::FUNCTIONS,
    number::FUNCTIONS,
    pattern::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
    trigonometry::FUNCTIONS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_unique_and_in_lower_case() {
        let rows = FAMILIES.iter().flat_map(|family| family.iter().map(|function| function.name));
        let mut names: Vec<_> = rows.chain(unserved::NAMES.iter().copied()).collect();
        assert!(names.iter().all(|name| !name.contains(char::is_uppercase)));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

//! docs/operations.md: every operation of the models and whether it is served, always as the code has it.

use std::fmt::Write as _;

use crate::handlers::Handlers;
use crate::iam;
use crate::model::{Api, Model};
use crate::services::Scope;

#[test]
fn the_table_of_operations_is_as_the_code_has_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == table, "docs/operations.md is stale: run UPDATE_DOCS=1 cargo test -p http-api");
}

fn table() -> String {
    let model = Model::load().unwrap();
    let mut handlers = Handlers::new(&model);
    crate::control::register(&mut handlers);
    crate::data::register(&mut handlers);
    let served = handlers.finish().unwrap();
    let mut text = String::from(
        "# Operations\n\nEvery operation of AWS's API models and whether Althing serves it. An operation that is not \
         served is routed and\nits input is not looked at; it answers 501 `NotImplementedException` and names \
         itself.\n\nThis file is written by `UPDATE_DOCS=1 cargo test -p http-api`; a test fails when it is stale.\n",
    );
    for api in [Api::Data, Api::Control, Api::JobsData] {
        let all: Vec<_> = model.operations().filter(|(_, operation)| operation.api == api).collect();
        let count = all.iter().filter(|(id, _)| served.contains_key(id)).count();
        write!(text, "\n## {}: {count} of {} served\n\n", api.name(), all.len()).unwrap();
        text.push_str("| operation | route | served |\n|---|---|---|\n");
        for (id, operation) in all {
            let mark = if served.contains_key(&id) { "yes" } else { "" };
            writeln!(text, "| {} | `{} {}` | {mark} |", operation.name, operation.method, operation.template).unwrap();
        }
    }
    for (title, scope) in [("iam", Scope::Iam), ("sts", Scope::Sts)] {
        write!(text, "\n## {title}\n\nServed, by AWS Query: {}.\n", iam::served_actions(scope).join(", ")).unwrap();
    }
    text
}

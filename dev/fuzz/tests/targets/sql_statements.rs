//! Rule SQL: any text parses or is refused, and what parses evaluates over any payload.

use bytes::Bytes;
use fuzz::{Choices, json};
use sql::{Input, SqlVersion, Statement, Template};

const VERSIONS: [SqlVersion; 3] = [SqlVersion::V2015_10_08, SqlVersion::V2016_03_23, SqlVersion::Beta];

fn evaluate(text: &str, payload: &[u8]) {
    let payload = Bytes::copy_from_slice(payload);
    let (uuid, random) = (|| "27d5".to_owned(), || 0.5);
    let input = Input::new(&payload, "a/b/c", "123456789012", 1_700_000_000_000, "trace", &uuid, &random);
    for version in VERSIONS {
        if let Ok(statement) = Statement::parse(text, version) {
            // An evaluation may fail, as long as it says so.
            drop(statement.evaluate(&input));
        }
        if let Ok(template) = Template::parse(text, version) {
            drop(template.render(&input));
        }
    }
}

/// An expression of at most `depth` levels, by the grammar in the developer guide, iot-sql-reference.
fn expression(choices: &mut Choices<'_>, depth: usize) -> String {
    const LEAVES: [&str; 24] = [
        "a",
        "b",
        "temp",
        "a.b",
        "a.b[0]",
        "\"quoted\"",
        "*",
        "0",
        "1",
        "-7",
        "12.5",
        "1e9",
        "1e308",
        "99999999999999999999",
        "'text'",
        "'12'",
        "'2020-01-01'",
        "'(a*)*b'",
        "true",
        "false",
        "null",
        "undefined",
        "topic(2)",
        "timestamp()",
    ];
    const OPERATORS: [&str; 15] = ["+", "-", "*", "/", "%", "=", "<>", "!=", "<", "<=", ">", ">=", "AND", "OR", "||"];
    if depth == 0 {
        return choices.word(&LEAVES).to_owned();
    }
    let kind = choices.below(14);
    let mut inner = || expression(choices, depth - 1);
    match kind {
        0 => format!("NOT ({})", inner()),
        1 => format!("-{}", inner()),
        2 => format!("CASE {} WHEN {} THEN {} ELSE {} END", inner(), inner(), inner(), inner()),
        3 => format!("[{},{}]", inner(), inner()),
        4 => format!("{{'x':{},'y':{}}}", inner(), inner()),
        5 => format!("get({},{})", inner(), inner()),
        6 => format!("cast({} as {})", inner(), choices.word(&["Int", "Decimal", "String", "Boolean", "Nonsense"])),
        7 => format!("(SELECT {} AS x FROM {} WHERE {})", inner(), inner(), inner()),
        8 => format!("({}).a", inner()),
        9 => call(choices, depth),
        10 => format!("{} IN [{},{}]", inner(), inner(), inner()),
        11 => choices.word(&LEAVES).to_owned(),
        _ => {
            let (left, right) = (inner(), inner());
            format!("({left} {} {right})", choices.word(&OPERATORS))
        }
    }
}

fn call(choices: &mut Choices<'_>, depth: usize) -> String {
    const FUNCTIONS: [&str; 56] = [
        "abs",
        "acos",
        "asin",
        "atan",
        "atan2",
        "bitand",
        "bitor",
        "bitxor",
        "bitnot",
        "ceil",
        "chr",
        "clientid",
        "concat",
        "cos",
        "cosh",
        "encode",
        "decode",
        "endswith",
        "exp",
        "floor",
        "get",
        "indexof",
        "isNull",
        "isUndefined",
        "length",
        "ln",
        "log",
        "lower",
        "lpad",
        "ltrim",
        "md5",
        "mod",
        "nanvl",
        "newuuid",
        "numbytes",
        "parse_time",
        "power",
        "rand",
        "regexp_matches",
        "regexp_replace",
        "regexp_substr",
        "remainder",
        "replace",
        "rpad",
        "round",
        "rtrim",
        "sha256",
        "sign",
        "sin",
        "sqrt",
        "startswith",
        "substring",
        "tan",
        "time_to_epoch",
        "trim",
        "trunc",
    ];
    let name = choices.word(&FUNCTIONS);
    format!("{name}({})", choices.list(4, |choices| expression(choices, depth - 1)))
}

#[test]
fn any_text_parses_or_is_refused() {
    bolero::check!().for_each(|bytes: &[u8]| evaluate(&String::from_utf8_lossy(bytes), b"{\"a\":1}"));
}

#[test]
fn any_words_parse_or_are_refused() {
    const WORDS: [&str; 40] = [
        "SELECT ", "VALUE ", "* ", "FROM ", "WHERE ", "AS ", "SET ", "@x ", "CASE ", "WHEN ", "THEN ", "ELSE ", "END ",
        "NOT ", "IN ", "EXISTS ", "'a/+/#' ", "\"q\" ", "a", ".", ",", "(", ")", "[", "]", "{", "}", ":", "+", "-",
        "=", "<", "||", "0", "1.5e", "topic(", "cast(", " as Int)", "${", "'",
    ];
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = Choices::new(bytes).sentence(&WORDS);
        evaluate(&text, b"{\"a\":1}");
        evaluate(&format!("SELECT {text} FROM 'a/#'"), b"{\"a\":1}");
    });
}

#[test]
fn any_statement_evaluates_over_any_payload() {
    bolero::check!().with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(choices, payload)| {
        let choices = &mut Choices::new(choices);
        let payload = json(&mut Choices::new(payload), 4);
        let depth = choices.below(5);
        let (item, condition) = (expression(choices, depth), expression(choices, depth));
        evaluate(&format!("SELECT {item} AS x, * FROM 'a/#' WHERE {condition}"), payload.as_bytes());
        evaluate(&format!("SELECT VALUE {item} FROM 'a/#'"), payload.as_bytes());
        evaluate(&format!("SET @x = {condition} SELECT @x AS x, {item} AS y FROM 'a/#'"), payload.as_bytes());
        evaluate(&format!("x/${{{item}}}/${{{condition}}}y"), payload.as_bytes());
    });
}

/// So that the target above tests what it says: a good part of what the grammar makes does parse.
#[test]
fn the_grammar_makes_statements_that_parse() {
    let parses = |seed: u8| {
        let bytes: Vec<u8> =
            (0..64_u8).map(|i| i.wrapping_mul(37).wrapping_add(seed.wrapping_mul(91)) ^ (i >> 2)).collect();
        let text = format!("SELECT {} AS x FROM 'a/#'", expression(&mut Choices::new(&bytes), 2));
        Statement::parse(&text, SqlVersion::Beta).is_ok()
    };
    let parsed = (0..=255).filter(|seed| parses(*seed)).count();
    assert!(parsed > 85, "{parsed} of 256");
}

/// Nesting is bounded before the stack is.
#[test]
fn deep_nesting_is_refused() {
    const OPENERS: [&str; 8] = ["(", "[", "{a:", "-", "NOT ", "abs(", "CASE a WHEN ", "(SELECT * FROM "];
    const CLOSERS: [&str; 5] = [")", "]", "}", " END", ""];
    bolero::check!().with_type::<(u8, u8, u16)>().for_each(|(open, close, depth)| {
        let (open, close) = (OPENERS[usize::from(*open) % 8], CLOSERS[usize::from(*close) % 5]);
        let depth = usize::from(*depth) % 20_000;
        evaluate(&format!("SELECT {}1{} FROM 'a'", open.repeat(depth), close.repeat(depth)), b"{}");
    });
}

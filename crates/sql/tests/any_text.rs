//! No text and no payload makes the parser or the evaluator panic.

use bytes::Bytes;
use proptest::prelude::*;

use sql::{Input, SqlVersion, Statement, Template, Value};

const VERSIONS: [SqlVersion; 3] = [SqlVersion::V2015_10_08, SqlVersion::V2016_03_23, SqlVersion::Beta];

/// Texts that come far: words of the language in any order.
fn sql_like() -> impl Strategy<Value = String> {
    let words = [
        "SELECT",
        "VALUE",
        "FROM",
        "WHERE",
        "SET",
        "AS",
        "AND",
        "OR",
        "NOT",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "*",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ":",
        "+",
        "-",
        "/",
        "%",
        "=",
        "<>",
        "<=",
        ">",
        "a",
        "b",
        "c",
        "@v",
        "'x'",
        "\"y\"",
        "''",
        "1",
        "2.5",
        "1E900",
        "1E-900",
        "0",
        "-1",
        "null",
        "true",
        "topic(",
        "get(",
        "concat(",
        "substring(",
        "trunc(",
        "round(",
        "decode(",
        "encode(",
        "'base64'",
        "regexp_replace(",
        "'$1'",
        "'(a)'",
        "replace(",
        "lpad(",
        "parse_time(",
        "'yyyy.MM.dd G HH:mm:ss.SSS z'",
        "time_to_epoch(",
        "mod(",
        "power(",
        "bitand(",
        "chr(",
        "cast(",
        "get_or_default(",
        "transform(",
        "'enrichArray'",
        "indexof(",
        "nanvl(",
        "abs(",
    ];
    proptest::collection::vec(prop::sample::select(words.to_vec()), 0..40).prop_map(|words| words.join(" "))
}

/// Expressions that parse, of operators and functions over odd values.
fn expression() -> impl Strategy<Value = String> {
    let leaves = [
        "a",
        "b.c",
        "missing",
        "null",
        "true",
        "'true'",
        "''",
        "'-12.5'",
        "0",
        "-1",
        "1E900",
        "9.99E999",
        "1E-999",
        "9999999999999999999999999999999999",
        "0.1",
        "[1, 'x', null]",
        "{'k': [1.5]}",
        "'\u{e9}\u{1f600}'",
        "*",
    ];
    let leaf = prop::sample::select(leaves.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operators = ["+", "-", "*", "/", "%", "=", "<>", "<", ">=", "AND", "OR"];
        let unary = [
            "abs",
            "acos",
            "ceil",
            "floor",
            "round",
            "sign",
            "chr",
            "length",
            "lower",
            "trim",
            "md2",
            "isnull",
            "exp",
            "bitnot",
            "sinh",
            "numbytes",
            "topic",
            "concat",
            "get_mqtt_property",
        ];
        let binary = [
            "get",
            "mod",
            "power",
            "trunc",
            "lpad",
            "rpad",
            "substring",
            "indexof",
            "startswith",
            "regexp_substr",
            "decode",
            "encode",
            "parse_time",
            "time_to_epoch",
            "bitxor",
            "atan2",
            "concat",
            "nanvl",
            "get_or_default",
        ];
        let ternary = ["substring", "replace", "regexp_replace", "parse_time", "transform", "concat"];
        prop_oneof![
            (inner.clone(), prop::sample::select(operators.to_vec()), inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (prop::sample::select(unary.to_vec()), inner.clone()).prop_map(|(name, first)| format!("{name}({first})")),
            (prop::sample::select(binary.to_vec()), inner.clone(), inner.clone())
                .prop_map(|(name, first, second)| format!("{name}({first}, {second})")),
            (prop::sample::select(ternary.to_vec()), inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(name, first, second, third)| format!("{name}({first}, {second}, {third})")),
            inner.clone().prop_map(|value| format!("cast(- {value} AS Int)")),
            inner.prop_map(|value| format!("(SELECT {value} AS x, * FROM ({value}) WHERE NOT a = 1)"))
        ]
    })
}

fn evaluate(sql: &str, payload: &[u8]) -> Vec<Bytes> {
    let payload = Bytes::copy_from_slice(payload);
    let (uuid, random) = (String::new, || 0.5);
    let mut results = Vec::new();
    for version in VERSIONS {
        let input = Input::new(&payload, "a/b", "1", u64::MAX, "t", &uuid, &random);
        if let Ok(statement) = Statement::parse(sql, version)
            && let Ok(Some(output)) = statement.select(&input)
        {
            let _value = output.value();
            results.push(output.into_bytes());
        }
        if let Ok(template) = Template::parse(sql, version) {
            let _rendered = template.render(&input);
        }
    }
    results
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>(), payload in any::<Vec<u8>>()) {
        evaluate(&text, &payload);
        evaluate(&format!("SELECT {text}"), &payload);
        evaluate(&format!("${{{text}}}"), &payload);
    }

    #[test]
    fn any_words_are_parsed_or_refused(text in sql_like(), payload in any::<Vec<u8>>()) {
        evaluate(&text, &payload);
        evaluate(&format!("SELECT VALUE {text}"), b"{\"a\":1,\"b\":[\"x\"]}");
    }

    #[test]
    fn any_expression_makes_json(expression in expression(), payload in any::<Vec<u8>>()) {
        let sql = format!("SELECT {expression} AS x");
        prop_assert!(Statement::parse(&sql, SqlVersion::Beta).is_ok(), "{}", sql);
        for payload in [payload.as_slice(), b"{\"a\":1.0,\"b\":{\"c\":\"-7\"}}"] {
            for result in evaluate(&sql, payload) {
                prop_assert!(serde_json::from_slice::<&serde_json::value::RawValue>(&result).is_ok(), "{:?}", result);
            }
        }
    }

    #[test]
    fn a_member_is_the_same_by_itself_and_in_the_whole(
        values in proptest::collection::vec("(-?[0-9]{1,3}(\\.[0-9])?|\"[a-z]\"|\\[1, ?\\{\"a\": ?2\\}\\]|\\{\\}|x)", 0..4),
        space in "[ \n]{0,2}",
    ) {
        let names = ["a", "b", "\\u0061", "c"];
        let members: Vec<_> = names.iter().zip(&values).map(|(name, value)| format!("\"{name}\":{space}{value}")).collect();
        let payload = format!("{{{}}}", members.join(","));
        for name in ["a", "b", "x"] {
            let alone = evaluate(&format!("SELECT {name} AS v"), payload.as_bytes());
            let from_whole = evaluate(&format!("SELECT get(*, '{name}') AS v"), payload.as_bytes());
            prop_assert_eq!(alone, from_whole, "{}", payload);
        }
    }

    #[test]
    fn any_bytes_are_json_or_not(bytes in any::<Vec<u8>>(), text in "[\\[\\]{},:\"\\\\u0-9a-f.eE+ -]{0,40}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let ours = Value::from_json(bytes, SqlVersion::Beta).is_ok();
            let other: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
            // The other reader refuses numbers beyond a double.
            let is_number_range = other.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assert!(is_number_range || ours == other.is_ok(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}

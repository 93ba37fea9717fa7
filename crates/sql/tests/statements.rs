//! Statements and templates as data: text and payload in, result out. Sources: AWS IoT Core developer guide, the page
//! named in each test; "ours" where no page says.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use bytes::Bytes;

use sql::{EvaluateError, Input, SqlVersion, Statement, Template};

const EARLY: SqlVersion = SqlVersion::V2015_10_08;
const LATE: SqlVersion = SqlVersion::V2016_03_23;

fn with_input<T>(payload: &[u8], run: impl FnOnce(&Input<'_>) -> T) -> T {
    let payload = Bytes::copy_from_slice(payload);
    let (uuid, random) = (|| "uuid".to_owned(), || 0.25);
    let mut input = Input::new(&payload, "a/b/c", "123456789012", 1_700_000_000_000, "trace", &uuid, &random);
    input.client_id = Some("client");
    run(&input)
}

/// The result as text; `-` if WHERE is not true.
fn evaluate(sql: &str, version: SqlVersion, payload: &str) -> Result<String, EvaluateError> {
    let statement = Statement::parse(sql, version).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let result = with_input(payload.as_bytes(), |input| statement.evaluate(input))?;
    Ok(result.map_or_else(|| "-".into(), |bytes| String::from_utf8(bytes.to_vec()).unwrap()))
}

fn check(sql: &str, payload: &str, expected: &str) {
    assert_eq!(evaluate(sql, LATE, payload), Ok(expected.to_owned()), "{sql}");
}

fn check_early(sql: &str, payload: &str, expected: &str) {
    assert_eq!(evaluate(sql, EARLY, payload), Ok(expected.to_owned()), "{sql}");
}

fn check_value(expression: &str, expected: &str) {
    check(&format!("SELECT VALUE {expression}"), r#"{"n":7,"s":"x","z":null,"a":[1,"b"],"o":{"p":{"q":2}}}"#, expected);
}

fn check_error(sql: &str, version: SqlVersion, expected: &str) {
    assert_eq!(Statement::parse(sql, version).map(|_| ()).unwrap_err().to_string(), expected, "{sql}");
}

/// binary-payloads, iot-sql-select.
#[test]
fn select_all_hands_on_the_published_bytes() {
    for payload in ["{ \"b\" : 1.0, \"b\" : 2 }", "80", "not JSON", ""] {
        check("SELECT * FROM 'a/#'", payload, payload);
        check("SELECT VALUE *", payload, payload);
    }
    check("SELECT * WHERE t > 20", "{ \"t\" : 21 }", "{ \"t\" : 21 }");
    check("SELECT * WHERE t > 20", "{ \"t\" : 20 }", "-");
    check("SELECT * WHERE t > 20", "not JSON", "-");
    check("SELECT *, 1 AS one", "", r#"{"one":1}"#);
    check("SELECT VALUE encode(*, 'base64')", "{ }", r#""eyB9""#);
    let raw = with_input(b"\xff\x00", |input| Statement::parse("SELECT *", LATE).unwrap().evaluate(input));
    assert_eq!(raw, Ok(Some(Bytes::from_static(b"\xff\x00"))));
    assert_eq!(evaluate("SELECT *, 1 AS one", LATE, "[1]"), Err(EvaluateError::PayloadNotObject));
}

/// iot-sql-select, iot-sql-set, iot-sql-nested-queries.
#[test]
fn select_lists_make_objects() {
    let payload = r#"{"a":{"b":{"c":1}},"b":2,"value":3,"select":4}"#;
    check("SELECT a.b.c, b", payload, r#"{"c":1,"b":2}"#);
    check("SELECT a.b.c AS x.y, b AS x.z", payload, r#"{"x":{"y":1,"z":2}}"#);
    check("SELECT b AS x, b AS x.y", payload, r#"{"x":{"y":2}}"#);
    check("SELECT *, 9 AS b, 8 AS a.b.d", payload, r#"{"a":{"b":{"c":1,"d":8}},"b":9,"value":3,"select":4}"#);
    check("SELECT topic(2), upper('x') AS u", payload, r#"{"topic":"b","u":"X"}"#);
    check("SELECT value FROM 't'", payload, r#"{"value":3}"#);
    check("SELECT value, b", payload, r#"{"value":3,"b":2}"#);
    check("SELECT value + 1 AS v", payload, r#"{"v":4}"#);
    check("select VALUE value", payload, "3");
    check("SELECT VALUE missing", payload, "");
    check("SELECT missing, a.x.y AS z", payload, "{}");
    check("SELECT B", payload, "{}");
    check("SET @x = a.b, @y = @x.c + 1 SELECT @y AS y, @x WHERE @y = 2", payload, r#"{"y":2,"x":{"c":1}}"#);
    check("SELECT VALUE get(*, 'select')", payload, "4");
}

/// iot-sql-nested-queries.
#[test]
fn nested_queries() {
    let payload =
        r#"{"e":[{"n":"t","v":22.5},{"n":"l","v":135},{"n":"t"}],"o":{"a":1,"b":2},"m":[[{"k":1},{"k":2}],[]]}"#;
    check("SELECT VALUE (SELECT VALUE n FROM e)", payload, r#"["t","l","t"]"#);
    check("SELECT VALUE (SELECT VALUE v FROM e)", payload, "[22.5,135]");
    check("SELECT VALUE (SELECT v FROM e WHERE n = 't')", payload, r#"[{"v":22.5},{}]"#);
    check("SELECT VALUE (SELECT *, 1 AS w FROM o)", payload, r#"{"a":1,"b":2,"w":1}"#);
    check("SELECT VALUE (SELECT VALUE a FROM o)", payload, "1");
    check("SELECT VALUE (SELECT VALUE a FROM o WHERE b = 3)", payload, "");
    check("SELECT VALUE (SELECT VALUE a FROM missing)", payload, "");
    check("SELECT VALUE (SELECT VALUE (SELECT VALUE k FROM get(*, 0)) FROM m)", r#"{"m":[[[{"k":1}]]]}"#, "[[1]]");
    check("SELECT VALUE get((SELECT v FROM e WHERE n = 'l'), 0).v", payload, "135");
    check("SET @l = 'l' SELECT VALUE (SELECT VALUE v FROM e WHERE n = @l)", payload, "[135]");
}

/// iot-sql-operators; the precedence is standard SQL's.
#[test]
fn operators_bind_as_in_standard_sql() {
    check_value("1 + 2 * 3 - 4 / 2", "5");
    check_value("(1 + 2) * 3", "9");
    check_value("10 - 3 - 2", "5");
    check_value("-2 * -3", "6");
    check_value("- n", "-7");
    check_value("NOT 1 = 2", "true");
    check_value("NOT true OR true", "true");
    check_value("false AND true OR true", "true");
    check_value("true OR true AND false", "true");
    check_value("1 + 1 = 2 AND 'a' <> 'b'", "true");
    check_value("1 < 2 = true", "true");
    check_value("7 % 4 * 2", "6");
    check_value("2-1", "1");
}

/// iot-sql-operators and iot-sql-data-types.
#[test]
fn conversions() {
    check_value("'1' + 1", "\"11\"");
    check_value("'a' + 1.50", "\"a1.5\"");
    check_value("'a' + o", r#""a{\"p\":{\"q\":2}}""#);
    check_value("'a' + z", "");
    check_value("'a' + missing", "");
    check_value("false AND missing", "");
    check_value("true OR missing", "");
    check_value("'abc' > 'abb'", "");
    check_value("'10' > '9'", "true");
    check_value("z > 1", "");
    check_value("z = null", "true");
    check_value("z <> 1", "true");
    check_value("'7' = n", "false");
    check_value("7.0 = n", "true");
    check_value("[7.0] = [n]", "true");
    check_value("- 'x'", "");
    check_value("1 / 0", "");
    check_value("1 % 0", "");
    check_value("1.5 / 0", "");
    check_value("get(a, 1.4)", "\"b\"");
    check_value("get(o, 1)", "");
    check_value("[missing, 1]", "[1]");
    check_value("{'k': missing, l: 1}", r#"{"l":1}"#);
    check_value("9999999999999999999999999999999999 + 1", "1E+34");
    check_value("9999999999999999999999999999999999 * 9", "8.999999999999999999999999999999999E+34");
    check_value("1E999 * 10", "");
    check_value("CASE n WHEN 7 THEN 'seven' END", "\"seven\"");
    check_value("CASE n WHEN 8 THEN 'eight' END", "");
    check_value("CASE n WHEN missing THEN 1 WHEN 7.0 THEN 2 ELSE 3 END", "2");
    check_value("cast(-1.2 AS int)", "-2");
    check_value("cast('0.5' AS double)", "0.5");
    check_value("cast(1E400 AS Double)", "");
    check_value("'it''s ' + \"\"\"\"", r#""it's \"""#);
}

/// iot-rule-sql-version.
#[test]
fn whole_decimals_stay_decimals_in_the_first_version() {
    let payload = r#"{"a":10.0,"b":4,"c":[1.0]}"#;
    check_early(
        "SELECT a, b, c, a / b AS q, a + b AS s, 'x' + a AS t",
        payload,
        r#"{"a":10.0,"b":4,"c":[1.0],"q":2.5,"s":14.0,"t":"x10.0"}"#,
    );
    check(
        "SELECT a, b, c, a / b AS q, a + b AS s, 'x' + a AS t",
        payload,
        r#"{"a":10,"b":4,"c":[1],"q":2.5,"s":14,"t":"x10"}"#,
    );
    check_early("SELECT VALUE 5.0", payload, "5.0");
    check_early("SELECT VALUE floor(5.5)", payload, "5");
    check("SELECT VALUE cast(5 AS Decimal)", payload, "5");
    assert_eq!(evaluate("SELECT VALUE c", EARLY, payload), Err(EvaluateError::ArrayNeedsVersion));
    check_early("SELECT *, sql_version() AS v", "{}", r#"{"v":"2015-10-08"}"#);
    check_error("SELECT [1] AS a", EARLY, "an array literal needs the SQL version 2016-03-23 at 7");
    check_error("SELECT {} AS a", EARLY, "an object literal needs the SQL version 2016-03-23 at 7");
    check_error("SELECT (SELECT a FROM b) AS a", EARLY, "a nested query needs the SQL version 2016-03-23 at 8");
    check_error("SELECT encode(*, 'base64')", EARLY, "the function encode needs the SQL version 2016-03-23 at 7");
    check_error("SELECT get_or_default(a)", EARLY, "the function get_or_default needs the SQL version 2016-03-23 at 7");
    check_error("SELECT cast(1 AS bool)", EARLY, "cast to bool needs the SQL version 2016-03-23 at 17");
}

/// iot-sql-functions; Undefined, -1 and the like where no page says are ours.
#[test]
fn functions_beyond_the_vectors() {
    check_value("indexof('abc', 'x')", "-1");
    check_value("regexp_substr('abc', 'x')", "");
    check_value("regexp_matches('xaay', 'a{2}')", "true");
    check_value("regexp_replace('a.b', '[.]', '\\$')", "\"a$b\"");
    check_value("regexp_replace('ab', '(a)(b)', '$2$1$10')", "\"baa0\"");
    check_value("regexp_replace('ab', 'a', '$1')", "");
    check_value("regexp_replace(s, 'x', missing)", "");
    check_value("regexp_matches('a', s)", "false");
    check_value("regexp_replace('a1b22', '\\d+', '#')", "\"a#b#\"");
    check_value("regexp_matches('a', '(' + s)", "");
    check_value("substring('h\u{e9}llo', 1, 2)", "\"\u{e9}\"");
    check_value("numbytes('\u{e9}')", "2");
    check_value("trunc('2.55', 1)", "2.5");
    check_value("round(0.5)", "1");
    check_value("chr(128)", "");
    check_value("chr(-1)", "");
    check_value("sign('x')", "");
    check_value("upper()", "");
    check_value("upper('a', 'b')", "");
    check_value("concat(1, 2)", "\"12\"");
    check_value("concat('a', z)", "");
    check_value("concat(a, o)", r#"[1,"b",{"p":{"q":2}}]"#);
    check_value("decode('YWI', 'base64')", "\"ab\"");
    check_value("decode('/w==', 'base64')", "null");
    check_value("decode('e30=', 'base32')", "");
    check_value("encode(n, 'base64')", "\"Nw==\"");
    check_value("get_or_default(regexp_matches('a', '(?=' + s), 'no')", "\"no\"");
    check_value("transform('enrichArray', o, [{'p': 1}])", r#"[{"p":{"q":2}}]"#);
    check_value("transform('other', o, [{'p': 1}])", "");
    check_value("transform('enrichArray', o, [1])", "");
    check_value("timestamp()", "1700000000000");
    check_value("parse_time('yyyy-MM-dd', timestamp())", "\"2023-11-14\"");
    check_value("parse_time('yyyy', timestamp(), 'Mars')", "");
    check_value("topic()", "\"a/b/c\"");
    check_value("topic(4)", "");
    check_value("topic(0)", "");
    check_value("TOPIC('3')", "\"c\"");
    check_value("[clientId(), newuuid(), rand(), traceid()]", r#"["client","uuid",0.25,"trace"]"#);
    check_value("principal()", "");
    check_value("bitnot(13)", "-14");
    check_value("power(2, 0.5) > 1.41421 AND power(2, 0.5) < 1.41422", "true");
    check_value("power(10, 400)", "");
    check_value("sqrt(-1)", "");
    check_value("ln(0)", "");
}

/// iot-sql-reference for the grammar; the words are ours.
#[test]
fn what_is_wrong_is_told() {
    check_error("", LATE, "expected SELECT, found the end at 0");
    check_error("SELEC *", LATE, "expected SELECT, found 'SELEC' at 0");
    check_error("SELECT * x", LATE, "expected FROM, found 'x' at 9");
    check_error("SELECT * FROM \"t\"", LATE, "expected a topic filter in single quotes, found 't' at 14");
    check_error("SELECT * FROM ''", LATE, "expected a topic filter in single quotes, found '' at 14");
    check_error("SELECT * FROM 't' x", LATE, "expected WHERE or the end, found 'x' at 18");
    check_error("SELECT * FROM 't' WHERE", LATE, "expected an expression, found the end at 23");
    check_error("SELECT a, FROM 't'", LATE, "expected an expression, found 'FROM' at 10");
    check_error("SELECT a AS FROM 't'", LATE, "expected FROM, found 't' at 17");
    check_error("SELECT 'abc", LATE, "the string is not closed at 7");
    check_error("SELECT a; DROP", LATE, "the character ';' has no meaning here at 8");
    check_error("SELECT a.1", LATE, "expected a field's name, found '1' at 9");
    check_error("SELECT 1 + 1", LATE, "the expression needs a name: add AS name at 7");
    check_error("SELECT 1E1000 AS a", LATE, "the number is out of range at 7");
    check_error("SELECT f(1)", LATE, "the function f is unknown at 7");
    check_error("SELECT aws_lambda('x', 1)", LATE, "the function aws_lambda is not supported at 7");
    check_error("SELECT Get_Thing_Shadow('x', 'y')", LATE, "the function get_thing_shadow is not supported at 7");
    check_error(
        "SELECT decode(*, 'proto', 'a', 'b', 'c', 'd')",
        LATE,
        "the function decode with 'proto' is not supported at 7",
    );
    check_error(
        "SELECT regexp_matches(a, '(?=x)')",
        LATE,
        "the regular expression (it looks around) is not supported at 7",
    );
    check_error(
        "SELECT regexp_matches(a, '(x)\\1')",
        LATE,
        "the regular expression (it refers back) is not supported at 7",
    );
    check_error("SELECT * WHERE a IN ['x']", LATE, "the operator IN is not supported at 17");
    check_error("SELECT * WHERE a != 1", LATE, "the operator != (use <>) is not supported at 17");
    check_error("SELECT cast(a AS float)", LATE, "cast knows no type float at 17");
    check_error("SELECT CASE a ELSE 1 END AS x", LATE, "expected WHEN, found 'ELSE' at 14");
    check_error("SELECT (a", LATE, "expected ')', found the end at 9");
    check_error("SELECT [1 AS a", LATE, "expected ',' or ']', found 'AS' at 10");
    check_error("SELECT @x", LATE, "the variable @x is not set at 7");
    check_error("SET @x = @x SELECT 1 AS a", LATE, "the variable @x is not set at 9");
    check_error("SET @x = 1, @x = 2 SELECT @x", LATE, "the variable @x is set twice at 12");
    check_error("SET x = 1 SELECT x", LATE, "expected a variable, as in @name, found 'x' at 4");
    check_error(
        &format!("SET @{} = 1 SELECT 1 AS a", "x".repeat(65)),
        LATE,
        "a variable's name has 1 to 64 letters, digits and underscores at 4",
    );
    let eleven: Vec<_> = (0..11).map(|n| format!("@v{n} = {n}")).collect();
    let sql = format!("SET {} SELECT 1 AS a", eleven.join(", "));
    check_error(&sql, LATE, "a statement sets at most 10 variables at 94");
}

/// Ours: see names::limits.
#[test]
fn nesting_and_length_are_bounded() {
    let nested = |open: &str, close: &str, levels: usize| {
        let sql = format!("SELECT VALUE {}a{}", open.repeat(levels), close.repeat(levels));
        Statement::parse(&sql, LATE)
            .map(|_| ())
            .map_err(|error| error.to_string().split(" at ").next().unwrap().to_owned())
    };
    let too_deep = Err("the expression is nested deeper than 64 levels".to_owned());
    for (open, close) in
        [("(", ")"), ("[", "]"), ("-", ""), ("NOT ", ""), ("upper(", ")"), ("{'k':", "}"), ("1+(", ")")]
    {
        assert_eq!(nested(open, close, 30), Ok(()), "{open}");
        assert_eq!(nested(open, close, 100), too_deep, "{open}");
        assert_eq!(nested(open, close, 10_000), too_deep, "{open}");
    }
    assert_eq!(nested("(SELECT VALUE a FROM ", ")", 5000), too_deep);
    assert_eq!(nested("CASE ", " WHEN 1 THEN 1 END", 5000), too_deep);
    let long_path = format!("SELECT a{}", ".a".repeat(100));
    assert!(Statement::parse(&long_path, LATE).is_err());
    let long_alias = format!("SELECT a AS a{}", ".a".repeat(100));
    assert!(Statement::parse(&long_alias, LATE).is_err());
    check(&format!("SELECT VALUE {}", vec!["1"; 10_000].join(" + ")), "{}", "10000");
    let long = format!("SELECT '{}' AS a", "x".repeat(131_072));
    check_error(&long, LATE, "the text is longer than 131072 bytes at 131072");
}

/// Ours, but for the variables: iot-sql-set.
#[test]
fn work_and_results_are_bounded() {
    let items = vec!["1"; 20_000].join(",");
    let payload = format!(r#"{{"a":[{items}],"s":"{}"}}"#, "a".repeat(60_000));
    let check = |sql: &str, expected: EvaluateError| assert_eq!(evaluate(sql, LATE, &payload), Err(expected), "{sql}");
    check(
        "SET @a = a SELECT VALUE (SELECT VALUE (SELECT VALUE (SELECT 1 AS b FROM @a) FROM @a) FROM @a)",
        EvaluateError::TooMuchWork,
    );
    check("SET @s = s SELECT VALUE (SELECT VALUE @s FROM a)", EvaluateError::TooMuchWork);
    let searches = vec!["regexp_matches(s, '[01]*1[01]{9}z')"; 30].join(", ");
    check(&format!("SELECT VALUE [{searches}]"), EvaluateError::TooMuchWork);
    check("SET @s = s SELECT VALUE (SELECT VALUE length(@s) FROM a)", EvaluateError::TooMuchWork);
    check("SET @s = s SELECT VALUE get_or_default((SELECT VALUE @s FROM a), 1)", EvaluateError::TooMuchWork);
    check("SELECT VALUE replace(s, 'a', s)", EvaluateError::ResultTooLong("replace"));
    check("SELECT VALUE regexp_replace(s, 'a', s)", EvaluateError::ResultTooLong("regexp_replace"));
    check(
        "SELECT VALUE transform('enrichArray', {'s': s}, (SELECT 1 AS b FROM a))",
        EvaluateError::ResultTooLong("transform"),
    );
    check("SELECT VALUE s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s+s", EvaluateError::ResultTooLong("+"));
    check("SET @s = s + s, @t = s SELECT 1 AS a", EvaluateError::VariablesTooLong("t".into()));
    check("SET @s = s + s + s SELECT 1 AS a", EvaluateError::VariablesTooLong("s".into()));
}

/// iot-substitution-templates.
#[test]
fn templates() {
    let check = |template: &str, expected: Option<&str>| {
        let template = Template::parse(template, LATE).unwrap_or_else(|error| panic!("{template}: {error}"));
        let payload = br#"{"d":"x","n":1.50,"o":{"a":1},"z":null}"#;
        assert_eq!(with_input(payload, |input| template.render(input)).unwrap().as_deref(), expected, "{template:?}");
    };
    check("", Some(""));
    check("plain $ {d} $$aws/x", Some("plain $ {d} $$aws/x"));
    check("${d}", Some("x"));
    check("a-${d}-${ n }-${o}-b", Some("a-x-1.5-{\"a\":1}-b"));
    check("${d}${d}}", Some("xx}"));
    check("${get({'a': {'b': '}'}}, 'a').b}'", Some("}'"));
    check("${missing}", None);
    check("a${z}", None);
    check("${topic(2)}/${timestamp()}", Some("b/1700000000000"));
    for (text, expected) in [
        ("ab${", "expected an expression, found the end at 4"),
        ("ab${d", "the substitution template is not closed at 5"),
        ("${d e}", "expected an operator or '}', found 'e' at 4"),
        ("${}", "expected an expression, found '}' at 2"),
        ("${aws_lambda('a', 1)}", "the function aws_lambda is not supported at 2"),
        ("${@v}", "the variable @v is not set at 2"),
    ] {
        assert_eq!(Template::parse(text, LATE).map(|_| ()).unwrap_err().to_string(), expected, "{text}");
    }
}

/// Rules are shared by tasks, outputs travel between them.
#[test]
fn statements_templates_and_outputs_may_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Statement>();
    shared::<Template>();
    shared::<sql::Output>();
}

/// iot-sql-set: variables are seen by the rule's templates.
#[test]
fn templates_see_variables_and_outputs_give_values() {
    let statement = Statement::parse("SET @v = a + 1 SELECT * FROM 't/#'", LATE).unwrap();
    let template = Template::parse_with("${@v}/${a}", LATE, &statement.variable_names()).unwrap();
    assert_eq!(statement.from_filter(), Some("t/#"));
    with_input(br#"{"a":1}"#, |input| {
        let output = statement.select(input).unwrap().unwrap();
        assert_eq!(template.render_with(input, output.variables()).unwrap().as_deref(), Some("2/1"));
        assert_eq!(output.value().to_json(), r#"{"a":1}"#);
        assert_eq!(output.bytes(), input.payload);
    });
    assert_eq!(Template::parse("x", LATE).unwrap().as_constant(), Some("x"));
    assert_eq!(template.as_constant(), None);
}

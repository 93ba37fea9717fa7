//! Reading JSON (RFC 8259). Of members with one name the last counts.

use std::borrow::Cow;
use std::ops::Range;

use names::limits;

use super::read_number;
use crate::value::Object;
use crate::{SqlVersion, Value};

/// Why bytes are no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// Not UTF-8.
    #[error("the JSON is not UTF-8")]
    Encoding,
    /// Not JSON's grammar; the place in bytes.
    #[error("the JSON is wrong at {0}")]
    Syntax(usize),
    /// Nested too deep.
    #[error("the JSON is nested deeper than {} levels", limits::JSON_DEPTH_MAX)]
    TooDeep,
}

/// Reads one value with nothing but white space around it. A number beyond the Decimal range is Undefined.
pub(crate) fn read(bytes: &[u8], version: SqlVersion) -> Result<Value, NotJson> {
    let mut reader = Reader::new(bytes, version)?;
    let value = reader.value(limits::JSON_DEPTH_MAX)?;
    reader.end()?;
    Ok(value)
}

/// The members of an object, each by the place of its value, for reading those that are wanted. None if the bytes are
/// no object. All of them are checked, so that reading one does not fail.
pub(crate) fn members(bytes: &[u8]) -> Result<Option<Places>, NotJson> {
    let mut reader = Reader::new(bytes, SqlVersion::default())?;
    reader.keeps_values = false;
    reader.space();
    if reader.peek() != Some(b'{') {
        return Ok(None);
    }
    let mut members = Vec::new();
    reader.each_member(|reader, name| {
        reader.space();
        let start = reader.position;
        reader.value(limits::JSON_DEPTH_MAX - 1)?;
        members.push((name.into_owned(), start..reader.position));
        Ok(())
    })?;
    reader.end()?;
    Ok(Some(members))
}

/// Names of members and where their values stand.
pub(crate) type Places = Vec<(String, Range<usize>)>;

struct Reader<'t> {
    text: &'t str,
    position: usize,
    version: SqlVersion,
    /// False where values are only checked and passed over.
    keeps_values: bool,
}

impl<'t> Reader<'t> {
    fn new(bytes: &'t [u8], version: SqlVersion) -> Result<Self, NotJson> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotJson::Encoding)?;
        Ok(Self { text, position: 0, version, keeps_values: true })
    }

    fn end(&mut self) -> Result<(), NotJson> {
        self.space();
        if self.position == self.text.len() { Ok(()) } else { Err(self.wrong()) }
    }

    /// A value that may hold `depth` levels.
    fn value(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth.checked_sub(1).ok_or(NotJson::TooDeep)?),
            Some(b'[') => self.array(depth.checked_sub(1).ok_or(NotJson::TooDeep)?),
            Some(b'"') => {
                let text = self.string()?;
                Ok(if self.keeps_values { Value::String(text.into_owned()) } else { Value::Undefined })
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.wrong()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, NotJson> {
        let mut members = Object::new();
        self.each_member(|reader, name| {
            let value = reader.value(depth)?;
            if reader.keeps_values {
                members.insert(name.into_owned(), value);
            }
            Ok(())
        })?;
        Ok(Value::Object(members))
    }

    /// Passes over an object; `read` reads the value behind each name and its colon.
    fn each_member(
        &mut self,
        mut read: impl FnMut(&mut Self, Cow<'t, str>) -> Result<(), NotJson>,
    ) -> Result<(), NotJson> {
        self.require(b'{')?;
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.require(b':')?;
            read(self, name)?;
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            self.require(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.position += 1;
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            let item = self.value(depth)?;
            if self.keeps_values {
                items.push(item);
            }
            self.space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            self.require(b',')?;
        }
    }

    fn string(&mut self) -> Result<Cow<'t, str>, NotJson> {
        self.require(b'"')?;
        let mut owned = String::new();
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let plain = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let piece = plain.and_then(|length| rest.get(..length)).ok_or_else(|| self.wrong())?;
            self.position += piece.len();
            if self.take(b'"') {
                return Ok(if owned.is_empty() { Cow::Borrowed(piece) } else { Cow::Owned(owned + piece) });
            }
            owned.push_str(piece);
            self.require(b'\\')?;
            owned.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Result<char, NotJson> {
        let letter = self.peek().ok_or_else(|| self.wrong())?;
        self.position += 1;
        match letter {
            b'"' | b'\\' | b'/' => Ok(char::from(letter)),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode(),
            _ => Err(self.wrong()),
        }
    }

    /// Four hexadecimal digits, or twice four for a surrogate pair.
    fn unicode(&mut self) -> Result<char, NotJson> {
        let first = self.code_unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.wrong());
        }
        self.require(b'\\')?;
        self.require(b'u')?;
        let second = self.code_unit()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(self.wrong());
        }
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or_else(|| self.wrong())
    }

    fn code_unit(&mut self) -> Result<u32, NotJson> {
        let digits = self.text.get(self.position..self.position + 4).ok_or_else(|| self.wrong())?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.wrong());
        }
        self.position += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.wrong())
    }

    fn number(&mut self) -> Result<Value, NotJson> {
        let start = self.position;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        if !self.keeps_values {
            return Ok(Value::Undefined);
        }
        let text = self.text.get(start..self.position).unwrap_or_default();
        Ok(read_number(text, self.version).unwrap_or_default())
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.position;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        if self.position == start { Err(self.wrong()) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, NotJson> {
        let rest = self.text.as_bytes().get(self.position..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.wrong());
        }
        self.position += word.len();
        Ok(value)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.position += usize::from(is_there);
        is_there
    }

    fn require(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong()) }
    }

    fn wrong(&self) -> NotJson {
        NotJson::Syntax(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str, version: SqlVersion) -> String {
        read(text.as_bytes(), version).map_or_else(|error| format!("{error:?}"), |value| value.to_json())
    }

    #[test]
    fn json_comes_back_as_it_went_in() {
        let check = |text: &str, expected: &str| assert_eq!(json(text, SqlVersion::V2016_03_23), expected, "{text}");
        check(" {\"b\" : [1, -2.5 ,true,null,{}] ,\"a\":\"x\"}\n", r#"{"b":[1,-2.5,true,null,{}],"a":"x"}"#);
        check(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, "\"\\\"\\\\/\\b\\f\\n\\r\\t\u{e9}\u{1f600}\"");
        check("1234567890123456789012345678901234", "1234567890123456789012345678901234");
        check("0.1234567890123456789012345678901234", "0.1234567890123456789012345678901234");
        check("[10.0,1e3,1e400,1e-5]", "[10,1000,1E+400,0.00001]");
        check("[1e1000,1]", "[1]");
        check(r#"{"a":1,"a":2}"#, r#"{"a":2}"#);
        assert_eq!(json("[10.0,1e3,10]", SqlVersion::V2015_10_08), "[10.0,1000.0,10]");
    }

    #[test]
    fn members_are_told_apart() {
        let text = r#" { "a" : [1, {"b":"}"}] , "\u0062":"x" ,"a": 2.0 } "#;
        let found = members(text.as_bytes()).unwrap().unwrap();
        let found: Vec<_> = found.iter().map(|(name, place)| (name.as_str(), &text[place.clone()])).collect();
        assert_eq!(found, [("a", r#"[1, {"b":"}"}]"#), ("b", "\"x\""), ("a", "2.0")]);
        assert_eq!(members(b"[1]"), Ok(None));
        assert_eq!(members(b"{}"), Ok(Some(Vec::new())));
        for text in ["{", "{\"a\":}", "{\"a\":01}", "{} x", "{\"a\":1,}"] {
            assert!(members(text.as_bytes()).is_err(), "{text}");
        }
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(members(nested(limits::JSON_DEPTH_MAX - 1).as_bytes()).is_ok());
        assert_eq!(members(nested(limits::JSON_DEPTH_MAX).as_bytes()), Err(NotJson::TooDeep));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let bad = [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "nul",
            "truex",
            "1 2",
            "\"a",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\u+123\"",
            "\"\n\"",
            "NaN",
            "[1 2]",
            "{\"a\" 1}",
        ];
        for text in bad {
            assert!(matches!(read(text.as_bytes(), SqlVersion::Beta), Err(NotJson::Syntax(_))), "{text}");
        }
        assert_eq!(read(b"\"\xff\"", SqlVersion::Beta), Err(NotJson::Encoding));
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(nested(limits::JSON_DEPTH_MAX).as_bytes(), SqlVersion::Beta).is_ok());
        assert_eq!(read(nested(limits::JSON_DEPTH_MAX + 1).as_bytes(), SqlVersion::Beta), Err(NotJson::TooDeep));
        assert_eq!(read("[".repeat(1_000_000).as_bytes(), SqlVersion::Beta), Err(NotJson::TooDeep));
    }
}

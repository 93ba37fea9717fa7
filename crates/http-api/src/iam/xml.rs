//! The XML of the answers.

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use names::Timestamp;
use quick_xml::escape::escape;

/// An element: text, or other elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text(String),
    Children(Vec<Element>),
}

impl Element {
    pub(super) fn text(name: impl Into<String>, text: impl ToString) -> Self {
        Self { name: name.into(), content: Content::Text(text.to_string()) }
    }

    pub(super) fn parent(name: impl Into<String>, children: impl IntoIterator<Item = Self>) -> Self {
        Self { name: name.into(), content: Content::Children(children.into_iter().collect()) }
    }

    /// The recursion is as deep as this program's own answers.
    fn write(&self, out: &mut String) {
        let Self { name, content } = self;
        out.extend(["<", name, ">"]);
        match content {
            Content::Text(text) => out.push_str(&escape(without_controls(text))),
            Content::Children(children) => children.iter().for_each(|child| child.write(out)),
        }
        out.extend(["</", name, ">"]);
    }
}

/// `<ActionResponse><ActionResult>..</ActionResult><ResponseMetadata>..`; actions without a result have none.
pub(super) fn success(namespace: &str, action: &str, result: Option<Element>, request_id: &str) -> Response<Bytes> {
    let mut body = format!("<{action}Response xmlns=\"{namespace}\">");
    if let Some(result) = result {
        result.write(&mut body);
    }
    Element::parent("ResponseMetadata", [Element::text("RequestId", request_id)]).write(&mut body);
    body.extend(["</", action, "Response>"]);
    respond(body)
}

/// `<ErrorResponse><Error>..</Error><RequestId>..`.
pub(super) fn failure(error: Element, request_id: &str) -> Response<Bytes> {
    let mut body = String::new();
    Element::parent("ErrorResponse", [error, Element::text("RequestId", request_id)]).write(&mut body);
    respond(body)
}

/// ISO 8601 with seconds, as IAM writes dates.
pub(super) fn date(time: Timestamp) -> String {
    let seconds = time.as_seconds();
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    // The year begins in March, so that the leap day is last; 719,468 days lie between 0000-03-01 and 1970-01-01.
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// XML 1.0 has no way to write most control characters.
fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect()
}

fn respond(body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dates by `date -u`.
    #[test]
    fn dates_are_iso_8601() {
        let check = |seconds: u64, expected: &str| assert_eq!(date(Timestamp::from_millis(seconds * 1000)), expected);
        check(0, "1970-01-01T00:00:00Z");
        check(1_704_164_645, "2024-01-02T03:04:05Z");
        check(1_709_164_800, "2024-02-29T00:00:00Z");
        check(1_735_689_599, "2024-12-31T23:59:59Z");
        check(2_524_607_999, "2049-12-31T23:59:59Z");
    }

    #[test]
    fn text_is_escaped() {
        let element = Element::parent("GetRoleResult", [Element::text("Role", "<a>&\"\u{1}b")]);
        let response = success("urn:x", "GetRole", Some(element), "R");
        let expected = "<GetRoleResponse xmlns=\"urn:x\"><GetRoleResult><Role>&lt;a&gt;&amp;&quot;b</Role></GetRoleResult>\
             <ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></GetRoleResponse>";
        assert_eq!(std::str::from_utf8(response.body()).unwrap(), expected);
    }
}

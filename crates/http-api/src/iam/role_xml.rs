//! A role as IAM's answers write it.

use ::iam::Role;
use names::ArnSpace;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::xml::{Element, date};

/// `<Role>` or, in lists, `<member>`.
pub(super) fn role(element: &str, role: &Role, arns: &ArnSpace) -> Element {
    let mut children = vec![
        Element::text("Path", &role.path),
        Element::text("RoleName", &role.name),
        Element::text("RoleId", &role.role_id),
        Element::text("Arn", arns.role(&role.path, &role.name)),
        Element::text("CreateDate", date(role.created_at)),
        Element::text("AssumeRolePolicyDocument", document(&role.trust_policy)),
    ];
    if let Some(description) = &role.description {
        children.push(Element::text("Description", description));
    }
    children.push(Element::text("MaxSessionDuration", role.max_session_seconds));
    Element::parent(element, children)
}

/// Policy documents are URL-encoded in answers (IAM API reference, `GetRole`, RFC 3986).
pub(super) fn document(json: &str) -> String {
    utf8_percent_encode(json, &RESERVED).to_string()
}

const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

//! ListRoles: roles by name, in pages.

use super::form::Form;
use super::refusal::Refusal;
use super::role_xml;
use super::xml::Element;
use crate::services::Call;

/// The marker is the last name of the page before.
pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    let limit = form.parsed("MaxItems")?.unwrap_or(PAGE_SIZE_DEFAULT).clamp(1, PAGE_SIZE_MAX);
    let mut roles = call.services.iam.roles(form.optional("Marker"), limit + 1)?;
    let is_truncated = roles.len() > limit;
    roles.truncate(limit);
    let members = roles.iter().map(|role| role_xml::role("member", role, &call.services.arns));
    let mut children = vec![Element::parent("Roles", members), Element::text("IsTruncated", is_truncated)];
    if let Some(last) = roles.last().filter(|_| is_truncated) {
        children.push(Element::text("Marker", &last.name));
    }
    Ok(Some(Element::parent("ListRolesResult", children)))
}

/// IAM API reference, `ListRoles`.
const PAGE_SIZE_DEFAULT: usize = 100;
const PAGE_SIZE_MAX: usize = 1000;

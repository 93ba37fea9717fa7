//! ListRolePolicies: the names of a role's inline policies.

use super::form::Form;
use super::refusal::Refusal;
use super::xml::Element;
use crate::services::Call;

/// All of them: a role's policies are few (IAM quotas).
pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    let names = call.services.iam.role_policies(&form.parsed_required("RoleName")?)?;
    let members = names.iter().map(|name| Element::text("member", name));
    let children = [Element::parent("PolicyNames", members), Element::text("IsTruncated", false)];
    Ok(Some(Element::parent("ListRolePoliciesResult", children)))
}

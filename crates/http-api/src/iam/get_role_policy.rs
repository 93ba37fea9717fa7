//! GetRolePolicy: an inline policy of a role.

use super::form::Form;
use super::refusal::Refusal;
use super::role_xml;
use super::xml::Element;
use crate::services::Call;

pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    let (role, policy) = (form.parsed_required("RoleName")?, form.required("PolicyName")?);
    let document = call.services.iam.role_policy(&role, policy)?;
    let children = [
        Element::text("RoleName", role),
        Element::text("PolicyName", policy),
        Element::text("PolicyDocument", role_xml::document(&document)),
    ];
    Ok(Some(Element::parent("GetRolePolicyResult", children)))
}

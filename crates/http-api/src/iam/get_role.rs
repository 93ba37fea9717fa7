//! GetRole: one role.

use super::form::Form;
use super::refusal::Refusal;
use super::role_xml;
use super::xml::Element;
use crate::services::Call;

pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    let role = call.services.iam.role(&form.parsed_required("RoleName")?)?;
    Ok(Some(Element::parent("GetRoleResult", [role_xml::role("Role", &role, &call.services.arns)])))
}

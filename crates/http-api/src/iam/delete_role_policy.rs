//! DeleteRolePolicy: takes an inline policy from a role.

use super::form::Form;
use super::refusal::Refusal;
use super::xml::Element;
use crate::services::Call;

pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    call.services.iam.delete_role_policy(&form.parsed_required("RoleName")?, form.required("PolicyName")?)?;
    Ok(None)
}

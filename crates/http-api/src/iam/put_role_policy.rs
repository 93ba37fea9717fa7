//! PutRolePolicy: an inline policy of a role, new or replaced.

use super::form::Form;
use super::refusal::Refusal;
use super::xml::Element;
use crate::services::Call;

pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    let (role, policy) = (form.parsed_required("RoleName")?, form.required("PolicyName")?);
    call.services.iam.put_role_policy(&role, policy, form.required("PolicyDocument")?, call.now)?;
    Ok(None)
}

//! DeleteRole: a role without policies.

use super::form::Form;
use super::refusal::Refusal;
use super::xml::Element;
use crate::services::Call;

pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    call.services.iam.delete_role(&form.parsed_required("RoleName")?)?;
    Ok(None)
}

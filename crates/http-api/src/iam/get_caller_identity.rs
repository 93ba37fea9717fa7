//! GetCallerIdentity: who signed this request.

use super::form::Form;
use super::refusal::Refusal;
use super::xml::Element;
use crate::services::Call;

#[expect(clippy::unnecessary_wraps, reason = "every action of this protocol has the same shape")]
pub(super) fn run(call: &Call<'_>, _form: &Form) -> Result<Option<Element>, Refusal> {
    let children = [
        Element::text("Arn", call.principal_arn()),
        Element::text("UserId", call.principal_id()),
        Element::text("Account", &call.services.arns.account),
    ];
    Ok(Some(Element::parent("GetCallerIdentityResult", children)))
}

//! CreateRole: a role with the policy that says who may take it on.

use ::iam::NewRole;

use super::form::Form;
use super::refusal::Refusal;
use super::role_xml;
use super::xml::Element;
use crate::services::Call;

pub(super) fn run(call: &Call<'_>, form: &Form) -> Result<Option<Element>, Refusal> {
    let new = NewRole {
        name: form.parsed_required("RoleName")?,
        path: form.optional("Path").unwrap_or("/").to_owned(),
        trust_policy: form.required("AssumeRolePolicyDocument")?.to_owned(),
        description: form.optional("Description").map(str::to_owned),
        max_session_seconds: form.parsed("MaxSessionDuration")?.unwrap_or(SESSION_SECONDS_DEFAULT),
        role_id: role_id(&call.new_id()),
    };
    let role = call.services.iam.create_role(new, call.now)?;
    Ok(Some(Element::parent("CreateRoleResult", [role_xml::role("Role", &role, &call.services.arns)])))
}

/// Role ids start with AROA and have 21 upper-case letters and digits (IAM user guide, unique identifiers).
fn role_id(uuid: &str) -> String {
    let random = uuid.chars().filter(char::is_ascii_alphanumeric).take(17).map(|c| c.to_ascii_uppercase());
    "AROA".chars().chain(random).collect()
}

const SESSION_SECONDS_DEFAULT: u32 = 3600;

//! IAM's and STS's own protocol, AWS Query: a form goes in, XML comes out. One file an action.
//!
//! What is served is what a rule's role needs, and `GetCallerIdentity`; the rest is refused by name.

mod create_role;
mod delete_role;
mod delete_role_policy;
mod form;
mod get_caller_identity;
mod get_role;
mod get_role_policy;
mod list_role_policies;
mod list_roles;
mod put_role_policy;
mod refusal;
mod role_xml;
mod xml;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Response};

use crate::error::ApiError;
use crate::services::{Call, Scope};
use form::Form;
use refusal::Refusal;
use xml::Element;

/// The answer to a signed request in the scope of `iam` or `sts`.
pub(crate) fn answer(call: &Call<'_>, parts: &Parts, body: &Bytes, request_id: &str) -> Response<Bytes> {
    let answered = form(parts, body).and_then(|form| {
        let action = form.required("Action")?;
        run(call, action, &form).map(|result| xml::success(namespace(call.caller.scope), action, result, request_id))
    });
    answered.unwrap_or_else(|refusal| refusal.answer(request_id))
}

/// Whether the request speaks AWS Query, so that even a refusal before authentication must be XML.
pub(crate) fn is_query_request(parts: &Parts) -> bool {
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    parts.uri.path() == "/" && content_type.starts_with("application/x-www-form-urlencoded")
}

/// An error from the front door, in this protocol.
pub(crate) fn refuse(error: &ApiError, request_id: &str) -> Response<Bytes> {
    Refusal::from(error).answer(request_id)
}

fn run(call: &Call<'_>, action: &str, form: &Form) -> Result<Option<Element>, Refusal> {
    let served = ACTIONS.iter().find(|(scope, name, _)| (*scope, *name) == (call.caller.scope, action));
    served.map_or_else(|| Err(Refusal::not_implemented(action)), |(_, _, run)| run(call, form))
}

type Action = fn(&Call<'_>, &Form) -> Result<Option<Element>, Refusal>;

/// Every action that is served.
const ACTIONS: [(Scope, &str, Action); 9] = [
    (Scope::Iam, "CreateRole", create_role::run),
    (Scope::Iam, "DeleteRole", delete_role::run),
    (Scope::Iam, "DeleteRolePolicy", delete_role_policy::run),
    (Scope::Sts, "GetCallerIdentity", get_caller_identity::run),
    (Scope::Iam, "GetRole", get_role::run),
    (Scope::Iam, "GetRolePolicy", get_role_policy::run),
    (Scope::Iam, "ListRolePolicies", list_role_policies::run),
    (Scope::Iam, "ListRoles", list_roles::run),
    (Scope::Iam, "PutRolePolicy", put_role_policy::run),
];

/// The names of the actions that are served in a scope.
#[cfg(test)]
pub(crate) fn served_actions(scope: Scope) -> Vec<&'static str> {
    ACTIONS.iter().filter(|(of, _, _)| *of == scope).map(|(_, name, _)| *name).collect()
}

fn form(parts: &Parts, body: &Bytes) -> Result<Form, Refusal> {
    if parts.method != Method::POST || parts.uri.path() != "/" {
        return Err(Refusal::new("InvalidAction", 400, "IAM and STS are asked by POST to the path '/'."));
    }
    Ok(Form::read(body))
}

fn namespace(scope: Scope) -> &'static str {
    if scope == Scope::Sts {
        "https://sts.amazonaws.com/doc/2011-06-15/"
    } else {
        "https://iam.amazonaws.com/doc/2010-05-08/"
    }
}

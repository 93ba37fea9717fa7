//! The control plane: one file an operation, one line each in the table.

mod attach_policy;
mod attach_thing_principal;
mod attributes;
mod create_certificate_from_csr;
mod create_keys_and_certificate;
mod create_policy;
mod create_thing;
mod create_topic_rule;
mod delete_certificate;
mod delete_policy;
mod delete_thing;
mod delete_topic_rule;
mod describe_certificate;
mod describe_endpoint;
mod describe_thing;
mod detach_policy;
mod detach_thing_principal;
mod disable_topic_rule;
mod enable_topic_rule;
mod get_policy;
mod get_topic_rule;
mod list_attached_policies;
mod list_certificates;
mod list_policies;
mod list_principal_things;
mod list_targets_for_policy;
mod list_thing_principals;
mod list_things;
mod list_topic_rules;
mod principal;
mod register_certificate_without_ca;
mod replace_topic_rule;
mod rule_payload;
mod update_certificate;
mod update_thing;

use crate::handlers::Handlers;

/// Enters every operation of the control plane that is served.
pub(crate) fn register(handlers: &mut Handlers<'_>) {
    handlers.control("AttachPolicy", attach_policy::run);
    handlers.control("AttachThingPrincipal", attach_thing_principal::run);
    handlers.control("CreateCertificateFromCsr", create_certificate_from_csr::run);
    handlers.control("CreateKeysAndCertificate", create_keys_and_certificate::run);
    handlers.control("CreatePolicy", create_policy::run);
    handlers.control("CreateThing", create_thing::run);
    handlers.control("CreateTopicRule", create_topic_rule::run);
    handlers.control("DeleteCertificate", delete_certificate::run);
    handlers.control("DeletePolicy", delete_policy::run);
    handlers.control("DeleteThing", delete_thing::run);
    handlers.control("DeleteTopicRule", delete_topic_rule::run);
    handlers.control("DescribeCertificate", describe_certificate::run);
    handlers.control("DescribeEndpoint", describe_endpoint::run);
    handlers.control("DescribeThing", describe_thing::run);
    handlers.control("DetachPolicy", detach_policy::run);
    handlers.control("DetachThingPrincipal", detach_thing_principal::run);
    handlers.control("DisableTopicRule", disable_topic_rule::run);
    handlers.control("EnableTopicRule", enable_topic_rule::run);
    handlers.control("GetPolicy", get_policy::run);
    handlers.control("GetTopicRule", get_topic_rule::run);
    handlers.control("ListAttachedPolicies", list_attached_policies::run);
    handlers.control("ListCertificates", list_certificates::run);
    handlers.control("ListPolicies", list_policies::run);
    handlers.control("ListPrincipalThings", list_principal_things::run);
    handlers.control("ListTargetsForPolicy", list_targets_for_policy::run);
    handlers.control("ListThingPrincipals", list_thing_principals::run);
    handlers.control("ListThings", list_things::run);
    handlers.control("ListTopicRules", list_topic_rules::run);
    handlers.control("RegisterCertificateWithoutCA", register_certificate_without_ca::run);
    handlers.control("ReplaceTopicRule", replace_topic_rule::run);
    handlers.control("UpdateCertificate", update_certificate::run);
    handlers.control("UpdateThing", update_thing::run);
}

//! The names of condition keys, which compare without regard to case: each is spelled here as AWS's guide does, so
//! that a [`Context`](crate::Context) may compare exactly.

/// The key in the spelling of the AWS IoT Core developer guide where it is known, otherwise as written.
pub(crate) fn canonical(key: &str) -> Box<str> {
    let Some((service, name)) = key.split_once(':') else {
        return key.into();
    };
    let Some(service) = SERVICES.iter().find(|known| known.eq_ignore_ascii_case(service)) else {
        return key.into();
    };
    if let Some(attribute) = strip_prefix_ignoring_case(name, ATTRIBUTES) {
        return format!("{service}:{ATTRIBUTES}{attribute}").into();
    }
    let words: Vec<&str> = name.split('.').map(canonical_word).collect();
    format!("{service}:{}", words.join(".")).into()
}

fn canonical_word(word: &str) -> &str {
    WORDS.iter().find(|known| known.eq_ignore_ascii_case(word)).copied().unwrap_or(word)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (front, rest) = text.split_at_checked(prefix.len())?;
    front.eq_ignore_ascii_case(prefix).then_some(rest)
}

const SERVICES: &[&str] = &["iot", "aws"];

/// An attribute's name follows, which keeps its case and may hold dots.
const ATTRIBUTES: &str = "Connection.Thing.Attributes[";

/// AWS IoT Core developer guide, basic, thing and certificate policy variables; IAM, global condition keys.
const WORDS: &[&str] = &[
    "ClientId",
    "DomainName",
    "CertificateId",
    "ConnectAttributes",
    "LastWillTopic",
    "Connection",
    "Thing",
    "ThingName",
    "ThingTypeName",
    "IsAttached",
    "Certificate",
    "Subject",
    "Issuer",
    "AlternativeName",
    "AvailableKeys",
    "List",
    "DistinguishedNameQualifier",
    "Country",
    "Organization",
    "OrganizationalUnit",
    "State",
    "CommonName",
    "SerialNumber",
    "Title",
    "Surname",
    "GivenName",
    "Initials",
    "Pseudonym",
    "GenerationQualifier",
    "RFC822Name",
    "DNSName",
    "DirectoryName",
    "UniformResourceIdentifier",
    "IPAddress",
    "SourceIp",
    "SourceArn",
    "SourceAccount",
    "CurrentTime",
    "EpochTime",
    "SecureTransport",
    "PrincipalArn",
    "PrincipalAccount",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_keys_get_the_guides_spelling() {
        let check = |key: &str, expected: &str| assert_eq!(&*canonical(key), expected);
        check("IOT:clientid", "iot:ClientId");
        check("aws:sourceip", "aws:SourceIp");
        check("iot:certificate.subject.organization.LIST", "iot:Certificate.Subject.Organization.List");
        check("iot:Certificate.Subject.CommonName.1", "iot:Certificate.Subject.CommonName.1");
        check("iot:connection.thing.attributes[Colour.x]", "iot:Connection.Thing.Attributes[Colour.x]");
        check("dynamodb:LeadingKeys", "dynamodb:LeadingKeys");
        check("nocolon", "nocolon");
    }
}

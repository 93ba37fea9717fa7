//! One value in a condition, compiled for its operator, and how a value of the context compares with it.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::arn_pattern::ArnPattern;
use crate::dates;
use crate::glob::Case;
use crate::question::Context;
use crate::variables::{Substitution, Syntax, Template, Unresolved};

/// What an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text { wildcards: bool, case: Case },
    Arn,
    Number(Relation),
    Date(Relation),
    Bool,
    Address,
}

/// How the context's value must stand to the condition's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value of a condition.
#[derive(Debug, Clone)]
pub(crate) enum Comparand {
    Text(Template),
    Arn(ArnPattern),
    Number(Relation, f64),
    Date(Relation, i64),
    Bool(bool),
    Network(Network),
}

/// Addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    base: IpAddr,
    prefix_bits: u8,
}

impl Comparand {
    /// The error is the problem with `text`, without its place.
    pub(crate) fn parse(text: &str, kind: Kind, variables: bool) -> Result<Self, String> {
        let not = |what: &str| format!("{text:?} is not {what}");
        Ok(match kind {
            Kind::Text { wildcards, case } => Self::Text(Template::parse(text, Syntax { variables, wildcards, case })?),
            Kind::Arn => Self::Arn(arn(text, variables)?),
            Kind::Number(relation) => Self::Number(relation, number(text).ok_or_else(|| not("a number"))?),
            Kind::Date(relation) => Self::Date(relation, dates::parse(text).ok_or_else(|| not("a date"))?),
            Kind::Bool => Self::Bool(boolean(text).ok_or_else(|| not("true or false"))?),
            Kind::Address => {
                Self::Network(Network::parse(text).ok_or_else(|| not("an IP address or a range in CIDR form"))?)
            }
        })
    }

    /// Whether the context's `value` compares; a value of another kind does not.
    pub(crate) fn matches(&self, value: &str, context: &dyn Context) -> Result<bool, Unresolved<'_>> {
        Ok(match self {
            Self::Text(template) => template.matches(value, context, Substitution::Any)?,
            Self::Arn(pattern) => pattern.matches(value, context, Substitution::Any)?,
            Self::Number(relation, wanted) => {
                number(value).and_then(|value| value.partial_cmp(wanted)).is_some_and(|order| relation.holds(order))
            }
            Self::Date(relation, wanted) => dates::parse(value).is_some_and(|value| relation.holds(value.cmp(wanted))),
            Self::Bool(wanted) => boolean(value) == Some(*wanted),
            Self::Network(network) => value.parse().is_ok_and(|address| network.contains(address)),
        })
    }

    pub(crate) fn first_unresolved(&self, context: &dyn Context) -> Option<Unresolved<'_>> {
        match self {
            Self::Text(template) => template.first_unresolved(context),
            Self::Arn(pattern) => pattern.first_unresolved(context),
            _ => None,
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().ok()?;
        let bits_max = if base.is_ipv4() { 32 } else { 128 };
        let digits = |bits: &&str| bits.bytes().all(|b| b.is_ascii_digit());
        let prefix_bits = match bits {
            Some(bits) => Some(bits).filter(digits)?.parse().ok().filter(|&bits: &u8| bits <= bits_max)?,
            None => bits_max,
        };
        Some(Self { base, prefix_bits })
    }

    /// An IPv4 address that came in IPv6's clothes is still that IPv4 address.
    fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differing = base.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix_bits)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differing = base.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix_bits)
            }
            _ => false,
        }
    }
}

/// Six components (IAM reference, ARN condition operators); fewer are accepted when the last ends with a `*`, which
/// then takes the rest.
fn arn(text: &str, variables: bool) -> Result<ArnPattern, String> {
    let pattern = ArnPattern::parse(text, Syntax { variables, wildcards: true, case: Case::Sensitive })?;
    if !pattern.is_complete() && !text.ends_with('*') {
        return Err(format!("{text:?} is not an ARN"));
    }
    Ok(pattern)
}

fn number(text: &str) -> Option<f64> {
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(numeric) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    [true, false].into_iter().find(|value| text.eq_ignore_ascii_case(&value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapContext;

    fn check(kind: Kind, wanted: &str, value: &str, expected: bool) {
        let context = MapContext::new().with("iot:ClientId", "c:1");
        let comparand = Comparand::parse(wanted, kind, true).unwrap();
        assert_eq!(comparand.matches(value, &context), Ok(expected), "{wanted} {value}");
    }

    #[test]
    fn numbers_compare_by_value() {
        check(Kind::Number(Relation::Equal), "10", "10.0", true);
        check(Kind::Number(Relation::Equal), "10", "1e1", true);
        check(Kind::Number(Relation::Less), "10", "9.5", true);
        check(Kind::Number(Relation::Less), "10", "10", false);
        check(Kind::Number(Relation::LessOrEqual), "10", "10", true);
        check(Kind::Number(Relation::Greater), "-1", "0", true);
        check(Kind::Number(Relation::GreaterOrEqual), "-1", "-1", true);
        check(Kind::Number(Relation::Equal), "10", "ten", false);
    }

    #[test]
    fn addresses_are_in_networks() {
        // IAM reference, IP address condition operators.
        check(Kind::Address, "203.0.113.0/24", "203.0.113.255", true);
        check(Kind::Address, "203.0.113.0/24", "203.0.114.0", false);
        check(Kind::Address, "203.0.113.7", "203.0.113.7", true);
        check(Kind::Address, "203.0.113.7", "203.0.113.8", false);
        check(Kind::Address, "0.0.0.0/0", "255.1.2.3", true);
        check(Kind::Address, "0.0.0.0/0", "::1", false);
        check(Kind::Address, "10.0.0.0/8", "::ffff:10.1.2.3", true);
        check(Kind::Address, "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", true);
        check(Kind::Address, "2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1", false);
        check(Kind::Address, "::/0", "2001::", true);
        check(Kind::Address, "10.0.0.0/8", "nonsense", false);
    }

    #[test]
    fn arns_compare_by_component() {
        check(Kind::Arn, "arn:aws:iot:*:123456789012:topic/a", "arn:aws:iot:us-east-1:123456789012:topic/a", true);
        check(Kind::Arn, "arn:aws:iot:*:topic/a:x", "arn:aws:iot:us-east-1:123456789012:topic/a", false);
        check(Kind::Arn, "arn:aws:*:us-east-1:1:a", "arn:aws:iot:x:us-east-1:1:a", false);
        check(Kind::Arn, "arn:aws:iot:r:1:a:b*", "arn:aws:iot:r:1:a:b:c", true);
        check(Kind::Arn, "arn:aws:iot:r:1:topic/${iot:ClientId}", "arn:aws:iot:r:1:topic/c:1", true);
        check(Kind::Arn, "arn:aws:*", "arn:aws:iot:r:1:a", true);
        check(Kind::Arn, "arn:aws:*", "arn:aws-cn:iot:r:1:a", false);
        check(Kind::Arn, "*", "anything", true);
        check(Kind::Arn, "arn:aws:iot:r:1:*", "arn:aws", false);
    }

    #[test]
    fn booleans_dates_and_texts() {
        check(Kind::Bool, "true", "TRUE", true);
        check(Kind::Bool, "true", "false", false);
        check(Kind::Bool, "false", "", false);
        check(Kind::Date(Relation::Less), "2020-04-01T00:00:00Z", "1585699199", true);
        check(Kind::Date(Relation::Less), "2020-04-01T00:00:00Z", "later", false);
        check(Kind::Text { wildcards: false, case: Case::Ignored }, "AbC", "aBc", true);
        check(Kind::Text { wildcards: true, case: Case::Sensitive }, "a*", "abc", true);
    }

    #[test]
    fn values_of_the_wrong_kind_are_refused() {
        let refused = |kind: Kind, wanted: &str| assert!(Comparand::parse(wanted, kind, true).is_err(), "{wanted}");
        for bad in ["", "inf", "nan", "0x10", "1e999", "${iot:ClientId}"] {
            refused(Kind::Number(Relation::Equal), bad);
        }
        for bad in ["", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "::/129", "10.0.0", "*"] {
            refused(Kind::Address, bad);
        }
        refused(Kind::Bool, "yes");
        refused(Kind::Date(Relation::Equal), "yesterday");
        refused(Kind::Arn, "arn:aws:iot:r:1");
        refused(Kind::Arn, "topic/a");
    }
}

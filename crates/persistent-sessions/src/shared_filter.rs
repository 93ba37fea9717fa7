//! Shared subscriptions (MQTT 5, 4.8.2): `$share/NAME/FILTER` asks for FILTER together with all who name the same share.

use std::sync::Arc;

use message::{SharedFilter, TopicFilter};

/// The share name, and the filter that decides which topics are meant. A text that is no shared filter stands for
/// itself.
pub(crate) fn split(filter: &TopicFilter) -> (Option<Arc<str>>, TopicFilter) {
    match SharedFilter::parse(filter.as_str()) {
        Ok(Some(SharedFilter { share_name, filter })) => (Some(share_name), filter),
        Ok(None) | Err(_) => (None, filter.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_filter_has_a_name_and_a_filter() {
        let check = |text: &str, name: Option<&str>, inner: &str| {
            let (share, filter) = split(&TopicFilter::new(text).unwrap());
            assert_eq!((share.as_deref(), filter.as_str()), (name, inner));
        };
        check("$share/g/a/+/b", Some("g"), "a/+/b");
        check("$share/g//a", Some("g"), "/a");
        check("$share/g/#", Some("g"), "#");
        check("$share//a", None, "$share//a");
        check("$share/g", None, "$share/g");
        check("$share/+/a", None, "$share/+/a");
        check("$share/g/", None, "$share/g/");
        check("$shared/g/a", None, "$shared/g/a");
    }
}

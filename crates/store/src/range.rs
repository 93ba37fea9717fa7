//! Ends of key ranges.

use std::ops::Bound;

use names::limits;

/// The first key after every key that starts with `prefix`: the `to` of a range over the prefix. Empty, which is
/// "no end", when the prefix is empty or all `0xff`.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    end
}

/// Whether `from <= key < to` can hold for any key; an empty `to` has no end.
pub(crate) fn is_possible(from: &[u8], to: &[u8]) -> bool {
    to.is_empty() || from < to
}

/// The same range between bounds that an engine can hold: what is longer than any key lies right behind the longest key
/// that it starts with.
pub(crate) fn bounds<'a>(from: &'a [u8], to: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    let start = match from.get(..limits::STORE_KEY_BYTES_MAX) {
        Some(longest) if longest.len() < from.len() => Bound::Excluded(longest),
        _ => Bound::Included(from),
    };
    let end = match to.get(..limits::STORE_KEY_BYTES_MAX) {
        _ if to.is_empty() => Bound::Unbounded,
        Some(longest) if longest.len() < to.len() => Bound::Included(longest),
        _ => Bound::Excluded(to),
    };
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_longer_than_any_key_lies_behind_the_longest_that_it_starts_with() {
        let longest = vec![7; limits::STORE_KEY_BYTES_MAX];
        let longer = vec![7; limits::STORE_KEY_BYTES_MAX + 1];
        assert_eq!(bounds(b"a", b"b"), (Bound::Included(&b"a"[..]), Bound::Excluded(&b"b"[..])));
        assert_eq!(bounds(b"a", b""), (Bound::Included(&b"a"[..]), Bound::Unbounded));
        assert_eq!(bounds(&longest, &longer), (Bound::Included(&*longest), Bound::Included(&*longest)));
        assert_eq!(bounds(&longer, b""), (Bound::Excluded(&*longest), Bound::Unbounded));
    }

    #[test]
    fn the_end_is_the_next_key_that_does_not_start_with_the_prefix() {
        let check = |prefix: &[u8], expected: &[u8]| assert_eq!(prefix_end(prefix), expected, "{prefix:?}");
        check(b"a/", b"a0");
        check(b"a", b"b");
        check(b"a\xff", b"b");
        check(b"a\xff\xff", b"b");
        check(b"\xff", b"");
        check(b"", b"");
        check(b"\x00", b"\x01");
    }
}

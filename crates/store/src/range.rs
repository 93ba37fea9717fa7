//! Ends of key ranges.

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

#[cfg(test)]
mod tests {
    use super::*;

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

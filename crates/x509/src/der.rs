//! The little of DER (X.690) that is needed to take a structure apart and put it together again.

/// SEQUENCE, constructed.
pub(crate) const SEQUENCE: u8 = 0x30;
/// OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;

/// What stands inside the one element that `element` is, when it has this tag.
pub(crate) fn content(element: &[u8], tag: u8) -> Option<&[u8]> {
    let (whole, rest) = split(element)?;
    (rest.is_empty() && whole.first() == Some(&tag)).then(|| whole.get(header_bytes(whole)?..))?
}

/// The elements one after the other in `content`, each with its header.
pub(crate) fn elements(mut content: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let (element, rest) = split(content)?;
        found.push(element);
        content = rest;
    }
    Some(found)
}

/// An element of `tag` around `parts`.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(8));
            out.extend(bytes);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// The first element, and what follows it.
fn split(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let header = header_bytes(input)?;
    let length = match *input.get(1)? {
        short if short < 0x80 => usize::from(short),
        _ => input.get(2..header)?.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)),
    };
    input.split_at_checked(header.checked_add(length)?)
}

/// Tag and length bytes; lengths of up to four bytes, single-byte tags.
fn header_bytes(input: &[u8]) -> Option<usize> {
    match *input.get(1)? {
        short if short < 0x80 => Some(2),
        long => Some(usize::from(long & 0x7f)).filter(|n| (1..=4).contains(n)).map(|n| n + 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_go_both_ways() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let inside = vec![7; length];
            let one = element(OCTET_STRING, &[&inside]);
            assert_eq!(content(&one, OCTET_STRING), Some(&*inside), "{length}");
            assert_eq!(elements(&[&*one, &*one].concat()), Some(vec![&*one, &*one]), "{length}");
        }
        assert_eq!(element(SEQUENCE, &[&[0; 200]])[..3], [0x30, 0x81, 200]);
    }

    #[test]
    fn cut_or_foreign_bytes_are_none() {
        let bad: [&[u8]; 6] = [&[], &[0x30], &[0x30, 1], &[0x30, 0x80], &[0x30, 0x85, 0, 0, 0, 0, 0], &[0x30, 0x82, 1]];
        for input in bad {
            assert_eq!(content(input, SEQUENCE), None, "{input:?}");
        }
        assert_eq!(content(&[0x30, 0], OCTET_STRING), None);
        assert_eq!(content(&[0x30, 0, 0], SEQUENCE), None);
        assert_eq!(elements(&[0x30, 0, 0x30, 1]), None);
    }
}

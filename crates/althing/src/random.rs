//! Random text for identifiers and secrets, from the operating system.

use anyhow::Context;

/// `length` characters of `alphabet`, each equally likely. The alphabet has at most 256 characters.
pub(crate) fn text(alphabet: &[u8], length: usize) -> anyhow::Result<String> {
    // Bytes above the largest multiple of the alphabet's size would favour its first characters.
    let usable = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("{error}")).context("no random bytes to be had")?;
        let picked = bytes.iter().map(|&byte| usize::from(byte)).filter(|&byte| byte < usable);
        let picked = picked.filter_map(|byte| alphabet.get(byte % alphabet.len()));
        text.extend(picked.take(length - text.len()).map(|&byte| char::from(byte)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_length_and_only_the_alphabet() {
        let text = text(b"abc", 1000).unwrap();
        assert_eq!(text.len(), 1000);
        assert!(text.bytes().all(|byte| b"abc".contains(&byte)));
        for letter in "abc".chars() {
            assert!(text.matches(letter).count() > 200, "{letter} is too rare for chance");
        }
    }
}

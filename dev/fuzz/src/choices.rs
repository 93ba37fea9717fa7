//! The fuzzer's bytes as a row of decisions, from which a grammar makes a text.

/// Decisions, in order. When the bytes are used up, every decision is the first possibility.
#[derive(Debug, Clone)]
pub struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    /// Decisions out of bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    /// A number below `count`; 0 when there is no other.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte) % count.max(1))
    }

    /// One of the words; nothing of none.
    pub fn word<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let index = self.below(words.len());
        words.get(index).copied().unwrap_or("")
    }

    /// Words in a row, as the bytes have it, to the end of the bytes.
    pub fn sentence(&mut self, words: &[&str]) -> String {
        let mut text = String::new();
        while !self.0.as_slice().is_empty() {
            text.push_str(self.word(words));
        }
        text
    }

    /// None to `most` texts from `make`, with commas between them.
    pub fn list(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> String) -> String {
        let count = self.below(most + 1);
        let parts: Vec<String> = (0..count).map(|_| make(self)).collect();
        parts.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_and_then_the_first_possibility_does() {
        let mut choices = Choices::new(&[7, 1, 2]);
        assert_eq!((choices.below(5), choices.word(&["a", "b"]), choices.below(0)), (2, "b", 0));
        assert_eq!((choices.below(9), choices.word(&["a", "b"]), choices.word(&[])), (0, "a", ""));
    }

    #[test]
    fn lists_and_sentences_follow_the_bytes() {
        assert_eq!(Choices::new(&[0, 1, 0]).sentence(&["x ", "y "]), "x y x ");
        assert_eq!(Choices::new(&[2, 1, 0]).list(3, |choices| choices.word(&["x", "y"]).to_owned()), "y,x");
    }
}

//! Figures: medians, percentiles, and finding one in a printed line.

/// The middle of the values, in any order; the mean of the two middle ones of an even count. None of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(*upper, *lower))
}

/// The value after a name in a line of `name value` pairs.
pub fn field(line: &str, name: &str) -> Option<f64> {
    line.split_whitespace().skip_while(|word| *word != name).nth(1)?.parse().ok()
}

/// The value below which `hundredths` of the sorted values lie; 0 of none.
pub(crate) fn percentile(sorted: &[u32], hundredths: usize) -> u32 {
    let index = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let check = |values: &[f64], expected| assert_eq!(median(values), expected, "{values:?}");
        check(&[], None);
        check(&[3.0], Some(3.0));
        check(&[9.0, 1.0, 2.0], Some(2.0));
        check(&[4.0, 1.0, 2.0, 9.0], Some(3.0));
    }

    #[test]
    fn a_figure_follows_its_name() {
        assert_eq!(field("pair n 50 cpu 1.25", "cpu"), Some(1.25));
        assert_eq!(field("pair n 50", "cpu"), None);
        assert_eq!(field("pair n x", "n"), None);
    }

    #[test]
    fn percentiles_lie_within_the_values() {
        let check = |sorted: &[u32], hundredths, expected| assert_eq!(percentile(sorted, hundredths), expected);
        check(&[], 50, 0);
        check(&[7], 99, 7);
        check(&[1, 2, 3, 4], 50, 3);
        check(&[1, 2, 3, 4], 100, 4);
    }
}

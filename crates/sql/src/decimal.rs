//! Decimal numbers of 34 digits, the language's Decimal; rounds half to even as IEEE 754 decimal128 does.
//!
//! Numbers of usual length are worked on in 128 bits; only intermediate results that do not fit take the long way
//! through big integers. Exponents are bounded, so no number is ever written out at length.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;

/// A decimal number: 34 digits, magnitude from 1E-999 to 9.99E999 (AWS IoT Core developer guide, iot-sql-data-types).
///
/// The coefficient has no trailing zeros, so equal numbers are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    coefficient: i128,
    exponent: i32,
}

/// How a number loses its fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    Down,
    Up,
    TowardZero,
    HalfAwayFromZero,
}

impl Decimal {
    /// Reads `-12.5E3` and the like, with `e` or `E`; more than 34 digits are rounded. None if the text is no number or
    /// is beyond 9.99E999; below 1E-999 is zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || mantissa.ends_with('.') {
            return None;
        }
        let mut coefficient = 0_i128;
        let mut dropped = 0_i64;
        let mut sticky = false;
        for digit in whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte - b'0')) {
            if coefficient < POWER_35 {
                coefficient = coefficient * 10 + digit;
            } else {
                dropped += 1;
                sticky |= digit != 0;
            }
        }
        let mut exponent = exponent + dropped - i64::try_from(fraction.len()).ok()?;
        if sticky {
            // One more digit says "a little above", so that a tie is not mistaken.
            coefficient = coefficient * 10 + 1;
            exponent -= 1;
        }
        Self::rounded(if negative { -coefficient } else { coefficient }, exponent)
    }

    /// The shortest decimal that is this double; None for infinities and NaN.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        if number.is_finite() { Self::parse(&format!("{number:e}")) } else { None }
    }

    /// The whole number; above 34 digits it is rounded.
    #[must_use]
    pub fn from_int(number: i128) -> Self {
        Self::rounded(number, 0).unwrap_or(ZERO)
    }

    /// The nearest double; infinite beyond its range.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        format!("{}e{}", self.coefficient, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// The number as a whole number of at most 34 digits, if it is one.
    #[must_use]
    pub fn to_int(self) -> Option<i128> {
        let exponent = u32::try_from(self.exponent).ok()?;
        (digits(self.coefficient) + exponent <= DIGITS_MAX).then(|| self.coefficient * power_of_ten(exponent))
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(self) -> i128 {
        self.coefficient.signum()
    }

    /// Without the sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { coefficient: self.coefficient.abs(), ..self }
    }

    /// With the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { coefficient: -self.coefficient, ..self }
    }

    /// The sum; None beyond the range.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        if high.coefficient == 0 {
            return Some(low);
        }
        let shift = high.exponent.abs_diff(low.exponent);
        if shift > NEGLIGIBLE_SHIFT {
            return Some(high);
        }
        let short = checked_power_of_ten(shift)
            .and_then(|power| high.coefficient.checked_mul(power))
            .and_then(|scaled| scaled.checked_add(low.coefficient));
        match short {
            Some(sum) => Self::rounded(sum, low.exponent.into()),
            None => Self::from_big(
                &(BigInt::from(high.coefficient) * big_power_of_ten(shift) + low.coefficient),
                low.exponent.into(),
            ),
        }
    }

    /// The difference; None beyond the range.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The product; None beyond the range.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let exponent = i64::from(self.exponent) + i64::from(other.exponent);
        match self.coefficient.checked_mul(other.coefficient) {
            Some(product) => Self::rounded(product, exponent),
            None => Self::from_big(&(BigInt::from(self.coefficient) * other.coefficient), exponent),
        }
    }

    /// The quotient; None beyond the range or by zero.
    #[must_use]
    pub fn divided_by(self, other: Self) -> Option<Self> {
        if other.coefficient == 0 {
            return None;
        }
        let exponent = i64::from(self.exponent) - i64::from(other.exponent);
        if self.coefficient % other.coefficient == 0 {
            return Self::rounded(self.coefficient / other.coefficient, exponent);
        }
        // Two digits more than are kept, and one more that says whether anything is left.
        let shift = (DIGITS_MAX + 2 + digits(other.coefficient)).saturating_sub(digits(self.coefficient));
        let dividend = BigInt::from(self.coefficient) * big_power_of_ten(shift);
        let (quotient, rest) = (&dividend / other.coefficient, &dividend % other.coefficient);
        let exponent = exponent - i64::from(shift);
        if rest == BigInt::ZERO {
            return Self::from_big(&quotient, exponent);
        }
        let sticky = if quotient.sign() == num_bigint::Sign::Minus { -1 } else { 1 };
        Self::from_big(&(quotient * 10 + sticky), exponent - 1)
    }

    /// What a division leaves, with the sign of the dividend; None for a division by zero.
    #[must_use]
    pub fn remainder(self, other: Self) -> Option<Self> {
        if other.coefficient == 0 {
            return None;
        }
        let exponent = self.exponent.min(other.exponent);
        let scaled =
            |number: Self| BigInt::from(number.coefficient) * big_power_of_ten(number.exponent.abs_diff(exponent));
        Self::from_big(&(scaled(self) % scaled(other)), exponent.into())
    }

    /// The number with at most `places` digits behind the point.
    pub(crate) fn round(self, places: u32, rounding: Rounding) -> Self {
        let cut = match u32::try_from(-i64::from(self.exponent)) {
            Ok(fraction) if fraction > places => fraction - places,
            _ => return self,
        };
        // Of more digits than there are, nothing but the sign is left.
        let (quotient, rest, half) = match checked_power_of_ten(cut) {
            Some(power) => (self.coefficient / power, self.coefficient % power, power / 2),
            None => (0, self.coefficient, i128::MAX),
        };
        let step = match rounding {
            Rounding::TowardZero => 0,
            Rounding::Down => i128::from(rest < 0),
            Rounding::Up => i128::from(rest > 0),
            Rounding::HalfAwayFromZero => i128::from(rest.abs() >= half),
        };
        let away = match rounding {
            Rounding::Down => -1,
            Rounding::HalfAwayFromZero => rest.signum(),
            Rounding::Up | Rounding::TowardZero => 1,
        };
        Self::rounded(quotient + step * away, -i64::from(places)).unwrap_or(ZERO)
    }

    /// 34 digits at most, no trailing zeros, exponent in range.
    fn rounded(mut coefficient: i128, mut exponent: i64) -> Option<Self> {
        let surplus = digits(coefficient).saturating_sub(DIGITS_MAX);
        if surplus > 0 {
            coefficient = half_even(coefficient, power_of_ten(surplus));
            exponent += i64::from(surplus);
        }
        if coefficient == 0 {
            return Some(ZERO);
        }
        while coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        let magnitude = exponent + i64::from(digits(coefficient)) - 1;
        if magnitude < -MAGNITUDE_MAX {
            return Some(ZERO);
        }
        if magnitude > MAGNITUDE_MAX {
            return None;
        }
        Some(Self { coefficient, exponent: i32::try_from(exponent).ok()? })
    }

    /// The long way: through the number's text, which [`Self::parse`] rounds.
    fn from_big(coefficient: &BigInt, exponent: i64) -> Option<Self> {
        Self::parse(&format!("{coefficient}e{exponent}"))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.coefficient, other.coefficient);
        if left.signum() != right.signum() || left == 0 {
            return left.signum().cmp(&right.signum());
        }
        let magnitude = |number: &Self| i64::from(number.exponent) + i64::from(digits(number.coefficient));
        let by_magnitude = magnitude(self).cmp(&magnitude(other));
        if by_magnitude != Ordering::Equal {
            return if left > 0 { by_magnitude } else { by_magnitude.reverse() };
        }
        // Same magnitude: the one with fewer digits is widened to at most 34.
        let shift = self.exponent.abs_diff(other.exponent);
        if self.exponent >= other.exponent {
            (left * power_of_ten(shift)).cmp(&right)
        } else {
            left.cmp(&(right * power_of_ten(shift)))
        }
    }
}

impl fmt::Display for Decimal {
    /// Plain where that is short, else with an exponent; whole numbers end in `.0`. Always a JSON number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let text = self.coefficient.unsigned_abs().to_string();
        let count = i64::from(digits(self.coefficient));
        let exponent = i64::from(self.exponent);
        let magnitude = exponent + count - 1;
        if exponent >= 0 && magnitude < i64::from(DIGITS_MAX) {
            let width = usize::try_from(count + exponent).unwrap_or_default();
            write!(f, "{sign}{text:0<width$}.0")
        } else if exponent < 0 && magnitude >= PLAIN_MAGNITUDE_MIN {
            let fraction = usize::try_from(-exponent).unwrap_or_default();
            let padded = format!("{text:0>width$}", width = fraction + 1);
            let (whole, fraction) = padded.split_at(padded.len() - fraction);
            write!(f, "{sign}{whole}.{fraction}")
        } else {
            let (first, rest) = text.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            write!(f, "{sign}{first}{point}{rest}E{magnitude:+}")
        }
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A longer exponent than fits is out of range either way.
    let magnitude = digits.parse().unwrap_or(EXPONENT_SATURATED).min(EXPONENT_SATURATED);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

fn half_even(coefficient: i128, power: i128) -> i128 {
    let (quotient, rest) = (coefficient / power, coefficient % power);
    let up = match rest.abs().cmp(&(power / 2)) {
        Ordering::Less => false,
        Ordering::Equal => quotient % 2 != 0,
        Ordering::Greater => true,
    };
    if up { quotient + coefficient.signum() } else { quotient }
}

fn digits(coefficient: i128) -> u32 {
    coefficient.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1)
}

/// Callers shift by at most 38.
fn power_of_ten(exponent: u32) -> i128 {
    checked_power_of_ten(exponent).unwrap_or(i128::MAX)
}

fn checked_power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

fn big_power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

const ZERO: Decimal = Decimal { coefficient: 0, exponent: 0 };
/// Digits that are kept.
const DIGITS_MAX: u32 = 34;
/// A coefficient of at least this has two digits more than are kept.
const POWER_35: i128 = 100_000_000_000_000_000_000_000_000_000_000_000;
/// The largest exponent in scientific notation.
const MAGNITUDE_MAX: i64 = 999;
/// A summand this many powers below the other one changes none of 34 digits.
const NEGLIGIBLE_SHIFT: u32 = 70;
/// Smaller numbers are written with an exponent.
const PLAIN_MAGNITUDE_MIN: i64 = -6;
/// An exponent beyond every range, small enough to be added to.
const EXPONENT_SATURATED: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn text_is_read_and_written() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Decimal::parse(text).map(|number| number.to_string()).unwrap_or_default(), expected, "{text}");
        };
        check("0", "0.0");
        check("-0.0", "0.0");
        check("10.50", "10.5");
        check("-12.5E3", "-12500.0");
        check("1e-7", "1E-7");
        check("0.0000015", "0.0000015");
        check("0.00000015", "1.5E-7");
        check("1e100", "1E+100");
        check("9.99e999", "9.99E+999");
        check("1e1000", "");
        check("1e-1000", "0.0");
        check("1e99999999999999999999", "");
        check("1e-99999999999999999999", "0.0");
        check("1234567890123456789012345678901234", "1234567890123456789012345678901234.0");
        check("12345678901234567890123456789012345", "1.234567890123456789012345678901234E+34");
        check("12345678901234567890123456789012355", "1.234567890123456789012345678901236E+34");
        check("1234567890123456789012345678901234500001", "1.234567890123456789012345678901235E+39");
        for text in ["", "-", "+1", ".5", "5.", "1e", "1e+", "0x1", "1_0", "NaN", "--1", "1.2.3"] {
            check(text, "");
        }
    }

    #[test]
    fn arithmetic_keeps_34_digits() {
        let check = |result: Option<Decimal>, expected: &str| {
            assert_eq!(result.map(|number| number.to_string()).unwrap_or_default(), expected);
        };
        check(decimal("0.1").plus(decimal("0.2")), "0.3");
        check(decimal("1e999").plus(decimal("1e-999")), "1E+999");
        check(decimal("9e999").plus(decimal("9e999")), "");
        check(decimal("1e34").plus(decimal("-1")), "9999999999999999999999999999999999.0");
        check(decimal("0").minus(decimal("1e-5")), "-0.00001");
        check(decimal("0").minus(decimal("1e500")), "-1E+500");
        check(decimal("1.5").times(decimal("-3")), "-4.5");
        check(decimal("1e600").times(decimal("1e600")), "");
        check(
            decimal("1234567890123456789012345678901234").times(decimal("1234567890123456789012345678901234")),
            "1.524157875323883675049535156256667E+66",
        );
        check(decimal("10").divided_by(decimal("4")), "2.5");
        check(decimal("1").divided_by(decimal("3")), "0.3333333333333333333333333333333333");
        check(decimal("-2").divided_by(decimal("3")), "-0.6666666666666666666666666666666667");
        check(decimal("1").divided_by(decimal("0")), "");
        check(decimal("-7.5").remainder(decimal("2")), "-1.5");
        check(decimal("1e999").remainder(decimal("7")), "6.0");
        check(decimal("1").remainder(decimal("0")), "");
    }

    #[test]
    fn fractions_are_rounded() {
        let check = |text: &str, rounding, expected: &str| {
            assert_eq!(decimal(text).round(0, rounding), decimal(expected), "{text} {rounding:?}");
        };
        check("1.2", Rounding::Down, "1");
        check("-1.2", Rounding::Down, "-2");
        check("1.2", Rounding::Up, "2");
        check("-1.2", Rounding::Up, "-1");
        check("1.5", Rounding::HalfAwayFromZero, "2");
        check("-1.5", Rounding::HalfAwayFromZero, "-2");
        check("1.4999", Rounding::HalfAwayFromZero, "1");
        check("-1.9", Rounding::TowardZero, "-1");
        check("1e-500", Rounding::Down, "0");
        check("-1e-500", Rounding::Down, "-1");
        check("1e-500", Rounding::Up, "1");
        check("1e-500", Rounding::HalfAwayFromZero, "0");
        check("1e500", Rounding::Up, "1e500");
        assert_eq!(decimal("2.888").round(2, Rounding::TowardZero), decimal("2.88"));
    }

    #[test]
    fn order_is_by_value() {
        let sorted =
            ["-1e999", "-2", "-1.5", "-1e-999", "0", "1e-999", "0.99", "1", "1.01", "99", "100", "1e34", "1e999"];
        for (i, left) in sorted.iter().enumerate() {
            for (j, right) in sorted.iter().enumerate() {
                assert_eq!(decimal(left).cmp(&decimal(right)), i.cmp(&j), "{left} {right}");
            }
        }
    }

    #[test]
    fn whole_numbers_and_doubles() {
        assert_eq!(decimal("10.0").to_int(), Some(10));
        assert_eq!(decimal("1e33").to_int(), Some(10_i128.pow(33)));
        assert_eq!(decimal("1e34").to_int(), None);
        assert_eq!(decimal("10.5").to_int(), None);
        assert_eq!(Decimal::from_f64(0.1), Some(decimal("0.1")));
        assert_eq!(Decimal::from_f64(f64::NAN), None);
        assert_eq!(decimal("1e400").to_f64(), f64::INFINITY);
    }
}

//! Decimal numbers as nodes read them: text, with a precision and a scale. No arithmetic is done on them.

use super::error::DecodeProblem;
use crate::id::Text;

/// How many digits a numeric has in all, and how many of them behind the point. Nodes allow 1 to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// Digits in all.
    pub precision: u16,
    /// Digits behind the point.
    pub scale: u16,
}

/// Most digits a numeric may have.
const DIGITS: u16 = 1_000;

impl Shape {
    /// What the schema stores amounts of tokens in: room for 256 bits.
    pub const UINT256: Shape = Shape {
        precision: 78,
        scale: 0,
    };

    /// Refuses what nodes refuse.
    pub(super) fn checked(self) -> Result<Shape, DecodeProblem> {
        let Shape { precision, scale } = self;
        match precision {
            0 => Err(DecodeProblem::NoPrecision(precision)),
            1..=DIGITS if scale <= precision => Ok(self),
            _ => Err(DecodeProblem::Shape { precision, scale }),
        }
    }
}

/// A decimal number that fits its shape. It keeps the text it was written in, on which signatures hang;
/// what it is worth is [`Numeric::rounded`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numeric {
    text: Text,
    shape: Shape,
    rounded: Rounded,
}

/// A number of `digits`, of which the last `scale` stand behind the point. No leading zeros, and zero has no
/// sign.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rounded {
    negative: bool,
    digits: String,
}

impl Numeric {
    /// Reads a decimal text such as `-1.20` or `2e3` and rounds it to the shape, halves away from zero.
    ///
    /// Errors: what nodes say of text that is no number, and of a number that does not fit.
    pub fn parse(text: &str, shape: Shape) -> Result<Numeric, DecodeProblem> {
        let shape = shape.checked()?;
        let rounded = round(text, shape)?;
        Ok(Numeric {
            text: text.into(),
            shape,
            rounded,
        })
    }

    /// A whole number in the shape of token amounts.
    pub fn whole(number: i128) -> Numeric {
        let text = number.to_string();
        let digits = text.trim_start_matches(['-', '0']).to_owned();
        Numeric {
            text: text.into(),
            shape: Shape::UINT256,
            rounded: Rounded {
                negative: number < 0,
                digits,
            },
        }
    }

    /// As it was written.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Its precision and scale.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number with exactly `scale` digits behind the point, as result rows show it.
    pub fn rounded(&self) -> String {
        let Rounded { negative, digits } = &self.rounded;
        let scale = usize::from(self.shape.scale);
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if *negative { "-" } else { "" };
        let point = if scale == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }

    /// Its digits without the point as a number, as large or small as 128 bits can say.
    pub fn saturated(&self) -> i128 {
        let Rounded { negative, digits } = &self.rounded;
        if digits.is_empty() {
            return 0;
        }
        match (digits.parse::<i128>(), negative) {
            (Ok(number), false) => number,
            (Ok(number), true) => -number,
            (Err(_), false) => i128::MAX,
            (Err(_), true) => i128::MIN,
        }
    }
}

fn round(text: &str, shape: Shape) -> Result<Rounded, DecodeProblem> {
    let malformed = || DecodeProblem::Mantissa(text.to_owned());
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().map_err(|_| malformed())?),
        None => (unsigned, 0_i32),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return Err(malformed());
    }
    let all = [whole, fraction].concat();
    let significant = all.trim_start_matches('0');
    // Where the point stands among the significant digits, and how many of these are kept.
    let point = whole.len() as i64 - (all.len() - significant.len()) as i64 + i64::from(exponent);
    let kept = point + i64::from(shape.scale);
    if significant.is_empty() || kept < 0 {
        return Ok(Rounded {
            negative: false,
            digits: String::new(),
        });
    }
    if kept > i64::from(shape.precision) {
        return Err(DecodeProblem::Overflow);
    }
    // Not beyond 1000, so it fits.
    let kept = kept as usize;
    let mut digits: Vec<u8> = significant.bytes().take(kept).collect();
    digits.resize(kept, b'0');
    if significant
        .as_bytes()
        .get(kept)
        .is_some_and(|next| *next >= b'5')
    {
        increment(&mut digits);
    }
    if digits.len() > usize::from(shape.precision) {
        return Err(DecodeProblem::Overflow);
    }
    let digits = digits.into_iter().map(char::from).collect::<String>();
    Ok(Rounded {
        negative: negative && !digits.is_empty(),
        digits,
    })
}

/// Adds one to the number these digits write.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, (precision, scale): (u16, u16), expected: &str) {
        let numeric = Numeric::parse(text, Shape { precision, scale });
        let told = numeric.map_or_else(|problem| problem.to_string(), |one| one.rounded());
        assert_eq!(told, expected, "{text} as numeric({precision},{scale})");
    }

    #[test]
    fn numbers_are_rounded_to_their_shape() {
        check("1.234", (6, 2), "1.23");
        check("1.235", (6, 2), "1.24");
        check("-1.235", (6, 2), "-1.24");
        check("1.5", (6, 2), "1.50");
        check("0", (6, 2), "0.00");
        check("-0", (6, 2), "0.00");
        check("0.004", (6, 2), "0.00");
        check("0.005", (6, 2), "0.01");
        check("-0.001", (6, 2), "0.00");
        check("9.999", (6, 2), "10.00");
        check("9999.99", (6, 2), "9999.99");
        check("9999.995", (6, 2), "invalid operation");
        check("12345.00", (6, 2), "invalid operation");
        check(".5", (6, 2), "0.50");
        check("5.", (6, 2), "5.00");
        check("+7", (1, 0), "7");
        check("2e3", (4, 0), "2000");
        check("2e3", (3, 0), "invalid operation");
        check("2e-1", (4, 0), "0");
        check("5e-1", (4, 0), "1");
        check("1e999999999", (4, 0), "invalid operation");
        check("1e-999999999", (4, 0), "0");
    }

    #[test]
    fn what_is_no_number_is_told_as_a_node_does() {
        for text in [
            "abc", "", "-", ".", "1.2.3", "1e", "0x1", "NaN", "１", "--1",
        ] {
            check(text, (6, 2), &format!("parse mantissa: {text}"));
        }
        check("1", (0, 0), "precision must be at least 1: 0");
        check(
            "1",
            (1001, 0),
            "precision 1001 and scale 0 are out of range",
        );
        check("1", (2, 3), "precision 2 and scale 3 are out of range");
    }

    #[test]
    fn what_128_bits_cannot_say_is_as_large_as_they_can() {
        let check = |text: &str, expected: i128| {
            let numeric = Numeric::parse(text, Shape::UINT256).unwrap();
            assert_eq!(numeric.saturated(), expected, "{text}");
        };
        let largest = "9".repeat(78);
        check("0", 0);
        check("100000000000000000000", 10_i128.pow(20));
        check("-3", -3);
        check(&largest, i128::MAX);
        check(&format!("-{largest}"), i128::MIN);
        for number in [0, 7, -7, i128::MAX, i128::MIN + 1] {
            let numeric = Numeric::whole(number);
            assert_eq!(numeric.saturated(), number);
            let read = Numeric::parse(numeric.text(), Shape::UINT256);
            assert_eq!(read.as_ref(), Ok(&numeric));
        }
    }
}

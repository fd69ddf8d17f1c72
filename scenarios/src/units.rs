//! How a story writes durations, rates and sizes. All of it is integer arithmetic; an error is the
//! reason in a few words.

use assay_model::time::Millis;

use crate::plan::Ppm;

/// How durations are written, for people who wrote something else.
pub const DURATIONS: &str = "durations are written like 250ms, 10.5s, 30s, 5m, 12h, 1d, 5y (of 365 days), or as a sum, 1m30s";
/// How rates are written.
pub(crate) const RATES: &str = "rates are written like 5%, 0.5% or 200ppm";
/// How sizes are written.
pub(crate) const SIZES: &str = "sizes are written like \"4KiB\" or \"5000B\", from 2KiB to 60KiB";

const UNITS: [(&str, u64); 6] = [
    ("y", 365 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Longest duration: the sum of a few of them stays far inside every number that holds one.
const LONGEST: u64 = 200 * UNITS[0].1;

type Parsed<T> = Result<T, &'static str>;

/// A duration: a number and a unit, or a sum of them from large to small.
///
/// # Errors
///
/// Why the text is none, in a few words; [`DURATIONS`] says how they are written.
pub fn duration(text: &str) -> Result<Millis, &'static str> {
    if text.starts_with('-') {
        return Err("it cannot be negative");
    }
    if text.starts_with('+') {
        return Err("it takes no sign");
    }
    if text.is_empty() {
        return Err("it is empty");
    }
    let (mut rest, mut sum, mut units) = (text, 0_u64, UNITS.as_slice());
    while !rest.is_empty() {
        let (number, after) = digits(rest)?;
        let (millis, after) = decimals(after)?;
        let end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err("it lacks a unit");
        }
        if unit != "s" && millis.is_some() {
            return Err("only seconds take decimals");
        }
        let Some(place) = units.iter().position(|(name, _)| *name == unit) else {
            return Err(match UNITS.iter().any(|(name, _)| *name == unit) {
                true => "its units must go from large to small, each once",
                false => "its unit is none of ms, s, m, h, d, y",
            });
        };
        sum = number
            .checked_mul(units[place].1)
            .and_then(|part| sum.checked_add(part)?.checked_add(millis.unwrap_or(0)))
            .filter(|sum| *sum <= LONGEST)
            .ok_or("it is longer than 200y")?;
        (rest, units) = (after, &units[place + 1..]);
    }
    Ok(Millis(sum))
}

/// Decimals of a number of seconds, in milliseconds; none where no point follows.
fn decimals(text: &str) -> Parsed<(Option<u64>, &str)> {
    let Some(text) = text.strip_prefix('.') else {
        return Ok((None, text));
    };
    let (value, rest) = digits(text)?;
    match text.len() - rest.len() {
        places @ 1..=3 => Ok((Some(value * 10_u64.pow(3 - places as u32)), rest)),
        _ => Err("it has more than three decimals"),
    }
}

/// How amounts of tokens are written.
pub(crate) const AMOUNTS: &str = "amounts are written like 20, \"20\" or \"98.8\", in whole tokens";

/// An amount of a token with so many digits behind the point, in its smallest units.
pub(crate) fn tokens(text: &str, decimals: u32) -> Parsed<i128> {
    if text.starts_with('-') {
        return Err("it cannot be negative");
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err("it is not a number");
    }
    let places = fraction.len() as u32;
    if places > decimals.max(1) {
        return Err("it has more decimals than the token");
    }
    let unit = 10_i128.pow(decimals);
    let whole: i128 = whole.parse().map_err(|_| "it is too large")?;
    let fraction: i128 = fraction.parse().map_err(|_| "it is not a number")?;
    let part = fraction * unit / 10_i128.pow(places);
    whole
        .checked_mul(unit)
        .and_then(|sum| sum.checked_add(part))
        .ok_or("it is too large")
}

/// A duration with a sign; without one it is positive. In milliseconds.
pub(crate) fn offset(text: &str) -> Parsed<i64> {
    let (sign, text) = signed(text);
    duration(text).map(|Millis(millis)| sign * millis as i64)
}

/// A rate from 0 to 100 %.
pub(crate) fn rate(text: &str) -> Parsed<Ppm> {
    if text.starts_with('-') {
        return Err("it cannot be negative");
    }
    let (number, rest) = digits(text)?;
    let ppm = match rest {
        "ppm" => number,
        "" => return Err("it lacks % or ppm"),
        _ => percent(number, rest)?,
    };
    if ppm > 1_000_000 {
        return Err("it is more than 100%");
    }
    Ok(Ppm(ppm as u32))
}

/// Parts per million of so many whole per cent and what follows them.
fn percent(whole: u64, rest: &str) -> Parsed<u64> {
    let rest = rest.strip_suffix('%').ok_or("it lacks % or ppm")?;
    let fraction = match rest.strip_prefix('.') {
        None if rest.is_empty() => 0,
        None => return Err("it is not a number"),
        Some(decimals) => match digits(decimals)? {
            (_, _) if decimals.len() > 4 => return Err("it has more than four decimals"),
            (value, "") => value * 10_u64.pow(4 - decimals.len() as u32),
            _ => return Err("it is not a number"),
        },
    };
    Ok(whole.saturating_mul(10_000).saturating_add(fraction))
}

/// How much faster or slower a clock runs, in parts per million, up to half.
pub(crate) fn drift(text: &str) -> Parsed<i32> {
    let (sign, text) = signed(text);
    match rate(text)? {
        Ppm(ppm) if ppm <= 500_000 => Ok(sign as i32 * ppm as i32),
        _ => Err("it is more than 50%"),
    }
}

/// A size of a credential's document, in bytes.
pub(crate) fn size(text: &str) -> Parsed<u32> {
    let (number, unit) = digits(text)?;
    let bytes = match unit {
        "B" => number,
        "KiB" => number.saturating_mul(1024),
        "" => return Err("it lacks a unit"),
        _ => return Err("its unit is neither KiB nor B"),
    };
    match bytes {
        2_048..=61_440 => Ok(bytes as u32),
        _ => Err("it is outside 2KiB to 60KiB"),
    }
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The number at the beginning, and what follows it.
fn digits(text: &str) -> Parsed<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if number.is_empty() {
        return Err("it does not begin with a number");
    }
    let number = number.parse().map_err(|_| "its number is too large")?;
    Ok((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_from_large_to_small() {
        let table = [
            ("0s", Ok(0)),
            ("250ms", Ok(250)),
            ("10.25s", Ok(10_250)),
            ("1m0.5s", Ok(60_500)),
            ("30s", Ok(30_000)),
            ("5m", Ok(300_000)),
            ("12h", Ok(43_200_000)),
            ("1d", Ok(86_400_000)),
            ("5y", Ok(157_680_000_000)),
            ("1m30s", Ok(90_000)),
            ("1y2d3h4m5s6ms", Ok(31_719_845_006)),
            ("200y", Ok(LONGEST)),
            ("200y1ms", Err("it is longer than 200y")),
            ("18446744073709551615d", Err("it is longer than 200y")),
            ("99999999999999999999s", Err("its number is too large")),
            ("", Err("it is empty")),
            ("-1s", Err("it cannot be negative")),
            ("+1s", Err("it takes no sign")),
            ("30", Err("it lacks a unit")),
            ("1.5m", Err("only seconds take decimals")),
            ("1.2345s", Err("it has more than three decimals")),
            ("1.s", Err("it does not begin with a number")),
            ("1 s", Err("it lacks a unit")),
            ("s", Err("it does not begin with a number")),
            ("30x", Err("its unit is none of ms, s, m, h, d, y")),
            ("30S", Err("its unit is none of ms, s, m, h, d, y")),
            (
                "30s1m",
                Err("its units must go from large to small, each once"),
            ),
            (
                "1s1s",
                Err("its units must go from large to small, each once"),
            ),
            ("1m30", Err("it lacks a unit")),
            ("٣s", Err("it does not begin with a number")),
        ];
        for (text, expected) in table {
            assert_eq!(duration(text), expected.map(Millis), "{text}");
        }
    }

    #[test]
    fn a_duration_written_out_reads_back() {
        for millis in [
            0,
            1,
            999,
            1_000,
            61_001,
            86_399_999,
            31_536_000_001,
            LONGEST,
        ] {
            let mut rest = millis;
            let mut text = String::new();
            for (unit, length) in UNITS {
                if rest >= length {
                    text += &format!("{}{unit}", rest / length);
                    rest %= length;
                }
            }
            if text.is_empty() {
                text += "0ms";
            }
            assert_eq!(duration(&text), Ok(Millis(millis)), "{text}");
        }
    }

    #[test]
    fn only_offsets_take_a_sign() {
        let table = [
            ("+5s", Ok(5_000)),
            ("-5s", Ok(-5_000)),
            ("5s", Ok(5_000)),
            ("--5s", Err("it cannot be negative")),
            ("+-5s", Err("it cannot be negative")),
        ];
        for (text, expected) in table {
            assert_eq!(offset(text), expected, "{text}");
        }
    }

    #[test]
    fn rates_are_parts_per_million() {
        let table = [
            ("0%", Ok(0)),
            ("0.5%", Ok(5_000)),
            ("0.0001%", Ok(1)),
            ("12.34%", Ok(123_400)),
            ("100%", Ok(1_000_000)),
            ("200ppm", Ok(200)),
            ("100.0001%", Err("it is more than 100%")),
            ("1000001ppm", Err("it is more than 100%")),
            ("18446744073709551615%", Err("it is more than 100%")),
            ("0.00001%", Err("it has more than four decimals")),
            ("-1%", Err("it cannot be negative")),
            ("1", Err("it lacks % or ppm")),
            ("0.5", Err("it lacks % or ppm")),
            ("0.5ppm", Err("it lacks % or ppm")),
            ("0.%", Err("it does not begin with a number")),
            ("1.5.5%", Err("it is not a number")),
            ("1x%", Err("it is not a number")),
            ("%", Err("it does not begin with a number")),
        ];
        for (text, expected) in table {
            assert_eq!(rate(text), expected.map(Ppm), "{text}");
        }
    }

    #[test]
    fn clocks_gain_or_lose_up_to_half() {
        let table = [
            ("200ppm", Ok(200)),
            ("-200ppm", Ok(-200)),
            ("-50%", Ok(-500_000)),
            ("51%", Err("it is more than 50%")),
        ];
        for (text, expected) in table {
            assert_eq!(drift(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes_stay_in_what_a_document_can_have() {
        let table = [
            ("2KiB", Ok(2_048)),
            ("60KiB", Ok(61_440)),
            ("5000B", Ok(5_000)),
            ("1KiB", Err("it is outside 2KiB to 60KiB")),
            ("61KiB", Err("it is outside 2KiB to 60KiB")),
            (
                "18446744073709551615KiB",
                Err("it is outside 2KiB to 60KiB"),
            ),
            ("4KB", Err("its unit is neither KiB nor B")),
            ("4", Err("it lacks a unit")),
        ];
        for (text, expected) in table {
            assert_eq!(size(text), expected, "{text}");
        }
    }
}

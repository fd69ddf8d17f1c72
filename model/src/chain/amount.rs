//! Arithmetic of the contracts: on what leaves the range they revert.

use k256::U256;
use k256::elliptic_curve::bigint::{Encoding, NonZero};

use super::revert::Revert;
use crate::bridge::{Amount, Token};

/// The sum.
pub(super) fn plus(one: Amount, other: Amount) -> Result<Amount, Revert> {
    one.plus(other).ok_or(Revert::ArithmeticOverflow)
}

/// The difference.
pub(super) fn minus(one: Amount, other: Amount) -> Result<Amount, Revert> {
    one.less(other).ok_or(Revert::ArithmeticOverflow)
}

/// The sum of all.
pub(super) fn sum(amounts: impl IntoIterator<Item = Amount>) -> Result<Amount, Revert> {
    amounts.into_iter().try_fold(Amount::ZERO, plus)
}

/// Adds to an amount in place.
pub(super) fn add(to: &mut Amount, amount: Amount) -> Result<(), Revert> {
    *to = plus(*to, amount)?;
    Ok(())
}

/// `amount · part / whole`, rounded down, with a product as long as it takes. Nothing of nothing is nothing;
/// amounts below zero have no share.
pub fn share(amount: Amount, part: Amount, whole: Amount) -> Option<Amount> {
    let wide = |amount: Amount| u128::try_from(amount.0).map(U256::from).ok();
    let Some(whole) = Option::<NonZero<U256>>::from(NonZero::new(wide(whole)?)) else {
        return Some(Amount::ZERO);
    };
    let product = wide(amount)?.wrapping_mul(&wide(part)?);
    let (quotient, _) = product.div_rem(&whole);
    let bytes: [u8; 32] = quotient.to_be_bytes();
    let (high, low) = bytes.split_at(16);
    let low = u128::from_be_bytes(low.try_into().ok()?);
    let fits = high.iter().all(|byte| *byte == 0);
    fits.then(|| i128::try_from(low).ok().map(Amount)).flatten()
}

/// So many whole tokens; the largest amount there is where they are more.
pub const fn whole(token: Token, tokens: u64) -> Amount {
    Amount((tokens as i128).saturating_mul(token.unit().0))
}

/// An amount as people write it: `12.5 IDOS`.
pub fn written(token: Token, amount: Amount) -> String {
    let (sign, units) = (if amount.0 < 0 { "-" } else { "" }, amount.0.unsigned_abs());
    let unit = token.unit().0.unsigned_abs();
    let digits = token.decimals() as usize;
    let decimals = format!("{:0digits$}", units % unit);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{decimals} {token}", units / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_its_product_never_too_long() {
        let most = i128::MAX;
        let table = [
            (100, 1, 3, Some(33)),
            (100, 50, 350, Some(14)),
            (100, 300, 350, Some(85)),
            (100, 0, 7, Some(0)),
            (100, 1, 0, Some(0)),
            (most, most, most, Some(most)),
            (most, 1, 2, Some(most / 2)),
            (most, 2, 1, None),
            (most, most, 1, None),
            (-1, 1, 1, None),
        ];
        for (amount, part, whole, expected) in table {
            let found = share(Amount(amount), Amount(part), Amount(whole));
            assert_eq!(found, expected.map(Amount), "{amount} · {part} / {whole}");
        }
    }

    #[test]
    fn amounts_are_written_in_whole_tokens() {
        let check = |token, amount, text: &str| assert_eq!(written(token, Amount(amount)), text);
        check(Token::Usdc, 12_500_000, "12.5 USDC");
        check(Token::Usdc, 1, "0.000001 USDC");
        check(Token::Idos, whole(Token::Idos, 3).0, "3 IDOS");
        check(Token::Usdc, -2_000_000, "-2 USDC");
        assert_eq!(
            whole(Token::Idos, u64::MAX),
            Amount(18_446_744_073_709_551_615 * 10_i128.pow(18))
        );
    }
}

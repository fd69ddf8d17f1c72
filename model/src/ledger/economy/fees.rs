//! What a grantee pays the issuer, and the mark-up on it. Source: idos-facts 3.9 and 5.16.

use super::super::execute::{Call, Refused};
use super::super::grants;
use super::super::refusal::{Engine, Refusal};
use super::super::tables::{Credential, FeePayment, State, Tables};
use super::super::users::self_user;
use super::tokens;
use crate::bridge::{Amount, Token};
use crate::id::{CredentialId, Text};
use crate::rules::Switch;

/// A price and what is paid for it: 125 %, a half rounded up as NUMERIC does. What is more than the price is
/// the mark-up, so that the two come to the whole whatever the price.
fn with_markup(price: Amount) -> Result<Amount, Refusal> {
    let hundredfold = price.0.checked_mul(125).ok_or(Engine::NumericOverflow)?;
    let rounded = hundredfold.checked_add(50).ok_or(Engine::NumericOverflow)?;
    Ok(Amount(rounded / 100))
}

/// Sets the price of an issued credential and who is paid. Not in the deployed schema.
pub(super) fn set(
    state: &mut State,
    call: Call<'_>,
    id: CredentialId,
    fee: Amount,
    wallet: &Text,
) -> Refused {
    call.offers(Switch::SettableIssuerFee, "set_issuer_fee")?;
    let row = priced(state.tables(), call, id)?;
    // A hex key is one key in any case, as with statements about a status.
    if !row.issuer_auth_public_key.eq_ignore_ascii_case(call.caller) {
        return Err(Refusal::NotTheIssuer);
    }
    if fee.0 < 0 {
        return Err(Refusal::AmountNotPositive);
    }
    with_markup(fee)?;
    let row = Credential {
        issuer_fee: fee,
        issuer_wallet: Some(tokens::address(wallet)?),
        ..row.clone()
    };
    state.put(id, row);
    Ok(())
}

/// `get_issuer_fee`.
pub(in super::super) fn issuer_fee(
    tables: &Tables,
    call: Call<'_>,
    id: CredentialId,
) -> Result<Amount, Refusal> {
    Ok(priced(tables, call, id)?.issuer_fee)
}

/// The credential whose price is asked for. Under `hidden-existence` it is there for its owner, its issuer and its
/// grantees only.
fn priced<'a>(
    tables: &'a Tables,
    call: Call<'_>,
    id: CredentialId,
) -> Result<&'a Credential, Refusal> {
    let row = tables.credentials.get(&id);
    let row = row.ok_or(Refusal::CredentialNotFound)?;
    let own = self_user(tables, call)? == Some(row.user_id);
    let issued = row.issuer_auth_public_key.eq_ignore_ascii_case(call.caller);
    let shared = || grants::on(tables, id).any(|(_, grant)| grants::is_grantee(call, grant));
    if call.keeps(Switch::HiddenExistence) && !own && !issued && !shared() {
        return Err(Refusal::CredentialNotFound);
    }
    Ok(row)
}

/// `action_costing_fee`: pays for a credential. Under `paid-grants` this is how a grantee pays for its copy,
/// once; under `fee-split` the price goes to the issuer's wallet, and the network, whose balance the
/// Association sweeps, owns the mark-up alone.
pub(super) fn pay(state: &mut State, call: Call<'_>, id: CredentialId) -> Refused {
    let price = issuer_fee(state.tables(), call, id)?;
    let paid_grants = call.keeps(Switch::PaidGrants);
    if paid_grants {
        if !grants::on(state.tables(), id).any(|(_, grant)| grants::is_grantee(call, grant)) {
            return Err(Refusal::NotShared);
        }
        if has_paid(state.tables(), call, id) {
            return Err(Refusal::FeePaid);
        }
    }
    let payer = tokens::payer(state.tables(), call, Token::Usdc)?;
    let payer = payer.ok_or(Refusal::NoWalletWithBalance)?;
    let whole = with_markup(price)?;
    let row = state.tables().credentials.get(&id);
    let issuer = row.and_then(|row| row.issuer_wallet);
    match issuer.filter(|_| call.keeps(Switch::FeeSplit)) {
        Some(issuer) if price.is_positive() => {
            tokens::take(state, Token::Usdc, payer, price)?;
            tokens::give(state, Token::Usdc, issuer, price)?;
            let markup = Amount(whole.0 - price.0);
            // A price of one base unit has no mark-up.
            if markup.is_positive() {
                tokens::lock(state, Token::Usdc, payer, markup)?;
            }
        }
        _ => tokens::lock(state, Token::Usdc, payer, whole)?,
    }
    if paid_grants {
        state.put(payment_of(call, id), FeePayment(whole));
    }
    Ok(())
}

fn payment_of(call: Call<'_>, id: CredentialId) -> (CredentialId, Text) {
    (id, call.caller.to_lowercase().into())
}

fn has_paid(tables: &Tables, call: Call<'_>, id: CredentialId) -> bool {
    tables.fee_payments.contains_key(&payment_of(call, id))
}

/// Whether the caller's grant on a copy waits for payment.
pub(in super::super) fn is_owed(tables: &Tables, call: Call<'_>, id: CredentialId) -> bool {
    let row = tables.credentials.get(&id);
    let priced = row.is_some_and(|row| row.issuer_fee.is_positive());
    call.keeps(Switch::PaidGrants) && priced && !has_paid(tables, call, id)
}

/// What was paid for a row that is gone.
pub(in super::super) fn forget(state: &mut State, gone: CredentialId) {
    let rows = state.tables().fee_payments.range((gone, "".into())..);
    let of_it = rows.take_while(|((id, _), _)| *id == gone);
    let keys: Vec<_> = of_it.map(|(key, _)| key.clone()).collect();
    for key in keys {
        state.delete::<FeePayment>(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_a_quarter_more_and_a_half_is_rounded_up() {
        let check = |price: i128, whole: i128| {
            assert_eq!(with_markup(Amount(price)), Ok(Amount(whole)), "{price}");
        };
        check(0, 0);
        check(1, 1);
        check(2, 3);
        check(3, 4);
        check(4, 5);
        check(5, 6);
        check(6, 8);
        check(1_000_000, 1_250_000);
        let overflow = Refusal::from(Engine::NumericOverflow);
        assert_eq!(with_markup(Amount(i128::MAX)), Err(overflow));
        assert_eq!(with_markup(Amount(i128::MAX / 125 + 1)), Err(overflow));
    }
}

//! Gas: a free allowance per user, then IDOS. Source: idos-facts 3.9.

use super::super::execute::{Call, Refused};
use super::super::refusal::Refusal;
use super::super::tables::{State, Tables, User};
use super::super::users::self_user;
use super::super::wallets;
use super::tokens;
use crate::bridge::{Amount, Token};
use crate::rules::Switch;

/// What every new user has: 100 units.
pub(in super::super) const ALLOWANCE: Amount = Amount(100 * Token::Idos.unit().0);

/// What the demonstration takes: 1.2 units.
const DEMONSTRATION: Amount = Amount(12 * Token::Idos.unit().0 / 10);

/// `capture_gas`, which most actions begin with, at a price of nothing today. The allowance pays first, then
/// the wallet; an action that fails afterwards takes the whole of it back.
///
/// Errors: the caller matches several profiles; no wallet has any IDOS, or not enough.
pub(in super::super) fn capture(state: &mut State, call: Call<'_>, amount: Amount) -> Refused {
    let own = self_user(state.tables(), call)?;
    if amount == Amount::ZERO {
        // The schema then rewrites the allowance with what it is.
        return Ok(());
    }
    let found = call.keeps(Switch::AllowanceForAll)
        || wallets::has_profile(state.tables(), call, &call.caller.into());
    let mut due = amount;
    if let Some(user) = own.filter(|_| found)
        && let Some(row) = state.tables().users.get(&user)
    {
        let paid = row.gas_allowance.min(due);
        let left = row.gas_allowance.less(paid).unwrap_or_default();
        due = due.less(paid).unwrap_or_default();
        let row = User {
            gas_allowance: left,
            ..(**row).clone()
        };
        state.put(user, row);
    }
    if !due.is_positive() {
        return Ok(());
    }
    let payer = tokens::payer(state.tables(), call, Token::Idos)?;
    let payer = payer.ok_or(Refusal::NoWalletWithBalance)?;
    tokens::lock(state, Token::Idos, payer, due)
}

/// Takes 1.2 units and does nothing else.
pub(super) fn demonstrate(state: &mut State, call: Call<'_>) -> Refused {
    capture(state, call, DEMONSTRATION)
}

/// How much free gas the caller has left; nothing for whoever has no profile.
pub(in super::super) fn allowance(
    tables: &Tables,
    call: Call<'_>,
) -> Result<Option<Amount>, Refusal> {
    let own = self_user(tables, call)?;
    let row = own.and_then(|user| tables.users.get(&user));
    Ok(row.map(|row| row.gas_allowance))
}

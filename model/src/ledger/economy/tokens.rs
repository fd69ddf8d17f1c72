//! Balances of tokens: who has what, who pays, what the network owns. Source: idos-facts 2.7 and 3.9.

use super::super::execute::{Call, Refused};
use super::super::query::BridgeInfo;
use super::super::refusal::{Engine, Excerpt, Refusal};
use super::super::tables::{NetworkBalance, State, Tables, UserBalance, WalletType};
use super::super::{owner, wallets};
use super::epochs;
use crate::bridge::{Address, Amount, Token};
use crate::id::Text;
use crate::rules::Switch;

/// The token of this name.
pub(in super::super) fn token(name: &str) -> Result<Token, Refusal> {
    Token::parse(name).ok_or(Refusal::TokenInvalid)
}

/// An address as the bridge takes one.
pub(in super::super) fn address(text: &str) -> Result<Address, Refusal> {
    Address::parse(text).ok_or_else(|| Refusal::AddressInvalid(Excerpt::of(text)))
}

/// What an address has.
pub(in super::super) fn balance(tables: &Tables, token: Token, of: Address) -> Amount {
    let row = tables.user_balances.get(&(token, of));
    row.map_or(Amount::ZERO, |row| row.0)
}

/// What the network owns.
fn network(tables: &Tables, token: Token) -> Amount {
    let row = tables.network_balances.get(&token);
    row.map_or(Amount::ZERO, |row| row.0)
}

/// The ledger of a token, in numbers.
pub(in super::super) fn info(tables: &Tables, token: Token) -> BridgeInfo {
    BridgeInfo {
        escrow: token.escrow(),
        decimals: token.decimals(),
        balance: network(tables, token),
    }
}

/// `get_wallet_with_balance`: the first wallet that has anything. The deployed schema looks at all EVM
/// wallets of the caller's profiles, whichever of them signed; under `own-funds-only` only the signer pays.
///
/// Errors: the bridge's, where the caller itself is looked at and is no address, except under
/// `defined-non-evm-error`.
pub(in super::super) fn payer(
    tables: &Tables,
    call: Call<'_>,
    token: Token,
) -> Result<Option<Address>, Refusal> {
    let own = wallets::matching(tables, call.caller).map(|(_, wallet)| wallet.user_id);
    let own: Vec<_> = own.collect();
    let candidates: Vec<Text> = if own.is_empty() || call.keeps(Switch::OwnFundsOnly) {
        vec![call.caller.into()]
    } else {
        let rows = tables.wallets.values();
        let evm = rows.filter(|row| row.wallet_type == WalletType::EVM);
        let theirs = evm.filter(|row| own.contains(&row.user_id));
        theirs.map(|row| row.address.clone()).collect()
    };
    for candidate in candidates {
        let address = match address(&candidate) {
            Err(_) if call.keeps(Switch::DefinedNonEvmError) => continue,
            read => read?,
        };
        if balance(tables, token, address).is_positive() {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

/// The caller as the owner of a balance, where it calls the bridge itself.
fn caller(call: Call<'_>) -> Result<Address, Refusal> {
    match address(call.caller) {
        Err(_) if call.keeps(Switch::DefinedNonEvmError) => Err(Refusal::NoWalletWithBalance),
        read => read,
    }
}

fn positive(amount: Amount) -> Refused {
    if amount.is_positive() {
        Ok(())
    } else {
        Err(Refusal::AmountNotPositive)
    }
}

/// Takes from a balance that covers it.
pub(super) fn take(state: &mut State, token: Token, from: Address, amount: Amount) -> Refused {
    let left = balance(state.tables(), token, from).less(amount);
    let left = left.ok_or(Refusal::BalanceInsufficient)?;
    state.put((token, from), UserBalance(left));
    Ok(())
}

/// Adds to a balance.
pub(super) fn give(state: &mut State, token: Token, to: Address, amount: Amount) -> Refused {
    let sum = balance(state.tables(), token, to).plus(amount);
    let sum = sum.ok_or(Engine::NumericOverflow)?;
    state.put((token, to), UserBalance(sum));
    Ok(())
}

fn set_network(state: &mut State, token: Token, amount: Option<Amount>) -> Refused {
    let amount = amount.ok_or(Engine::NumericOverflow)?;
    state.put(token, NetworkBalance(amount));
    Ok(())
}

/// `lock_admin`: from a user to the network.
pub(super) fn lock(state: &mut State, token: Token, from: Address, amount: Amount) -> Refused {
    positive(amount)?;
    take(state, token, from, amount)?;
    let sum = network(state.tables(), token).plus(amount);
    set_network(state, token, sum)
}

/// `issue`: from the network into the epoch that collects.
fn issue(state: &mut State, call: Call<'_>, token: Token, to: Address, amount: Amount) -> Refused {
    let left = network(state.tables(), token).less(amount);
    set_network(state, token, left)?;
    epochs::reward(state, call, token, to, amount)
}

/// From one address to another.
pub(super) fn transfer(
    state: &mut State,
    call: Call<'_>,
    token: Token,
    to: &Text,
    amount: Amount,
) -> Refused {
    positive(amount)?;
    let from = caller(call)?;
    let to = address(to)?;
    take(state, token, from, amount)?;
    give(state, token, to, amount)
}

/// The caller's own, to the network.
pub(super) fn lock_own(state: &mut State, call: Call<'_>, token: Token, amount: Amount) -> Refused {
    positive(amount)?;
    lock(state, token, caller(call)?, amount)
}

/// The caller's own, to its address on the other chain.
pub(super) fn withdraw(state: &mut State, call: Call<'_>, token: Token, amount: Amount) -> Refused {
    positive(amount)?;
    let from = caller(call)?;
    take(state, token, from, amount)?;
    epochs::reward(state, call, token, from, amount)
}

/// `request_withdrawal`: all that the paying wallet has, to its address on the other chain.
pub(super) fn withdraw_all(state: &mut State, call: Call<'_>, name: &Text) -> Refused {
    let token = token(name)?;
    let from = payer(state.tables(), call, token)?.ok_or(Refusal::NoWalletWithBalance)?;
    let all = balance(state.tables(), token, from);
    lock(state, token, from, all)?;
    issue(state, call, token, from, all)
}

/// `request_balance_withdrawal`: all that the network owns, to where its owner says.
pub(super) fn sweep(state: &mut State, call: Call<'_>, name: &Text, to: &Text) -> Refused {
    owner::require(call, "request_balance_withdrawal")?;
    let token = token(name)?;
    let all = network(state.tables(), token);
    positive(all)?;
    issue(state, call, token, address(to)?, all)
}

/// `action_costing_idos_token`: an amount of nothing, or less, needs no more than a wallet with something.
pub(super) fn demonstrate(state: &mut State, call: Call<'_>, amount: Amount) -> Refused {
    let payer = payer(state.tables(), call, Token::Idos)?.ok_or(Refusal::NoWalletWithBalance)?;
    if amount.is_positive() {
        lock(state, Token::Idos, payer, amount)?;
    }
    Ok(())
}

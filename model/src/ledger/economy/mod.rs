//! The economy inside the storage network: gas, fees, the ledgers of two tokens, and what passes between
//! them and the chain that holds the tokens. Source: idos-facts 2.7, 3.9 and 5.16.

mod bridge;
mod epochs;
mod fees;
mod gas;
mod tokens;

use super::action::Action;
use super::execute::{Call, Refused};
use super::tables::State;

pub use bridge::{bridged, endow};
pub(super) use epochs::{claims, close_epochs, epochs, rewards};
pub(super) use fees::{forget, is_owed, issuer_fee};
pub(super) use gas::{ALLOWANCE, allowance, capture};
pub(super) use tokens::{address, balance, info, payer, token};

/// The actions that do nothing but move tokens, or say what is to be paid.
pub(super) fn apply(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    match action {
        Action::ActionCostingGas {} => gas::demonstrate(state, call),
        Action::ActionCostingIdosToken { amount } => tokens::demonstrate(state, call, *amount),
        Action::ActionCostingFee { credential_id } => fees::pay(state, call, *credential_id),
        Action::SetIssuerFee {
            credential_id,
            issuer_fee,
            issuer_wallet,
        } => fees::set(state, call, *credential_id, *issuer_fee, issuer_wallet),
        Action::RequestWithdrawal { token } => tokens::withdraw_all(state, call, token),
        Action::RequestBalanceWithdrawal {
            token,
            evm_address_to,
        } => tokens::sweep(state, call, token, evm_address_to),
        Action::Transfer { token, to, amount } => {
            tokens::transfer(state, call, *token, to, *amount)
        }
        Action::Lock { token, amount } => tokens::lock_own(state, call, *token, *amount),
        Action::Bridge { token, amount } => tokens::withdraw(state, call, *token, *amount),
        other => unreachable!("{} moves no tokens", other.name()),
    }
}

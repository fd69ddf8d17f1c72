//! What the other chain tells, once enough validators have told it. Source: idos-facts 5.16.

use super::super::execute::Refused;
use super::super::refusal::Refusal;
use super::super::tables::{BridgedEvent, State};
use super::{epochs, tokens};
use crate::bridge::{Allocation, BridgeEvent, DepositEvent};

/// What people have before the first block, as if it had been deposited.
///
/// Panics when it is more than there is room for, which no genesis says.
pub fn endow(state: &mut State, allocations: &[Allocation]) {
    for Allocation {
        token,
        address,
        amount,
    } in allocations
    {
        tokens::give(state, *token, *address, *amount)
            .expect("a genesis has room for what it gives");
    }
    state.seal();
}

/// Gives an event its effect, unless it has had it. The caller has counted the votes.
///
/// Errors: a deposit of nothing, or of more than there is room for; it has no effect then, and is not done.
pub fn bridged(state: &mut State, event: &BridgeEvent) -> Refused {
    if state.tables().bridged_events.contains_key(&event.id()) {
        return Ok(());
    }
    match event {
        BridgeEvent::Deposit(DepositEvent {
            token,
            address,
            amount,
            ..
        }) => {
            if !amount.is_positive() {
                return Err(Refusal::AmountNotPositive);
            }
            tokens::give(state, *token, *address, *amount)?;
        }
        BridgeEvent::EpochConfirmed(event) => epochs::confirm(state, event.token, event.root),
    }
    state.put(event.id(), BridgedEvent);
    Ok(())
}

//! What the engine runs besides actions. Source: idos-facts 6.1, kwil-rpc 4.

use super::execute::{At, Call, Refused};
use super::governance;
use super::refusal::Refusal;
use super::resolutions::{self, JOIN, Motion, REMOVE};
use super::tables::State;
use crate::crypto::Identity;
use crate::wire::{EnginePayload, KeyId, PowerUpdate, VotableEvent};

/// Runs one payload for whoever signed it.
pub(super) fn apply(
    state: &mut State,
    call: Call<'_>,
    (sender, at): (Identity, At),
    payload: &EnginePayload,
) -> Refused {
    match payload {
        EnginePayload::RawStatement { statement, .. } => {
            governance::run_statement(state, call, statement)
        }
        EnginePayload::Transfer { amount, .. } => transfer(amount),
        EnginePayload::ValidatorJoin { power } => join(state, at, sender, *power),
        EnginePayload::ValidatorApprove { candidate } => approve_join(state, at, sender, candidate),
        EnginePayload::ValidatorRemove { validator } => remove(state, at, sender, validator),
        EnginePayload::ValidatorLeave => leave(state, call, at, sender),
        EnginePayload::ValidatorVoteIds(ids) => {
            validator(state, sender)?;
            // What is decided by now, or was never proposed, is passed over.
            for id in ids {
                let _ = resolutions::approve(state, at, sender, *id);
            }
            Ok(())
        }
        EnginePayload::ValidatorVoteBodies(events) => {
            if at.proposer != Some(sender) {
                return Err(Refusal::CallerNotProposer);
            }
            for event in events {
                propose(state, at, sender, event)?;
            }
            Ok(())
        }
        EnginePayload::CreateResolution(event) => {
            // Joining and removing have payloads of their own, which check who asks.
            if [JOIN, REMOVE].contains(&event.kind.as_str()) {
                return Err(Refusal::ResolutionInvalid);
            }
            validator(state, sender)?;
            propose(state, at, sender, event)
        }
        EnginePayload::ApproveResolution(id) => {
            validator(state, sender)?;
            resolutions::approve(state, at, sender, *id)
        }
        // No node has a route for it; who sends it is told so before any block.
        EnginePayload::DeleteResolution(_) => Err(Refusal::ResolutionTypeUnknown),
    }
}

/// Accounts of an idOS network hold no native tokens, since gas costs are disabled.
fn transfer(amount: &str) -> Refused {
    if amount.starts_with('-') {
        Err(Refusal::AmountInvalid)
    } else if amount == "0" {
        Ok(())
    } else {
        Err(Refusal::InsufficientFunds)
    }
}

/// Proposes something, with the proposer's own approval.
fn propose(state: &mut State, at: At, sender: Identity, event: &VotableEvent) -> Refused {
    Motion::of(event)?;
    let expires_in = resolutions::expiry(state, &event.kind);
    resolutions::create(state, at, sender, event, expires_in)?;
    resolutions::approve(state, at, sender, event.id())
}

fn validator(state: &State, sender: Identity) -> Refused {
    if state.tables().validators.contains_key(&sender) {
        Ok(())
    } else {
        Err(Refusal::CallerNotValidator)
    }
}

fn join(state: &mut State, at: At, sender: Identity, power: u64) -> Refused {
    if state.tables().validators.contains_key(&sender) {
        return Err(Refusal::CallerIsValidator);
    }
    if resolutions::join_of(state, at, sender).is_some() {
        return Err(Refusal::JoinPending);
    }
    let power = i64::try_from(power).ok().filter(|power| *power > 0);
    let update = PowerUpdate {
        validator: KeyId::of(&sender),
        power: power.ok_or(Refusal::ResolutionInvalid)?,
    };
    let event = VotableEvent {
        kind: JOIN.to_owned(),
        body: update.encoded(),
    };
    let expires_in = resolutions::expiry(state, JOIN);
    resolutions::create(state, at, sender, &event, expires_in)
}

fn approve_join(state: &mut State, at: At, sender: Identity, candidate: &KeyId) -> Refused {
    let candidate = candidate.identity();
    if candidate == Some(sender) {
        return Err(Refusal::OwnJoin);
    }
    let pending = candidate.and_then(|candidate| resolutions::join_of(state, at, candidate));
    let pending = pending.ok_or(Refusal::NoJoinPending)?;
    validator(state, sender)?;
    resolutions::approve(state, at, sender, pending)
}

fn remove(state: &mut State, at: At, sender: Identity, target: &KeyId) -> Refused {
    let identity = target.identity();
    if identity.is_some() && identity == at.proposer {
        return Err(Refusal::LeaderStays);
    }
    validator(state, sender)?;
    match identity {
        Some(identity) if state.tables().validators.contains_key(&identity) => {}
        _ => return Err(Refusal::TargetNotValidator),
    }
    let update = PowerUpdate {
        validator: target.clone(),
        power: 0,
    };
    let event = VotableEvent {
        kind: REMOVE.to_owned(),
        body: update.encoded(),
    };
    if !resolutions::is_pending(state, at, event.id()) {
        let expires_in = resolutions::expiry(state, REMOVE);
        resolutions::create(state, at, sender, &event, expires_in)?;
    }
    resolutions::approve(state, at, sender, event.id())
}

/// Nobody has to approve of a validator that leaves, and it is one until the block's end.
fn leave(state: &mut State, call: Call<'_>, at: At, sender: Identity) -> Refused {
    if at.proposer == Some(sender) {
        return Err(Refusal::LeaderCannotLeave);
    }
    validator(state, sender)?;
    resolutions::set_power(state, call.env, at, sender, 0);
    Ok(())
}

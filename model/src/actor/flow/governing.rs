//! What operators of nodes decide together: transactions of the engine, signed with the nodes' keys.

use super::super::desk::Desk;
use super::super::order::{Order, ParameterChange, Proposal};
use super::{Next, declined, hand_in};
use crate::id::NodeId;
use crate::wire::{EnginePayload, KeyId, ParameterUpdate, ParameterUpdates, VotableEvent};

/// The one transaction of an order that is the engine's business.
pub(super) fn govern(desk: &Desk, order: &Order) -> Next {
    let node = |node: &NodeId| desk.directory.validators.get(node.index()).map(KeyId::of);
    let payload = match order {
        Order::JoinValidators { power } => Some(EnginePayload::ValidatorJoin { power: *power }),
        Order::ApproveJoin { node: of } => {
            node(of).map(|candidate| EnginePayload::ValidatorApprove { candidate })
        }
        Order::RemoveValidator { node: of } => {
            node(of).map(|validator| EnginePayload::ValidatorRemove { validator })
        }
        Order::LeaveValidators => Some(EnginePayload::ValidatorLeave),
        Order::ReplaceAction { governed, on } => Some(EnginePayload::RawStatement {
            statement: governed.statement(*on),
            parameters: Vec::new(),
        }),
        Order::Propose(proposal) => event(desk, proposal).map(EnginePayload::CreateResolution),
        Order::ApproveProposal(proposal) => {
            event(desk, proposal).map(|event| EnginePayload::ApproveResolution(event.id()))
        }
        other => unreachable!("{other:?} is no business of operators"),
    };
    match payload {
        Some(payload) => hand_in(payload),
        // Where nobody knows the nodes' keys, nobody can name them.
        None => declined("nothing-found"),
    }
}

/// What is voted on: whoever knows the proposal can name it, since its id follows from what it says.
fn event(desk: &Desk, proposal: &Proposal) -> Option<VotableEvent> {
    let update = match proposal.change {
        ParameterChange::Leader(node) => {
            let key = desk.directory.validators.get(node.index())?;
            ParameterUpdate::Leader(KeyId::of(key))
        }
        ParameterChange::JoinExpiry(seconds) => ParameterUpdate::JoinExpiry(seconds),
        ParameterChange::MaxBlockSize(bytes) => ParameterUpdate::MaxBlockSize(bytes),
        ParameterChange::MaxVotesPerTx(votes) => ParameterUpdate::MaxVotesPerTx(votes),
    };
    let updates = ParameterUpdates {
        description: format!("proposal {}", proposal.number),
        updates: vec![update],
    };
    Some(VotableEvent {
        kind: "param_updates".to_owned(),
        body: updates.encoded(),
    })
}

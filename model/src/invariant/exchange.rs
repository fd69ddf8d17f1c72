//! The chain that holds the tokens, as it stands at the end: what a reorganisation has undone is not part of it.

use std::sync::Arc;

use crate::bridge::{Address, Amount};
use crate::chain::{Block, Call, Contract, Log, SignedCall};
use crate::crypto::{Identity, Real, Suite as _, Symbolic};
use crate::history::{Cast, Event, History};

/// A call that was carried out.
pub(super) struct Deed<'a> {
    pub(super) call: &'a SignedCall,
    pub(super) logs: &'a [Log],
}

impl Deed<'_> {
    pub(super) fn asks(&self) -> &Call {
        &self.call.call
    }
}

/// A block, and the observation that shows it.
pub(super) struct Sealed<'a> {
    pub(super) block: &'a Block,
    pub(super) seen: usize,
}

impl<'a> Sealed<'a> {
    /// What was carried out in it, in order.
    pub(super) fn deeds(&self) -> impl Iterator<Item = Deed<'a>> {
        self.block.executions.iter().filter_map(|one| {
            let logs = one.result.as_ref().ok()?;
            let call = &one.call;
            Some(Deed { call, logs })
        })
    }

    /// What a contract holds after it.
    pub(super) fn holding(&self, contract: Contract) -> Amount {
        let mut held = self.block.holdings.iter();
        let held = held.find(|(one, _)| *one == contract);
        held.map_or(Amount::ZERO, |(_, amount)| *amount)
    }
}

/// The blocks that stand, in order.
pub(super) fn blocks(history: &History) -> Vec<Sealed<'_>> {
    let mut blocks: Vec<Sealed<'_>> = Vec::new();
    for (seen, observation) in history.observations().iter().enumerate() {
        match &observation.event {
            Event::ChainBlock { block } => blocks.push(Sealed { block, seen }),
            Event::ChainReorganised { last, .. } => {
                blocks.retain(|sealed| sealed.block.number <= *last);
            }
            _ => {}
        }
    }
    blocks
}

/// Whether the owner of an account has signed a message. A history does not say which suite it was made with, and a
/// signature is good in one of them only.
pub(super) fn has_signed(account: Address, message: &[u8], signature: &[u8]) -> bool {
    let signer = Identity::Evm(account.0);
    let real = || Real::new(Arc::default()).verify(&signer, message, signature);
    Symbolic.verify(&signer, message, signature) || real()
}

/// Whose account it is.
pub(super) fn name(cast: &Cast, address: Address) -> String {
    let node = cast.operators.iter().position(|one| *one == address);
    match node {
        Some(node) => format!("n{}", node + 1),
        None => match cast.holder(&address.to_string()) {
            Some(party) => cast.party(party).name.clone(),
            None => address.to_string(),
        },
    }
}

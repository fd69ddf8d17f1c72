//! Transactions that wait for a block. In memory only, first come first served, nonces without gaps.
//! Source: kwil-rpc 7.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::crypto::Identity;
use crate::id::TxId;
use crate::ledger::Invalid;
use crate::ledger::{Env, State, Transaction, validate};

/// Largest payload a node takes. Source: kwil-rpc 3 (the smaller of 4 MiB and the block).
const TRANSACTION_BYTES: usize = 4 << 20;
/// Largest number of waiting transactions; the network's own bound is 200 MiB.
const WAITING: usize = 10_000;

/// Why a transaction was not taken. Source: kwil-rpc 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Rejected {
    /// Signature, network or nonce.
    Invalid(Invalid),
    /// It is in the mempool or in a block already.
    AlreadyExists,
    /// Its payload is too large.
    TooLarge,
    /// The mempool is full.
    Full,
    /// The node does not know the latest block.
    CatchingUp,
}

impl Rejected {
    /// A stable name for the reason.
    pub const fn code(self) -> &'static str {
        match self {
            Rejected::Invalid(invalid) => invalid.code(),
            Rejected::AlreadyExists => "already-exists",
            Rejected::TooLarge => "too-large",
            Rejected::Full => "mempool-full",
            Rejected::CatchingUp => "catching-up",
        }
    }

    /// Every code that can stand behind `rejected:` in a scenario.
    pub const CODES: &'static [&'static str] = &[
        "bad-signature",
        "wrong-chain",
        "content-not-sealed",
        "wrong-nonce",
        "already-exists",
        "too-large",
        "mempool-full",
        "catching-up",
    ];
}

/// Largest sum of payloads in a block, as the network's parameters have it.
pub(super) fn block_bytes(state: &State) -> usize {
    usize::try_from(state.parameters().max_block_size).unwrap_or(0)
}

#[derive(Debug, Default)]
pub(super) struct Mempool {
    queue: BTreeMap<u64, Arc<Transaction>>,
    /// Places in the queue by account, in order.
    places: BTreeMap<Identity, Vec<u64>>,
    ids: BTreeSet<TxId>,
    nonces: BTreeMap<Identity, u64>,
    arrivals: u64,
    /// Those a client handed in here; this node gossips them until they are in a block.
    own: BTreeSet<TxId>,
}

impl Mempool {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn contains(&self, id: &TxId) -> bool {
        self.ids.contains(id)
    }

    /// Everything that waits, first come first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        self.queue.values()
    }

    /// The last nonce among what waits of a sender, if anything does.
    pub(super) fn last_nonce(&self, sender: &Identity) -> Option<u64> {
        self.nonces.get(sender).copied()
    }

    /// Takes a transaction that would be valid after everything that waits already.
    pub(super) fn insert(
        &mut self,
        state: &State,
        env: Env<'_>,
        transaction: &Arc<Transaction>,
        own: bool,
    ) -> Result<(), Rejected> {
        if transaction.payload_bytes() > TRANSACTION_BYTES.min(block_bytes(state)) {
            return Err(Rejected::TooLarge);
        }
        if self.queue.len() >= WAITING {
            return Err(Rejected::Full);
        }
        let account = transaction.sender.account();
        let used = self.nonces.get(&account).copied().unwrap_or_else(|| {
            state
                .tables()
                .accounts
                .get(&account)
                .map_or(0, |account| account.0)
        });
        validate(env, transaction, used).map_err(Rejected::Invalid)?;
        self.nonces.insert(account, transaction.nonce);
        self.places.entry(account).or_default().push(self.arrivals);
        self.ids.insert(transaction.id);
        self.queue.insert(self.arrivals, transaction.clone());
        self.arrivals += 1;
        if own {
            self.own.insert(transaction.id);
        }
        Ok(())
    }

    /// What the next block holds: from the front of the queue, as much as fits.
    pub(super) fn next_block(&self, state: &State) -> Arc<[Arc<Transaction>]> {
        let (mut bytes, most) = (0, block_bytes(state));
        self.queue
            .values()
            .take_while(|transaction| {
                bytes += transaction.payload_bytes();
                bytes <= most
            })
            .cloned()
            .collect()
    }

    /// Drops what a block included and what it made impossible. Of a transaction that was taken only the nonce
    /// can be overtaken, so that nobody is looked at but the block's senders.
    pub(super) fn recheck(&mut self, state: &State, block: &[Arc<Transaction>]) {
        let senders = block.iter().map(|one| one.sender.account()).collect();
        self.recheck_senders(state, senders);
    }

    /// Drops whatever a state has made impossible that came by another way than a block.
    pub(super) fn recheck_all(&mut self, state: &State) {
        let senders = self.places.keys().copied().collect();
        self.recheck_senders(state, senders);
    }

    fn recheck_senders(&mut self, state: &State, senders: BTreeSet<Identity>) {
        let most = block_bytes(state);
        for account in senders {
            let Some(places) = self.places.remove(&account) else {
                continue;
            };
            let accounts = &state.tables().accounts;
            let used = accounts.get(&account).map_or(0, |account| account.0);
            let mut last = used;
            let mut kept = Vec::new();
            for place in places {
                let fits =
                    |one: &Arc<Transaction>| one.nonce == last + 1 && one.payload_bytes() <= most;
                if self.queue.get(&place).is_some_and(fits) {
                    last += 1;
                    kept.push(place);
                } else if let Some(gone) = self.queue.remove(&place) {
                    // What no longer fits is simply gone, as after every commit of the real node.
                    self.ids.remove(&gone.id);
                    self.own.remove(&gone.id);
                }
            }
            if kept.is_empty() {
                self.nonces.remove(&account);
            } else {
                self.nonces.insert(account, last);
                self.places.insert(account, kept);
            }
        }
    }

    /// The clients' own transactions, to gossip again.
    pub(super) fn own(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        self.queue
            .values()
            .filter(|transaction| self.own.contains(&transaction.id))
    }
}

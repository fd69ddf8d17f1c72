//! Whether leaders include what they know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::{Asked, Event};
use crate::id::{NodeId, TxId};
use crate::ledger::Transaction;
use crate::node::{Block, Committed, Reply};

/// So many blocks may a leader make without a transaction it knows.
const BLOCKS: usize = 3;

/// Sum of payloads up to which a block has room. Source: idos-facts 9.1.
const ROOM: usize = 6 << 20;

pub(super) const KNOWN_IS_INCLUDED: Invariant = Invariant {
    name: "known-is-included",
    claim: "a transaction that a node has acknowledged is left out of no more than three blocks of one leader \
            who knows it",
    source: "S3 (no censorship); idos-facts 6.1",
    requirements: &["CONS-06"],
    check: known_is_included,
};

/// A transaction that a node said it has, and that is in no block yet.
struct Waiting {
    transaction: Arc<Transaction>,
    /// The nodes that said so, and have not lost their memory since.
    at: BTreeSet<NodeId>,
    /// When the first of them said so.
    since: usize,
    /// A leader that knows it, and the blocks it has made without it since.
    leader: Option<(NodeId, Vec<usize>)>,
}

impl Waiting {
    /// A node has forgotten what it did not write down.
    fn forget(&mut self, node: NodeId) {
        self.at.remove(&node);
        self.leader.take_if(|(leader, _)| *leader == node);
    }

    /// Whether a block could have held the transaction and does not.
    fn fits(&self, block: &Block) -> bool {
        let bytes = block.transactions.iter().map(|one| one.payload_bytes());
        bytes.sum::<usize>() + self.transaction.payload_bytes() <= ROOM
    }

    /// Whether a block holds the transaction, or another in its place, so that it is not valid any more.
    fn is_over(&self, block: &Block) -> bool {
        let account = self.transaction.sender.account();
        block.transactions.iter().any(|one| {
            one.id == self.transaction.id
                || one.sender.account() == account && one.nonce >= self.transaction.nonce
        })
    }

    /// The leader leaves it out once more, or is one that has just come to know it: nodes send what they hold
    /// to the others before they vote, so who has a vote of theirs has it too.
    fn left_out(&mut self, committed: &Committed, seen: usize) {
        let block = &committed.block;
        match &mut self.leader {
            Some((leader, blocks)) if *leader == block.proposer => blocks.push(seen),
            _ => {
                let votes = committed.votes.iter();
                let voters = votes.filter(|vote| vote.block == block.id);
                let told = voters.map(|vote| vote.validator).chain([block.proposer]);
                let knows = told.into_iter().any(|node| self.at.contains(&node));
                self.leader = knows.then(|| (block.proposer, Vec::new()));
            }
        }
    }
}

fn known_is_included(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut asked = BTreeMap::new();
    let mut waiting: BTreeMap<TxId, Waiting> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Asked {
                id,
                what: Asked::Broadcast(transaction),
                ..
            } => {
                asked.insert(*id, transaction);
            }
            Event::Answered {
                id,
                node,
                reply: Reply::TimedOut | Reply::Submitted,
                ..
            } => {
                let Some(transaction) = asked.get(id) else {
                    continue;
                };
                let places = chronicle.placed.get(&transaction.id).into_iter().flatten();
                if places.into_iter().any(|(.., placed)| *placed < seen) {
                    continue;
                }
                let known = waiting.entry(transaction.id).or_insert_with(|| Waiting {
                    transaction: (*transaction).clone(),
                    at: BTreeSet::new(),
                    since: seen,
                    leader: None,
                });
                known.at.insert(*node);
            }
            Event::Crashed { node, .. } | Event::Stopped { node } | Event::Halted { node, .. } => {
                waiting.values_mut().for_each(|known| known.forget(*node));
                // Nobody who is known to have it has it any more.
                waiting.retain(|_, known| !known.at.is_empty());
            }
            Event::Committed { committed, .. } => {
                let block = &committed.block;
                let first = chronicle.blocks.get(&block.height).map(|block| block.0);
                if first != Some(seen) {
                    continue;
                }
                waiting.retain(|id, known| {
                    if known.is_over(block) {
                        if block.transactions.iter().any(|one| one.id == *id) {
                            tally.kept("CONS-06");
                        }
                        return false;
                    }
                    if known.fits(block) {
                        known.left_out(committed, seen);
                    }
                    let Some((leader, blocks)) = &known.leader else {
                        return true;
                    };
                    if blocks.len() <= BLOCKS {
                        return true;
                    }
                    let sentence = format!(
                        "leader {leader} has made {} blocks without transaction {}, which it knows",
                        blocks.len(),
                        id.short()
                    );
                    let evidence = std::iter::once(known.since).chain(blocks.iter().copied());
                    tally.broken("CONS-06", sentence, evidence.collect());
                    false
                });
            }
            _ => {}
        }
    }
    tally.verdict("no node held a transaction that waited, until it came into a block")
}

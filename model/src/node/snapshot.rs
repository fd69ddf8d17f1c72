//! A bounded history: a node keeps the blocks of a window and a snapshot of its tables, and whoever is
//! further behind than the window gets the snapshot. Source: doc:decentralized-storage/README, idos-facts 6.3.
//!
//! The app hash of a block a snapshot is made after covers the tables as they are then, so that the votes that
//! made the block final stand behind the snapshot, and no peer that hands it over has to be believed.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::block::{Committed, TxResult, Vote};
use super::machine::Node;
use super::message::{Message, Note, Outbox, Record};
use crate::id::{AppHash, Height, NodeId};
use crate::ledger::State;
use crate::rules::Switch;
use crate::time::WallMillis;

/// The state after a final block, with all it takes to check it.
pub struct Snapshot {
    /// The block, with the votes that stand behind its app hash.
    pub committed: Arc<Committed>,
    /// Hash of what the block changed.
    pub change_set: [u8; 32],
    /// Result codes of its transactions.
    pub codes: Vec<u32>,
    /// The tables after it.
    pub state: State,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, tables) = (self.height(), hex::encode(self.state.checkpoint()));
        let changes = hex::encode(self.change_set);
        let codes = &self.codes;
        write!(
            f,
            "snapshot {height} (tables {tables}, changes {changes}, codes {codes:?})"
        )
    }
}

impl Snapshot {
    /// Height of the block.
    pub fn height(&self) -> Height {
        self.committed.block.height
    }

    /// Whether this is the state that the voters agree on.
    pub fn is_what_was_voted_for(&self) -> bool {
        let codes = self.codes.iter().copied();
        let previous = self.committed.block.previous_app_hash;
        let checkpoint = Some(self.state.checkpoint());
        app_hash(previous, self.change_set, codes, checkpoint) == self.committed.app_hash
    }
}

/// The hash chain over changes: previous hash, change set, accounts (inside the change set here), result
/// codes, and the tables where a snapshot is made. Texts of refusals do not enter. Source: idos-facts 6.2.
pub(super) fn app_hash(
    previous: AppHash,
    change_set: [u8; 32],
    codes: impl Iterator<Item = u32>,
    checkpoint: Option<[u8; 32]>,
) -> AppHash {
    let mut hash = Sha256::new();
    hash.update(previous.0);
    hash.update(change_set);
    for code in codes {
        hash.update(code.to_be_bytes());
    }
    if let Some(checkpoint) = checkpoint {
        hash.update(checkpoint);
    }
    AppHash(hash.finalize().into())
}

impl Record {
    /// Forgets what a later snapshot has made superfluous: the blocks it says, votes for them, and what was
    /// the state before them. Only a snapshot among those from `new` on makes anything superfluous.
    pub fn prune(records: &mut Vec<Record>, new: usize) {
        let Some(last) = Record::gone(records.get(new..).unwrap_or_default()) else {
            return;
        };
        records.retain(|record| match record {
            Record::Committed(committed) => committed.block.height > last,
            Record::Accepted(_, block) => block.height > last,
            Record::Snapshot { snapshot, .. } => snapshot.height() >= last,
            Record::Term(..) => true,
        });
    }

    /// The height up to which nothing is needed any more but the state; none without a snapshot.
    fn gone(records: &[Record]) -> Option<Height> {
        records.iter().rev().find_map(|record| match record {
            Record::Snapshot { gone, .. } => Some(*gone),
            _ => None,
        })
    }
}

impl Node {
    /// Whether a snapshot is made after the block of this height.
    pub(super) fn makes_snapshot(&self, height: Height) -> bool {
        let every = self.genesis.timing.history;
        self.genesis.rules.keep(Switch::BoundedHistory) && height.0.is_multiple_of(every)
    }

    /// Makes a snapshot if one is due after the last block, and forgets the blocks up to the one before.
    pub(super) fn prune(&mut self, results: &[TxResult], change_set: [u8; 32]) {
        let height = self.height();
        let Some(committed) = self.last.clone().filter(|_| self.makes_snapshot(height)) else {
            return;
        };
        self.snapshot = Some(Arc::new(Snapshot {
            committed,
            change_set,
            codes: results.iter().map(|result| result.outcome.code()).collect(),
            state: self.state.clone(),
        }));
        let gone = self.gone_before(height);
        while self.before < gone
            && let Some(pruned) = self.chain.pop_front()
        {
            self.before = self.before.next();
            for transaction in pruned.block.transactions.iter() {
                let included = self.included.get(&transaction.id);
                if included.is_some_and(|(height, _)| *height == self.before) {
                    self.included.remove(&transaction.id);
                }
            }
        }
    }

    /// The last height that is not needed any more beside a snapshot of this height.
    fn gone_before(&self, snapshot: Height) -> Height {
        Height(snapshot.0.saturating_sub(self.genesis.timing.history))
    }

    /// The snapshot of the last block, if it was made just now, for the disk.
    pub(super) fn fresh_snapshot(&self) -> Option<Record> {
        let snapshot = self.snapshot.as_ref()?;
        let height = snapshot.height();
        (height == self.height()).then(|| Record::Snapshot {
            snapshot: snapshot.clone(),
            gone: self.gone_before(height),
        })
    }

    /// Starts from the state before the oldest block that the disk has to have, so that all that can be asked
    /// about its blocks is worked out again.
    pub(super) fn restore_snapshot(&mut self, records: &[Record]) {
        let oldest = Record::gone(records);
        let state = records.iter().find_map(|record| match record {
            Record::Snapshot { snapshot, .. } if Some(snapshot.height()) == oldest => {
                Some(snapshot)
            }
            _ => None,
        });
        if let Some(state) = state {
            self.stand_on(state);
        }
    }

    /// Takes the state of a snapshot for its own, with no block but what is said in it.
    fn stand_on(&mut self, snapshot: &Arc<Snapshot>) {
        self.state = snapshot.state.clone();
        self.app_hash = snapshot.committed.app_hash;
        self.last = Some(snapshot.committed.clone());
        self.chain.clear();
        self.before = snapshot.height();
        self.included.clear();
        self.snapshot = Some(snapshot.clone());
        self.executed = None;
        // A leader that a resolution appointed keeps the term, and nobody says so again.
        let first = |vote: &Vote| vote.ballot.term == 0;
        if self.term == 0 && snapshot.committed.votes.iter().all(first) {
            let appointed = self.state.parameters().leader;
            self.leader = appointed
                .and_then(|leader| self.genesis.place(&leader))
                .unwrap_or(snapshot.committed.block.proposer);
        }
        self.note_validators();
    }

    /// Tells a peer that is further behind than the blocks reach what to begin with.
    pub(super) fn send_snapshot(&self, to: NodeId, out: &mut Outbox) {
        if let Some(snapshot) = &self.snapshot {
            out.send(to, Message::Snapshot(snapshot.clone()));
        }
    }

    /// A peer does not have the blocks any more that this node lacks.
    pub(super) fn on_snapshot(
        &mut self,
        now: WallMillis,
        from: NodeId,
        snapshot: &Arc<Snapshot>,
        out: &mut Outbox,
    ) {
        let height = snapshot.height();
        if height <= self.height() || !self.makes_snapshot(height) {
            return;
        }
        let distinct = self.genesis.rules.keep(Switch::DistinctVotes);
        let committed = &snapshot.committed;
        // Who has not seen the validators change goes by those it knows.
        let votes = |node| self.votes(node);
        let voices = committed.voices(&*self.suite, &self.genesis.nodes, votes, distinct);
        if voices < self.quorum() || !snapshot.is_what_was_voted_for() {
            return;
        }
        let before = self.state.digest();
        self.stand_on(snapshot);
        out.persist(Record::Snapshot {
            snapshot: snapshot.clone(),
            gone: height,
        });
        out.sync();
        out.note(Note::Installed {
            height,
            app_hash: self.app_hash,
            tables: (before, self.state.digest()),
        });
        self.accepted = self
            .accepted
            .take()
            .filter(|(_, block)| block.height > height);
        self.mempool.recheck_all(&self.state);
        out.send(from, Message::Ask { have: height });
        self.lead_on(now, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Identity;
    use crate::id::BlockId;
    use crate::ledger::Account;
    use crate::node::Block;

    fn state(nonce: u64) -> State {
        let mut state = State::default();
        state.put(Identity::Ed25519([1; 32]), Account(nonce));
        state
    }

    fn snapshot(of: State, codes: Vec<u32>, change_set: [u8; 32]) -> Snapshot {
        let after = (Height(8), BlockId::default(), AppHash([7; 32]));
        let block = Block::received(
            NodeId(0),
            after,
            WallMillis(0),
            Vec::new().into(),
            Vec::new(),
        );
        let voted = app_hash(
            AppHash([7; 32]),
            [1; 32],
            [0].into_iter(),
            Some(state(3).checkpoint()),
        );
        Snapshot {
            committed: Arc::new(Committed {
                block,
                app_hash: voted,
                votes: Vec::new(),
            }),
            change_set,
            codes,
            state: of,
        }
    }

    #[test]
    fn a_snapshot_is_believed_only_with_the_tables_changes_and_codes_that_were_voted_for() {
        let right = snapshot(state(3), vec![0], [1; 32]);
        assert!(right.is_what_was_voted_for());
        let wrong = [
            snapshot(state(4), vec![0], [1; 32]),
            snapshot(state(3), vec![1], [1; 32]),
            snapshot(state(3), vec![0, 0], [1; 32]),
            snapshot(state(3), vec![0], [2; 32]),
        ];
        assert!(wrong.iter().all(|one| !one.is_what_was_voted_for()));
    }

    #[test]
    fn a_disk_keeps_two_snapshots_and_the_blocks_since_the_first() {
        let committed = |height| {
            let after = (Height(height), BlockId::default(), AppHash::default());
            let transactions = Vec::new().into();
            let block = Block::received(NodeId(0), after, WallMillis(0), transactions, Vec::new());
            let (app_hash, votes) = (AppHash::default(), Vec::new());
            Arc::new(Committed {
                block,
                app_hash,
                votes,
            })
        };
        let made = |height, gone| Record::Snapshot {
            snapshot: Arc::new(Snapshot {
                committed: committed(height),
                change_set: [0; 32],
                codes: Vec::new(),
                state: State::default(),
            }),
            gone: Height(gone),
        };
        let mut records: Vec<Record> = Vec::new();
        for height in 1..=9 {
            records.push(Record::Committed(committed(height)));
            if height % 3 == 0 {
                records.push(made(height, height - 3));
                let newest = records.len() - 1;
                Record::prune(&mut records, newest);
            }
        }
        let shown: Vec<_> = records
            .iter()
            .map(|record| match record {
                Record::Committed(committed) => committed.block.height.0,
                Record::Snapshot { snapshot, .. } => 100 + snapshot.height().0,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(shown, [106, 7, 8, 9, 109]);
    }
}

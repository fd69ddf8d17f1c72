//! Blocks, votes, and what makes a block final.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crypto::{Identity, SigningKey, Suite};
use crate::id::{AppHash, BlockId, Height, NodeId, TablesDigest, TxId};
use crate::ledger::{At, Outcome, Transaction};
use crate::rules::{Rules, Switch};
use crate::time::{BlockTime, WallMillis};

/// How many votes commit a block: more than half, by count, the leader's included.
/// Source: idos-facts 6.1.
pub const fn quorum(validators: usize) -> usize {
    validators / 2 + 1
}

/// Orders the proposals for one height: a later leader's beat an earlier one's, and a leader's later
/// ones its earlier ones.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Ballot {
    /// Counts the leaders the operators have appointed; the genesis leader's is 0.
    pub term: u32,
    /// Counts the proposals of one leader.
    pub round: u32,
}

/// A block as its proposer signed it.
pub struct Block {
    /// One more than the previous block's.
    pub height: Height,
    /// The block before.
    pub previous: BlockId,
    /// App hash after the block before.
    pub previous_app_hash: AppHash,
    /// The proposer's clock; whole seconds of it are chain time.
    pub time: WallMillis,
    /// Who proposed it.
    pub proposer: NodeId,
    /// In order of execution.
    pub transactions: Arc<[Arc<Transaction>]>,
    /// Digest of all of the above.
    pub id: BlockId,
    /// The proposer's signature over the id.
    pub signature: Vec<u8>,
}

impl Block {
    /// Signs a block; fields as in the type.
    pub fn propose(
        suite: &dyn Suite,
        key: &SigningKey,
        proposer: NodeId,
        (height, previous, previous_app_hash): (Height, BlockId, AppHash),
        time: WallMillis,
        transactions: Arc<[Arc<Transaction>]>,
    ) -> Arc<Block> {
        let id = Block::digest(
            (height, previous, previous_app_hash),
            time,
            proposer,
            &transactions,
        );
        let signature = suite.sign(key, &id.0);
        Arc::new(Block {
            height,
            previous,
            previous_app_hash,
            time,
            proposer,
            transactions,
            id,
            signature,
        })
    }

    /// A block somebody else proposed, as it was read from bytes. The id is worked out and never believed;
    /// the signature is as it came, and nobody has checked it.
    pub fn received(
        proposer: NodeId,
        (height, previous, previous_app_hash): (Height, BlockId, AppHash),
        time: WallMillis,
        transactions: Arc<[Arc<Transaction>]>,
        signature: Vec<u8>,
    ) -> Arc<Block> {
        let id = Block::digest(
            (height, previous, previous_app_hash),
            time,
            proposer,
            &transactions,
        );
        Arc::new(Block {
            height,
            previous,
            previous_app_hash,
            time,
            proposer,
            transactions,
            id,
            signature,
        })
    }

    fn digest(
        (height, previous, previous_app_hash): (Height, BlockId, AppHash),
        time: WallMillis,
        proposer: NodeId,
        transactions: &[Arc<Transaction>],
    ) -> BlockId {
        let mut header = Sha256::new();
        header.update(height.0.to_le_bytes());
        header.update(previous.0);
        header.update(previous_app_hash.0);
        header.update(time.0.to_le_bytes());
        header.update(proposer.0.to_le_bytes());
        for transaction in transactions {
            header.update(transaction.id.0);
        }
        BlockId(header.finalize().into())
    }

    /// Chain time while this block executes: its own header, not the one before.
    /// Source: idos-facts 0.1 X13.
    pub fn block_time(&self) -> BlockTime {
        self.time.block_time()
    }

    /// Where in the chain its transactions run. `before` is the time of the block before, `nodes` are the
    /// network's by place.
    pub fn at(&self, rules: Rules, before: BlockTime, nodes: &[Identity]) -> At {
        At {
            height: self.height,
            time: if rules.keep(Switch::OwnBlockTime) {
                self.block_time()
            } else {
                before
            },
            proposer: nodes.get(self.proposer.index()).copied(),
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "block {} ({:?}, {} transactions, by {})",
            self.height,
            self.id,
            self.transactions.len(),
            self.proposer
        )
    }
}

/// A validator's word that executing this block gave it this app hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who votes.
    pub validator: NodeId,
    /// The proposal voted for.
    pub ballot: Ballot,
    /// The block in it.
    pub block: BlockId,
    /// The validator's app hash after it.
    pub app_hash: AppHash,
    /// Signature over all of the above.
    pub signature: Vec<u8>,
}

impl Vote {
    /// Signs a vote.
    pub fn cast(
        suite: &dyn Suite,
        key: &SigningKey,
        validator: NodeId,
        ballot: Ballot,
        block: BlockId,
        app_hash: AppHash,
    ) -> Vote {
        let text = Vote::text(ballot, block, app_hash);
        Vote {
            validator,
            ballot,
            block,
            app_hash,
            signature: suite.sign(key, &text),
        }
    }

    /// Whether the validator it names signed it.
    pub fn verify(&self, suite: &dyn Suite, validators: &[Identity]) -> bool {
        validators
            .get(self.validator.index())
            .is_some_and(|identity| {
                let text = Vote::text(self.ballot, self.block, self.app_hash);
                suite.verify(identity, &text, &self.signature)
            })
    }

    /// What is signed.
    pub(crate) fn text(ballot: Ballot, block: BlockId, app_hash: AppHash) -> [u8; 72] {
        let mut text = [0; 72];
        text[..4].copy_from_slice(&ballot.term.to_le_bytes());
        text[4..8].copy_from_slice(&ballot.round.to_le_bytes());
        text[8..40].copy_from_slice(&block.0);
        text[40..].copy_from_slice(&app_hash.0);
        text
    }
}

/// A final block with the votes that made it so.
#[derive(Debug)]
pub struct Committed {
    /// The block.
    pub block: Arc<Block>,
    /// App hash the voters agree on.
    pub app_hash: AppHash,
    /// Their votes.
    pub votes: Vec<Vote>,
}

impl Committed {
    /// Whether enough validators stand behind the block. With `distinct` unset a validator that votes
    /// twice counts twice, as in the published node (idos-facts 6.1).
    pub fn is_final(&self, suite: &dyn Suite, validators: &[Identity], distinct: bool) -> bool {
        self.voices(suite, validators, |_| true, distinct) >= quorum(validators.len())
    }

    /// How many votes of those who may vote stand behind the block; `distinct` as above.
    pub(super) fn voices(
        &self,
        suite: &dyn Suite,
        nodes: &[Identity],
        may_vote: impl Fn(NodeId) -> bool,
        distinct: bool,
    ) -> usize {
        let mut voters = BTreeSet::new();
        self.votes
            .iter()
            .filter(|vote| vote.block == self.block.id && vote.app_hash == self.app_hash)
            .filter(|vote| may_vote(vote.validator))
            .filter(|vote| vote.verify(suite, nodes))
            .filter(|vote| voters.insert(vote.validator) || !distinct)
            .count()
    }
}

/// What a node's execution of one transaction came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TxResult {
    /// The transaction.
    pub id: TxId,
    /// What became of it.
    pub outcome: Outcome,
    /// Digest of all tables after it, so that an effect of a refused action would show.
    pub tables: TablesDigest,
}

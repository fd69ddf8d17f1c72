//! What a slash can cite: two votes of one validator for two blocks on one ballot. An honest validator votes
//! once on a ballot, so both signatures together show that it lied, to anybody who knows its key.

use serde::Serialize;

use crate::crypto::{Identity, SigningKey, Suite};
use crate::id::{AppHash, BlockId, NodeId};
use crate::node::{Ballot, Vote};

/// One of the votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedVote {
    /// The block voted for.
    pub block: BlockId,
    /// The app hash stated after it.
    pub app_hash: AppHash,
    /// The validator's signature over ballot, block and app hash.
    pub signature: Vec<u8>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The ballot both votes are on.
    pub ballot: Ballot,
    /// The votes.
    pub votes: [SignedVote; 2],
}

impl Evidence {
    /// The evidence in two votes, if they are on one ballot.
    pub fn of(one: &Vote, other: &Vote) -> Option<Evidence> {
        let signed = |vote: &Vote| SignedVote {
            block: vote.block,
            app_hash: vote.app_hash,
            signature: vote.signature.clone(),
        };
        (one.ballot == other.ballot).then(|| Evidence {
            ballot: one.ballot,
            votes: [signed(one), signed(other)],
        })
    }

    /// What a validator leaves behind that votes twice: for two blocks on one ballot.
    pub fn of_double_vote(suite: &dyn Suite, key: &SigningKey, node: NodeId) -> Evidence {
        let ballot = Ballot { term: 0, round: 1 };
        let vote = |block| Vote::cast(suite, key, node, ballot, BlockId(block), AppHash::default());
        Evidence::of(&vote([1; 32]), &vote([2; 32])).expect("both are on one ballot")
    }

    /// Whether the votes are for different blocks and this validator signed both.
    pub fn convicts(&self, suite: &dyn Suite, validator: &Identity) -> bool {
        let [one, other] = &self.votes;
        let signed = |vote: &SignedVote| {
            let text = Vote::text(self.ballot, vote.block, vote.app_hash);
            suite.verify(validator, &text, &vote.signature)
        };
        one.block != other.block && signed(one) && signed(other)
    }
}

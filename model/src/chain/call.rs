//! What can be asked of the contracts, and what they say about what they did.

use serde::Serialize;

use super::contract::{Contract, account};
use super::escrow::RootSignature;
use super::evidence::Evidence;
use crate::bridge::{Address, Amount, Hash, Leaf, Token};
use crate::crypto::{Identity, SigningKey, Suite};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Call {
    /// Token: allow a contract to spend the caller's tokens.
    Approve {
        /// Which token.
        token: Token,
        /// Who may spend.
        spender: Contract,
        /// How much.
        amount: Amount,
    },
    /// Token: move the caller's tokens.
    Transfer {
        /// Which token.
        token: Token,
        /// To whom.
        to: Address,
        /// How much.
        amount: Amount,
    },

    /// Staking, owner: put a node on the allow-list.
    AllowNode(Address),
    /// Staking, owner: take it off again; stake that is there stays.
    DisallowNode(Address),
    /// Staking: put tokens of `user` (the caller, if it is zero) behind a node.
    Stake {
        /// Whose tokens.
        user: Address,
        /// Behind which node.
        node: Address,
        /// How much.
        amount: Amount,
    },
    /// Staking: begin to take stake back.
    Unstake {
        /// From which node.
        node: Address,
        /// How much.
        amount: Amount,
    },
    /// Staking: be paid what has waited long enough.
    WithdrawUnstaked,
    /// Staking: be paid the rewards of all epochs that are over.
    WithdrawReward,
    /// Staking, owner: take everything that is staked behind a node.
    Slash {
        /// The node.
        node: Address,
        /// What shows that it deserves it. The deployed contract knows no such argument.
        evidence: Option<Evidence>,
    },
    /// Staking, owner: be paid what was slashed.
    WithdrawSlashedStakes,
    /// Staking, owner: set the reward of an epoch, from this one on.
    SetEpochReward(Amount),
    /// Staking, owner: stop staking, unstaking and payments.
    Pause,
    /// Staking, owner: go on.
    Unpause,

    /// Escrow: hand tokens over to the storage network.
    Deposit {
        /// Which token.
        token: Token,
        /// How much.
        amount: Amount,
    },
    /// Escrow: post the root of an epoch's withdrawals, which enough signers have signed.
    PostRoot {
        /// Which token.
        token: Token,
        /// The root of the tree.
        root: Hash,
        /// Who stands behind it.
        signatures: Vec<RootSignature>,
    },
    /// Escrow: have a withdrawal paid. Anybody may ask; the tokens go to who is entitled.
    Claim {
        /// Which token.
        token: Token,
        /// The root of the epoch.
        root: Hash,
        /// The withdrawal.
        leaf: Leaf,
        /// The way from it to the root.
        proof: Vec<Hash>,
    },
}

/// What a contract says it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Log {
    /// Tokens moved.
    Transferred {
        /// Which token.
        token: Token,
        /// Whose they were.
        from: Address,
        /// Whose they are.
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// A spender may spend so much.
    Approved {
        /// Which token.
        token: Token,
        /// Whose.
        holder: Address,
        /// Who.
        spender: Address,
        /// How much.
        amount: Amount,
    },
    /// A node is on the allow-list.
    Allowed(Address),
    /// A node is off the allow-list.
    Disallowed(Address),
    /// Tokens are staked.
    Staked {
        /// Whose.
        user: Address,
        /// Behind which node.
        node: Address,
        /// How much.
        amount: Amount,
    },
    /// Stake is on its way back.
    Unstaked {
        /// Whose.
        user: Address,
        /// From which node.
        node: Address,
        /// How much.
        amount: Amount,
    },
    /// Unstaked tokens were paid.
    UnstakedWithdraw {
        /// To whom.
        user: Address,
        /// How much.
        amount: Amount,
    },
    /// Rewards were paid.
    RewardWithdraw {
        /// To whom.
        user: Address,
        /// How much.
        amount: Amount,
    },
    /// Everything behind a node is lost.
    Slashed {
        /// The node.
        node: Address,
        /// How much.
        amount: Amount,
    },
    /// What was slashed was paid to the owner.
    SlashedWithdraw(Amount),
    /// Epochs have another reward.
    EpochRewardChanged {
        /// From which epoch on.
        epoch: u64,
        /// The reward.
        reward: Amount,
    },
    /// The staking contract stands still.
    Paused,
    /// It goes on.
    Unpaused,
    /// Tokens were deposited into the storage network.
    Deposited {
        /// Which token.
        token: Token,
        /// By whom, and so to whose credit.
        from: Address,
        /// How much.
        amount: Amount,
    },
    /// An epoch's root is known.
    RootPosted {
        /// Which token.
        token: Token,
        /// The root.
        root: Hash,
    },
    /// A withdrawal was paid.
    Claimed {
        /// The root of its epoch.
        root: Hash,
        /// The withdrawal.
        leaf: Leaf,
    },
}

/// A call as its sender signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedCall {
    /// Who calls.
    pub from: Address,
    /// One the sender has not used yet, so that no call is carried out twice.
    pub nonce: u64,
    /// What is asked.
    pub call: Call,
    /// The sender's signature over chain, nonce and call.
    pub signature: Vec<u8>,
}

impl Call {
    /// Whether an amount in it is below zero. The contracts know no such numbers, so no such call can be made.
    pub fn has_negative(&self) -> bool {
        let amount = match self {
            Call::Approve { amount, .. }
            | Call::Transfer { amount, .. }
            | Call::Stake { amount, .. }
            | Call::Unstake { amount, .. }
            | Call::SetEpochReward(amount)
            | Call::Deposit { amount, .. } => *amount,
            Call::Claim { leaf, .. } => leaf.amount,
            _ => Amount::ZERO,
        };
        amount < Amount::ZERO
    }
}

impl SignedCall {
    /// Signs a call; nothing when the key is none of this chain's.
    pub fn sign(
        suite: &dyn Suite,
        key: &SigningKey,
        chain: &str,
        nonce: u64,
        call: Call,
    ) -> Option<SignedCall> {
        let from = account(&suite.identity(key))?;
        let signature = suite.sign(key, &text(chain, nonce, &call));
        Some(SignedCall {
            from,
            nonce,
            call,
            signature,
        })
    }

    /// Whether its sender signed it, for this chain.
    pub fn is_signed(&self, suite: &dyn Suite, chain: &str) -> bool {
        let text = text(chain, self.nonce, &self.call);
        suite.verify(&Identity::Evm(self.from.0), &text, &self.signature)
    }
}

/// What is signed.
fn text(chain: &str, nonce: u64, call: &Call) -> Vec<u8> {
    postcard::to_allocvec(&(chain, nonce, call)).expect("a call holds nothing that has no bytes")
}

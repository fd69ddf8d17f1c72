//! Why a contract refuses a call. Source: idos-facts 5.17; the names of OpenZeppelin's contracts where those
//! refuse.

use std::fmt;

use serde::Serialize;

macro_rules! reverts {
    ($($variant:ident $code:literal $about:literal;)+) => {
        /// A named error of a contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Revert {
            $(#[doc = $about] $variant,)+
        }

        impl Revert {
            /// All of them.
            pub const ALL: &'static [Revert] = &[$(Revert::$variant),+];

            /// What can stand behind `refused:` in a scenario, in the same order.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// A stable name, as stories write it.
            pub const fn code(self) -> &'static str {
                match self { $(Revert::$variant => $code),+ }
            }
        }

        /// As the contract names it.
        impl fmt::Display for Revert {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Revert::$variant => stringify!($variant)),+ })
            }
        }
    };
}

reverts! {
    OwnableUnauthorizedAccount "not-the-contracts-owner"
        "Only the owner of the contract may do this.";
    EnforcedPause "contract-paused"
        "The contract is paused.";
    ExpectedPause "contract-not-paused"
        "The contract is not paused.";
    ERC20InsufficientBalance "tokens-insufficient"
        "The account does not hold as many tokens.";
    ERC20InsufficientAllowance "allowance-insufficient"
        "The holder has not allowed the spender as many tokens.";
    ZeroAddressNode "node-zero"
        "A node is named by the account nobody has.";
    NodeIsNotAllowed "node-not-allowed"
        "The node is not on the allow-list.";
    NodeIsSlashed "node-slashed"
        "The node was slashed.";
    NodeIsUnknown "node-unknown"
        "The node has no stake.";
    AmountNotPositive "amount-not-positive"
        "The amount is zero.";
    AmountExceedsStake "amount-exceeds-stake"
        "The caller has less stake at this node.";
    ArithmeticOverflow "amount-too-large"
        "A number leaves its range.";
    NotStarted "staking-not-started"
        "Staking has not begun.";
    NoWithdrawableStake "no-withdrawable-stake"
        "No unstaked tokens have waited long enough.";
    NoWithdrawableRewards "no-withdrawable-rewards"
        "The caller is owed no reward.";
    NoWithdrawableSlashedStakes "no-withdrawable-slashed-stakes"
        "Every slashed stake was withdrawn.";
    EpochRewardDidntChange "epoch-reward-unchanged"
        "The reward is what it was.";
    StakerIsNotCaller "staker-not-caller"
        "Only the holder stakes its tokens. The deployed contract has no such error.";
    RewardsNotFunded "rewards-not-funded"
        "The reward is more than what was paid in for rewards. The deployed contract has no such error.";
    EvidenceMissing "evidence-missing"
        "A slash names no evidence. The deployed contract has no such error.";
    EvidenceInvalid "evidence-invalid"
        "What a slash names does not show that the node's validator voted twice. The deployed contract has no such error.";
    TooFewSignatures "signatures-too-few"
        "Too few signers stand behind an epoch's root.";
    RootIsPosted "root-posted"
        "The root is posted already.";
    RootIsUnknown "root-unknown"
        "Nobody posted this root.";
    ProofIsWrong "proof-wrong"
        "The claim is not in the epoch's tree.";
    AlreadyClaimed "already-claimed"
        "The claim was paid.";
}

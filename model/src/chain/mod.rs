//! The chain outside the storage network on which idOS has its tokens: a small deterministic EVM-like chain
//! with the three contracts that matter. Source: idos-facts 5.16, 5.17.
//!
//! [`Chain`] is the machine: blocks with a time, confirmations, reorganisation of what is not confirmed yet. A
//! contract is a module: [`Erc20`], [`Escrow`] (deposits, epoch roots, claims), [`Staking`] (the
//! contract `IDOSNodeStaking`). Time is an argument, as
//! everywhere in the model; what a contract refuses is a [`Revert`], under the name the contract gives it.

mod amount;
mod call;
mod contract;
mod contracts;
mod erc20;
mod escrow;
mod evidence;
mod machine;
mod revert;
mod staking;

pub use amount::{share, whole, written};
pub use call::{Call, Log, SignedCall};
pub use contract::{Contract, account};
pub use contracts::Contracts;
pub use erc20::Erc20;
pub use escrow::{Escrow, RootSignature, root_message};
pub use evidence::{Evidence, SignedVote};
pub use machine::{Block, Chain, Execution, Setting, Unfit};
pub use revert::Revert;
pub use staking::{EPOCH_LENGTH, FIRST_YEARS_REWARD, Staking, UNSTAKE_DELAY, ZERO};

//! What the storage network and the chain that holds the tokens say to each other: amounts, addresses,
//! events, and the trees by which withdrawals are claimed.
//!
//! Both sides build on these shapes and share nothing else: the ledger credits a [`DepositEvent`] and closes
//! an epoch with a [`Tree`], the other chain makes events and checks proofs with [`verify`].
//! Source: idos-facts 2.7 and 5.16, kwil-db's erc20-bridge.

mod event;
mod merkle;
mod token;

pub use event::{BridgeEvent, DepositEvent, EpochConfirmedEvent};
pub use merkle::{Hash, Leaf, Tree, verify};
pub use token::{Address, Allocation, Amount, CHAIN, Token};

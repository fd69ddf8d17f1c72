//! What happened on the other chain, as validators tell it to the storage network.

use serde::Serialize;

use super::merkle::Hash;
use super::token::{Address, Amount, Token};

/// Tokens came to an escrow. Credited to whoever sent them, once enough validators have said so.
/// Source: idos-facts 5.16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DepositEvent {
    /// Names the event for good: a digest of transaction and place in its log.
    pub id: Hash,
    /// Which token.
    pub token: Token,
    /// Who sent it, and is credited.
    pub address: Address,
    /// How much.
    pub amount: Amount,
    /// Block of the other chain that holds it.
    pub block: u64,
}

/// An escrow has taken the root of an epoch: its rewards can be claimed, and the next epoch may close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EpochConfirmedEvent {
    /// Names the event for good.
    pub id: Hash,
    /// Which token.
    pub token: Token,
    /// The root, which finds the epoch.
    pub root: Hash,
    /// Block of the other chain that holds it.
    pub block: u64,
}

/// Anything validators tell of the other chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum BridgeEvent {
    /// Tokens came.
    Deposit(DepositEvent),
    /// A root was taken.
    EpochConfirmed(EpochConfirmedEvent),
}

impl BridgeEvent {
    /// Names the event for good.
    pub const fn id(&self) -> Hash {
        match self {
            BridgeEvent::Deposit(event) => event.id,
            BridgeEvent::EpochConfirmed(event) => event.id,
        }
    }

    /// Whose ledger it concerns.
    pub const fn token(&self) -> Token {
        match self {
            BridgeEvent::Deposit(event) => event.token,
            BridgeEvent::EpochConfirmed(event) => event.token,
        }
    }
}

//! The contracts that hold tokens, and their accounts.

use serde::{Deserialize, Serialize};

use crate::bridge::{Address, Token};
use crate::crypto::Identity;

/// A contract that holds tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Contract {
    /// Holds what was deposited into the storage network; one per token.
    Escrow(Token),
    /// Holds stakes and what rewards are paid from, all of it IDOS.
    Staking,
}

impl Contract {
    /// All of them.
    pub const ALL: [Contract; 3] = [
        Contract::Escrow(Token::Idos),
        Contract::Escrow(Token::Usdc),
        Contract::Staking,
    ];

    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Contract::Escrow(Token::Idos) => "the IDOS escrow",
            Contract::Escrow(Token::Usdc) => "the USDC escrow",
            Contract::Staking => "the staking contract",
        }
    }

    /// Its account.
    pub const fn address(self) -> Address {
        match self {
            Contract::Escrow(token) => token.escrow(),
            // Nobody has the key of it.
            Contract::Staking => Address(*b"IDOSNodeStaking 0001"),
        }
    }

    /// Which token it holds.
    pub const fn token(self) -> Token {
        match self {
            Contract::Escrow(token) => token,
            Contract::Staking => Token::Idos,
        }
    }
}

/// The account of a key; only EVM keys have one.
pub fn account(identity: &Identity) -> Option<Address> {
    match identity {
        Identity::Evm(address) => Some(Address(*address)),
        _ => None,
    }
}

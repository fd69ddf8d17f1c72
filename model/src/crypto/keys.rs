//! Keys and identities, in the forms idOS writes them.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

/// How a key signs. Source: idos-facts 4.1. NEAR, XRPL and Stellar wallets join in a later change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// secp256k1 with the EIP-191 personal-sign prefix; the identity is a 20-byte address.
    Evm,
    /// Plain Ed25519 over the raw bytes; the identity is the 32-byte public key.
    Ed25519,
}

/// A secret signing key: 32 bytes and the scheme they are used with.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// How the key signs.
    pub scheme: Scheme,
    /// secp256k1 scalar or Ed25519 seed.
    pub secret: [u8; 32],
}

// Secrets stay out of logs and test output.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.scheme)
    }
}

/// The public side of a signing key; selects the acting user.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Identity {
    /// A 20-byte Ethereum address.
    Evm([u8; 20]),
    /// An Ed25519 public key.
    Ed25519([u8; 32]),
}

impl Identity {
    /// `@caller` as the actions see it: an EIP-55 address, or the key in lower-case hex.
    /// Source: idos-facts 3.0.
    pub fn caller(&self) -> String {
        match self {
            Identity::Evm(address) => eip55(address),
            Identity::Ed25519(key) => hex::encode(key),
        }
    }

    /// The scheme this identity's signatures follow.
    pub fn scheme(&self) -> Scheme {
        match self {
            Identity::Evm(_) => Scheme::Evm,
            Identity::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// The raw bytes a transaction names its sender by: 20 or 32.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Identity::Evm(address) => address,
            Identity::Ed25519(key) => key,
        }
    }

    /// An EVM identity from `0x` and 40 hex digits in any case; nothing else parses.
    pub fn parse_evm(text: &str) -> Option<Identity> {
        let digits = text.strip_prefix("0x")?;
        let mut address = [0; 20];
        hex::decode_to_slice(digits, &mut address).ok()?;
        Some(Identity::Evm(address))
    }

    /// An Ed25519 identity from 64 hex digits in any case; nothing else parses.
    pub fn parse_ed25519(text: &str) -> Option<Identity> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).ok()?;
        Some(Identity::Ed25519(key))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.caller())
    }
}

/// An Ethereum address with the EIP-55 checksum in its letter case.
pub fn eip55(address: &[u8; 20]) -> String {
    let digits = hex::encode(address);
    let hash = Keccak256::digest(digits.as_bytes());
    let checksummed = digits.chars().enumerate().map(|(i, digit)| {
        let nibble = hash[i / 2] >> (4 * (1 - i % 2)) & 0xf;
        if nibble >= 8 {
            digit.to_ascii_uppercase()
        } else {
            digit
        }
    });
    std::iter::once("0x".to_owned())
        .chain(checksummed.map(String::from))
        .collect()
}

/// A secret X25519 key.
#[derive(Clone, PartialEq, Eq)]
pub struct BoxSecret(pub [u8; 32]);

impl fmt::Debug for BoxSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxSecret")
    }
}

/// A public X25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BoxPublic(pub [u8; 32]);

/// What a sender draws afresh for each message: a one-time key and a nonce.
#[derive(Clone)]
pub struct EphemeralSeal {
    /// Secret side of the one-time sender key (`encryptor_public_key` is its public side).
    pub secret: BoxSecret,
    /// 24 bytes, never used twice with one key.
    pub nonce: [u8; 24],
}

/// Why a password gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// The salt must be a version 4 UUID in its usual text form, in any letter case.
    #[error("Invalid salt")]
    InvalidSalt,
}

//! Keys and identities, in the forms idOS writes them.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

use super::strkey::parse_stellar_address;
use super::xrpl::{XrplKey, is_xrpl_address};

/// How a key signs. Source: idos-facts 4.1, kwil-rpc 5.
///
/// FaceSign and Stellar wallets sign with plain Ed25519; what they differ in is how a row names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// secp256k1 with the EIP-191 personal-sign prefix; the identity is a 20-byte address.
    Evm,
    /// Plain Ed25519 over the raw bytes; the identity is the 32-byte public key.
    Ed25519,
    /// Ed25519 over the hash of a NEP-413 payload that names the text; the identity is the public key.
    Nep413,
    /// Ed25519 over the raw bytes, under an XRPL key of 33 bytes that begins with `ed`.
    XrplEd25519,
    /// secp256k1 over the first half of SHA-512, in DER, under a compressed key of 33 bytes.
    XrplSecp256k1,
}

/// A secret signing key: 32 bytes and the scheme they are used with.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// How the key signs.
    pub scheme: Scheme,
    /// secp256k1 scalar or Ed25519 seed, of any scheme.
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
    /// An Ed25519 public key: an issuer's, a server's, a FaceSign or a Stellar wallet's.
    Ed25519([u8; 32]),
    /// The Ed25519 public key of a NEAR wallet.
    Near([u8; 32]),
    /// The public key of an XRPL wallet.
    Xrpl(XrplKey),
}

/// What stands before the key in a NEAR wallet's public key.
const NEAR_PREFIX: &str = "ed25519:";

impl Identity {
    /// `@caller` as the actions see it: an EIP-55 address, an Ed25519 key in lower-case hex, a NEAR key as
    /// `ed25519:` and base 58, an XRPL address. Source: idos-facts 3.0.
    pub fn caller(&self) -> String {
        match self {
            Identity::Evm(address) => eip55(address),
            Identity::Ed25519(key) => hex::encode(key),
            Identity::Near(key) => format!("{NEAR_PREFIX}{}", bs58::encode(key).into_string()),
            Identity::Xrpl(key) => key.address(),
        }
    }

    /// The scheme this identity's signatures follow.
    pub fn scheme(&self) -> Scheme {
        match self {
            Identity::Evm(_) => Scheme::Evm,
            Identity::Ed25519(_) => Scheme::Ed25519,
            Identity::Near(_) => Scheme::Nep413,
            Identity::Xrpl(key) => key.scheme(),
        }
    }

    /// The raw bytes a transaction names its sender by: 20, 32 or 33.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Identity::Evm(address) => address,
            Identity::Ed25519(key) | Identity::Near(key) => key,
            Identity::Xrpl(key) => key.bytes(),
        }
    }

    /// The identity whose nonce this one uses. Nodes keep accounts by sender bytes and kind of key, so one
    /// Ed25519 key has one account whether it signs plainly or as a NEAR wallet does.
    /// Source: kwil-rpc 5.
    #[must_use]
    pub fn account(self) -> Identity {
        match self {
            Identity::Near(key) => Identity::Ed25519(key),
            other => other,
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

    /// A NEAR identity from `ed25519:` and the key in base 58; nothing else parses.
    pub fn parse_near(text: &str) -> Option<Identity> {
        let mut key = [0; 32];
        let digits = text.strip_prefix(NEAR_PREFIX)?;
        let length = bs58::decode(digits).onto(&mut key).ok()?;
        (length == key.len()).then_some(Identity::Near(key))
    }

    /// The Ed25519 identity behind a Stellar address; nothing else parses.
    pub fn parse_stellar(text: &str) -> Option<Identity> {
        parse_stellar_address(text).map(Identity::Ed25519)
    }
}

/// The one form of an identifier, which is how its holder appears as `@caller`; nothing when the text
/// identifies nobody. A Stellar address is a way to write an Ed25519 key. Source: GRANT-04.
pub fn canonical_identifier(text: &str) -> Option<String> {
    Identity::parse_evm(text)
        .or_else(|| Identity::parse_ed25519(text))
        .or_else(|| Identity::parse_near(text))
        .or_else(|| Identity::parse_stellar(text))
        .map(|identity| identity.caller())
        .or_else(|| is_xrpl_address(text).then(|| text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_form() {
        let key = "34b4d9043156cb6dcf0beb0a2949b7559c940d2bcb6dbe8c53a9b30278e3a746";
        let stellar = "GA2LJWIEGFLMW3OPBPVQUKKJW5KZZFANFPFW3PUMKOU3GATY4OTUMEE4";
        let near = "ed25519:EMtq5F54UxgEwYx1bmZpRJXNodBPPqjFekwQZNjpzH3w";
        let evm = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A";
        let xrpl = "rs9WYUKvK9ytNAjWj54mK2keaoe8juRsPi";
        let shouted = [evm, key].map(str::to_uppercase);
        let table = [
            (evm, Some(evm)),
            (&evm.to_lowercase(), Some(evm)),
            (&shouted[0].replacen('X', "x", 1), Some(evm)),
            (key, Some(key)),
            (&shouted[1], Some(key)),
            (stellar, Some(key)),
            (near, Some(near)),
            (xrpl, Some(xrpl)),
            (&stellar.to_lowercase(), None),
            (&near.to_lowercase(), None),
            (&xrpl.to_lowercase(), None),
            (near.trim_start_matches("ed25519:"), None),
            ("ed25519:", None),
            ("alice.near", None),
            ("", None),
        ];
        for (text, form) in table {
            assert_eq!(canonical_identifier(text).as_deref(), form, "{text}");
        }
    }

    #[test]
    fn a_near_key_reads_back() {
        for key in [[0; 32], [1; 32], [0xff; 32]] {
            let near = Identity::Near(key);
            assert_eq!(Identity::parse_near(&near.caller()), Some(near));
        }
        // One digit more is a byte too many, and one less a byte too few.
        for key in [[0; 32], [0xff; 32]] {
            let near = Identity::Near(key).caller();
            assert_eq!(Identity::parse_near(&format!("{near}1")), None);
            assert_eq!(Identity::parse_near(&near[..near.len() - 2]), None);
        }
    }
}

//! Signatures, sealed boxes and key derivation: one trait, two suites.
//!
//! [`Real`] is what idOS uses: the signatures of its five wallet types, the NaCl box, scrypt. [`Symbolic`] keeps
//! every format and every relation (who can verify, who can open) but none of the arithmetic; it is for
//! search. A story gets the same verdicts under both.

mod credential;
mod face;
mod keys;
mod nep413;
mod password;
mod real;
mod strkey;
mod symbolic;
mod xrpl;

pub use credential::{
    CredentialSignatures, content_hash, credential_binding, sign_credential, verify_credential,
};
pub use face::face_phrase;
pub use keys::{
    BoxPublic, BoxSecret, EphemeralSeal, Identity, KdfError, Scheme, SigningKey,
    canonical_identifier, eip55,
};
pub use nep413::Nep413;
pub use password::{DICTIONARY, LEAST_STRENGTH, strength};
pub use real::{KdfMemo, Real};
pub use strkey::{parse_stellar_address, stellar_address};
pub use symbolic::Symbolic;
pub use xrpl::{XrplKey, is_xrpl_address};

use crate::id::Text;

/// A signature over a text, as arguments carry it: hex with `0x`.
pub fn sign_text(suite: &dyn Suite, key: &SigningKey, text: &str) -> Text {
    format!("0x{}", hex::encode(suite.sign(key, text.as_bytes()))).into()
}

/// Whether `signature`, hex with `0x` or without, is `signer`'s over these bytes, a text's mostly. What is no hex
/// is simply not a signature.
pub fn verify_text(
    suite: &dyn Suite,
    signer: &Identity,
    text: impl AsRef<[u8]>,
    signature: &str,
) -> bool {
    let signature = signature.strip_prefix("0x").unwrap_or(signature);
    hex::decode(signature).is_ok_and(|signature| suite.verify(signer, text.as_ref(), &signature))
}

/// The operations a party or a node may use. Every method is a pure function of its arguments; a suite
/// may remember answers, which changes speed and nothing else.
pub trait Suite: Send + Sync {
    /// The public side of a signing key: what a caller is known by.
    fn identity(&self, key: &SigningKey) -> Identity;

    /// A signature in the bytes of the key's scheme: 65 (`r‖s‖v`, v 27 or 28) for EVM, 64 for Ed25519 and
    /// XRPL's Ed25519, DER for XRPL's secp256k1, a container of [`Nep413`] for NEAR.
    /// EVM keys sign with the EIP-191 personal-sign prefix. Source: idos-facts 4.1.
    fn sign(&self, key: &SigningKey, message: &[u8]) -> Vec<u8>;

    /// Whether `signature` is `signer`'s over `message`. EVM accepts v in {0, 1, 27, 28} and compares the
    /// recovered address; NEAR accepts any nonce and callback, and the recipients idOS uses; XRPL accepts
    /// the lower s only. Malformed bytes are simply not a signature.
    fn verify(&self, signer: &Identity, message: &[u8], signature: &[u8]) -> bool;

    /// A signature over a digest that an EVM wallet has made itself, as it does of typed data (EIP-712); no
    /// other wallet signs those.
    fn sign_digest(&self, key: &SigningKey, digest: &[u8; 32]) -> Option<Vec<u8>>;

    /// Whether `signature` is an EVM signer's over a digest.
    fn verify_digest(&self, signer: &Identity, digest: &[u8; 32], signature: &[u8]) -> bool;

    /// The public side of an encryption key.
    fn box_public(&self, secret: &BoxSecret) -> BoxPublic;

    /// `nonce ‖ box` for the recipient, made with the given one-time key and nonce.
    /// Source: idos-facts 4.7.
    fn seal(&self, to: &BoxPublic, with: &EphemeralSeal, plaintext: &[u8]) -> Vec<u8>;

    /// The plaintext of `nonce ‖ box`, or nothing when the key is wrong or a byte was changed.
    fn open(&self, secret: &BoxSecret, encryptor: &BoxPublic, sealed: &[u8]) -> Option<Vec<u8>>;

    /// The owner's encryption key from password and user id (scrypt N=16384 r=8 p=1 over NFKC UTF-8).
    /// Errors: the salt is not a version 4 UUID. Source: idos-facts 4.9.
    fn derive_key(&self, password: &str, salt: &str) -> Result<BoxSecret, KdfError>;

    /// The secret of a FaceSign wallet's Ed25519 key from its phrase of words; nothing when it is no phrase.
    /// Source: idos-facts 4.11.
    fn face_secret(&self, phrase: &str) -> Option<[u8; 32]>;
}

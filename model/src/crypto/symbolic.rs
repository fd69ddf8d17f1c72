//! Cryptography by relation only, for search.
//!
//! Everything here is a hash of public things. **There is no secrecy**: whoever holds the bytes can forge
//! a signature from the identity and the message, and can read a box from the two public keys in its
//! name. What the suite keeps is the relation: a signature verifies for exactly one identity and one
//! message, and a box opens for exactly the recipient it was sealed to. Parties of a story only ever use
//! the methods of [`Suite`], where that is all they can tell.
//!
//! The sender's own way into a box (one-time secret and recipient's public key) does not exist here:
//! idOS throws the one-time secret away with the message. Source: idos-facts 4.7.
//!
//! Every output has the length it has in the real suite, so that sizes, limits and timings agree; only of
//! DER, whose length varies, it is the usual one.

use super::face;
use super::password::{check_salt, normalized};
use super::{
    BoxPublic, BoxSecret, EphemeralSeal, Identity, KdfError, Nep413, Scheme, SigningKey, Suite,
    XrplKey,
};

/// Length of the nonce in front of a box.
const NONCE: usize = 24;
/// Length of the authenticator between nonce and body.
const TAG: usize = 16;

/// Usual length of a secp256k1 signature in DER.
const DER: usize = 71;

/// The symbolic suite. It holds nothing; the module says what it keeps and what it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symbolic;

impl Symbolic {
    /// Whether the owner of `recipient` can open `nonce ‖ box` from `encryptor`: exact knowledge, asked
    /// without anybody's secret.
    pub fn can_open(&self, recipient: &BoxPublic, encryptor: &BoxPublic, sealed: &[u8]) -> bool {
        unsealed(recipient, encryptor, sealed).is_some()
    }
}

impl Suite for Symbolic {
    fn identity(&self, key: &SigningKey) -> Identity {
        match key.scheme {
            Scheme::Evm => Identity::Evm(digest("evm address", [&key.secret])),
            Scheme::Ed25519 => Identity::Ed25519(digest("ed25519 key", [&key.secret])),
            Scheme::Nep413 => Identity::Near(digest("ed25519 key", [&key.secret])),
            Scheme::XrplEd25519 => {
                Identity::Xrpl(XrplKey::ed25519(&digest("ed25519 key", [&key.secret])))
            }
            Scheme::XrplSecp256k1 => {
                let mut point: [u8; 33] = digest("secp256k1 key", [&key.secret]);
                point[0] = 2 | point[0] & 1;
                Identity::Xrpl(XrplKey::new(&point).expect("it begins as a compressed point does"))
            }
        }
    }

    fn sign(&self, key: &SigningKey, message: &[u8]) -> Vec<u8> {
        signature(&self.identity(key), message)
    }

    fn verify(&self, signer: &Identity, message: &[u8], candidate: &[u8]) -> bool {
        match signer {
            // A real signature is good in both spellings of v; here the parity is always even.
            Identity::Evm(_) => match candidate.split_last() {
                Some((0 | 27, scalars)) => scalars == &signature(signer, message)[..64],
                _ => false,
            },
            // Nonce and callback are the wallet's choice.
            Identity::Near(key) => Nep413::read(candidate).is_some_and(|(signed, candidate)| {
                signed.is_for(message) && *candidate == ed25519_signature(key, &signed.digest())
            }),
            Identity::Ed25519(_) | Identity::Xrpl(_) => candidate == signature(signer, message),
        }
    }

    fn sign_digest(&self, key: &SigningKey, digest: &[u8; 32]) -> Option<Vec<u8>> {
        let signer = self.identity(key);
        matches!(signer, Identity::Evm(_)).then(|| digest_signature(&signer, digest))
    }

    fn verify_digest(&self, signer: &Identity, digest: &[u8; 32], candidate: &[u8]) -> bool {
        matches!(signer, Identity::Evm(_)) && candidate == digest_signature(signer, digest)
    }

    fn box_public(&self, secret: &BoxSecret) -> BoxPublic {
        BoxPublic(digest("box key", [&secret.0]))
    }

    fn seal(&self, to: &BoxPublic, with: &EphemeralSeal, plaintext: &[u8]) -> Vec<u8> {
        let encryptor = self.box_public(&with.secret);
        let mut sealed = Vec::with_capacity(NONCE + TAG + plaintext.len());
        sealed.extend_from_slice(&with.nonce);
        sealed.extend_from_slice(&tag(to, &encryptor, &with.nonce, plaintext));
        sealed.extend_from_slice(plaintext);
        mask(to, &encryptor, &with.nonce, &mut sealed[NONCE + TAG..]);
        sealed
    }

    fn open(&self, secret: &BoxSecret, encryptor: &BoxPublic, sealed: &[u8]) -> Option<Vec<u8>> {
        unsealed(&self.box_public(secret), encryptor, sealed)
    }

    fn derive_key(&self, password: &str, salt: &str) -> Result<BoxSecret, KdfError> {
        check_salt(salt)?;
        let password = normalized(password);
        let parts = [password.as_bytes(), salt.as_bytes()];
        Ok(BoxSecret(digest("password key", parts)))
    }

    fn face_secret(&self, phrase: &str) -> Option<[u8; 32]> {
        face::parsed(phrase)?;
        Some(digest("face key", [phrase.as_bytes()]))
    }
}

fn signature(signer: &Identity, message: &[u8]) -> Vec<u8> {
    match signer {
        Identity::Evm(address) => {
            let mut bytes: [u8; 65] = digest("evm signature", [&address[..], message]);
            bytes[64] = 27;
            bytes.to_vec()
        }
        Identity::Ed25519(key) => ed25519_signature(key, message).to_vec(),
        Identity::Near(key) => {
            let signed = Nep413::of(key, message);
            signed.container(&ed25519_signature(key, &signed.digest()))
        }
        Identity::Xrpl(key) => match key.as_ed25519() {
            Some(key) => ed25519_signature(key, message).to_vec(),
            None => {
                let scalars = [&key.bytes()[..], message];
                digest::<DER, 2>("secp256k1 signature", scalars).to_vec()
            }
        },
    }
}

fn digest_signature(signer: &Identity, signed: &[u8; 32]) -> Vec<u8> {
    let mut bytes: [u8; 65] = digest("evm digest signature", [signer.bytes(), signed]);
    bytes[64] = 27;
    bytes.to_vec()
}

fn ed25519_signature(key: &[u8; 32], message: &[u8]) -> [u8; 64] {
    digest("ed25519 signature", [&key[..], message])
}

fn unsealed(recipient: &BoxPublic, encryptor: &BoxPublic, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (found, body) = rest.split_first_chunk::<TAG>()?;
    let mut plaintext = body.to_vec();
    mask(recipient, encryptor, nonce, &mut plaintext);
    (*found == tag(recipient, encryptor, nonce, &plaintext)).then_some(plaintext)
}

fn tag(
    recipient: &BoxPublic,
    encryptor: &BoxPublic,
    nonce: &[u8; NONCE],
    plaintext: &[u8],
) -> [u8; TAG] {
    digest("box tag", [&recipient.0, &encryptor.0, nonce, plaintext])
}

/// Combines `bytes` with a stream that follows from both keys and the nonce; twice is the identity.
fn mask(recipient: &BoxPublic, encryptor: &BoxPublic, nonce: &[u8; NONCE], bytes: &mut [u8]) {
    let mut stream = vec![0; bytes.len()];
    absorbed("box stream", [&recipient.0, &encryptor.0, nonce])
        .finalize_xof()
        .fill(&mut stream);
    for (byte, noise) in bytes.iter_mut().zip(stream) {
        *byte ^= noise;
    }
}

fn digest<const LENGTH: usize, const PARTS: usize>(
    purpose: &str,
    parts: [&[u8]; PARTS],
) -> [u8; LENGTH] {
    let mut out = [0; LENGTH];
    absorbed(purpose, parts).finalize_xof().fill(&mut out);
    out
}

/// Purpose and parts, each preceded by its length: nothing hashed for one purpose equals anything hashed
/// for another, and no byte moves between two parts unnoticed.
fn absorbed<const PARTS: usize>(purpose: &str, parts: [&[u8]; PARTS]) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    for part in [purpose.as_bytes()].into_iter().chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowledge_is_exact() {
        let suite = Symbolic;
        let [alice, bank] = [1, 2].map(|n| suite.box_public(&BoxSecret([n; 32])));
        let with = EphemeralSeal {
            secret: BoxSecret([3; 32]),
            nonce: [4; NONCE],
        };
        let encryptor = suite.box_public(&with.secret);
        let sealed = suite.seal(&alice, &with, b"passport");
        assert!(suite.can_open(&alice, &encryptor, &sealed));
        assert!(!suite.can_open(&bank, &encryptor, &sealed));
        assert!(!suite.can_open(&alice, &bank, &sealed));
        assert!(!suite.can_open(&alice, &encryptor, &sealed[..NONCE + TAG - 1]));
    }
}

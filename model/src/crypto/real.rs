//! The cryptography idOS uses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crypto_box::aead::AeadInPlace;
use crypto_box::{PublicKey, SalsaBox, SecretKey};
use ed25519_dalek::Signer;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, Secp256k1, VerifyOnly};
use sha2::Sha512;
use sha3::{Digest, Keccak256};

use super::face;
use super::password::{check_salt, normalized};
use super::{
    BoxPublic, BoxSecret, EphemeralSeal, Identity, KdfError, Nep413, Scheme, SigningKey, Suite,
    XrplKey,
};

/// A signing key by its scheme and secret.
type KeyName = (Scheme, [u8; 32]);

type PasswordAndSalt = (String, String);

/// Length of the nonce in front of a box.
const NONCE: usize = 24;
/// Length of the authenticator between nonce and ciphertext.
const TAG: usize = 16;

/// The real suite: the signatures of the five wallet types, the NaCl box, scrypt.
///
/// It remembers prepared keys and the verdict on every signature it has seen, because all nodes of a run
/// check the same signatures with the same answer. One value serves one run, so that what is remembered
/// goes away with the run; only the [`KdfMemo`] is shared between runs.
///
/// # Panics
///
/// Signing with a secp256k1 key, of EVM or XRPL, whose secret is zero or not below the order of the group,
/// which no wallet can hold.
pub struct Real {
    kdf: Arc<KdfMemo>,
    /// Recovers the keys of EVM signers, which is most of what a node computes, in a quarter of the time `k256`
    /// takes. It is the library Ethereum's own nodes recover with.
    curve: Secp256k1<VerifyOnly>,
    keys: Mutex<BTreeMap<KeyName, Arc<PreparedKey>>>,
    points: Mutex<BTreeMap<[u8; 32], ed25519_dalek::VerifyingKey>>,
    verdicts: Mutex<BTreeMap<[u8; 32], bool>>,
}

/// Most verdicts remembered. A node that runs for long is asked about more signatures than it has memory.
const VERDICTS: usize = 1 << 16;
/// Most Ed25519 keys remembered as points. Few issuers sign most of what is written.
const POINTS: usize = 1 << 10;

impl Real {
    /// A suite that has seen nothing yet, except the password keys in `kdf`.
    pub fn new(kdf: Arc<KdfMemo>) -> Real {
        Real {
            kdf,
            curve: Secp256k1::verification_only(),
            keys: Mutex::default(),
            points: Mutex::default(),
            verdicts: Mutex::default(),
        }
    }

    /// The key with its public side worked out, which costs as much as a signature.
    fn prepared(&self, key: &SigningKey) -> Arc<PreparedKey> {
        let mut keys = locked(&self.keys);
        let prepared = keys
            .entry((key.scheme, key.secret))
            .or_insert_with(|| Arc::new(PreparedKey::new(key)));
        Arc::clone(prepared)
    }

    /// The check of RFC 8032 without the stricter rules on small-order keys, as the nodes' library does it.
    fn ed25519_verifies(&self, key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else {
            return false;
        };
        let point = self.point(key);
        point.is_some_and(|point| {
            ed25519_dalek::Verifier::verify(&point, message, &signature).is_ok()
        })
    }

    /// The point that a key stands for, if any, which takes a tenth of what a signature takes to find.
    fn point(&self, key: &[u8; 32]) -> Option<ed25519_dalek::VerifyingKey> {
        if let Some(point) = locked(&self.points).get(key) {
            return Some(*point);
        }
        let point = ed25519_dalek::VerifyingKey::from_bytes(key).ok()?;
        remember(&self.points, POINTS, *key, point);
        Some(point)
    }
}

impl Suite for Real {
    fn identity(&self, key: &SigningKey) -> Identity {
        self.prepared(key).identity
    }

    fn sign(&self, key: &SigningKey, message: &[u8]) -> Vec<u8> {
        let PreparedKey { identity, secret } = &*self.prepared(key);
        match (secret, identity) {
            (PreparedSecret::Ed25519(secret), Identity::Near(public)) => {
                let signed = Nep413::of(public, message);
                signed.container(&secret.sign(&signed.digest()).to_bytes())
            }
            (PreparedSecret::Ed25519(secret), _) => secret.sign(message).to_bytes().to_vec(),
            (PreparedSecret::Secp256k1(secret), Identity::Xrpl(_)) => {
                let (signature, _) = recoverable(secret, &sha512_half(message));
                signature.to_der().as_bytes().to_vec()
            }
            (PreparedSecret::Secp256k1(secret), _) => {
                evm_signature(secret, &personal_digest(message))
            }
        }
    }

    fn verify(&self, signer: &Identity, message: &[u8], signature: &[u8]) -> bool {
        let question = verdict_key(signer, message, signature);
        if let Some(verdict) = locked(&self.verdicts).get(&question) {
            return *verdict;
        }
        let verdict = match signer {
            Identity::Evm(address) => {
                let digest = personal_digest(message);
                let found = recovered_address(&self.curve, &digest, signature);
                found.is_some_and(|found| found == *address)
            }
            Identity::Ed25519(key) => self.ed25519_verifies(key, message, signature),
            Identity::Near(key) => Nep413::read(signature).is_some_and(|(signed, signature)| {
                signed.is_for(message) && self.ed25519_verifies(key, &signed.digest(), signature)
            }),
            Identity::Xrpl(key) => match key.as_ed25519() {
                Some(key) => self.ed25519_verifies(key, message, signature),
                None => secp256k1_verifies(key, message, signature),
            },
        };
        remember(&self.verdicts, VERDICTS, question, verdict);
        verdict
    }

    fn sign_digest(&self, key: &SigningKey, digest: &[u8; 32]) -> Option<Vec<u8>> {
        match &*self.prepared(key) {
            PreparedKey {
                identity: Identity::Evm(_),
                secret: PreparedSecret::Secp256k1(secret),
            } => Some(evm_signature(secret, digest)),
            _ => None,
        }
    }

    fn verify_digest(&self, signer: &Identity, digest: &[u8; 32], signature: &[u8]) -> bool {
        let found = recovered_address(&self.curve, digest, signature);
        matches!((signer, found), (Identity::Evm(address), Some(found)) if found == *address)
    }

    fn box_public(&self, secret: &BoxSecret) -> BoxPublic {
        BoxPublic(SecretKey::from(secret.0).public_key().to_bytes())
    }

    fn seal(&self, to: &BoxPublic, with: &EphemeralSeal, plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE + TAG + plaintext.len());
        sealed.extend_from_slice(&with.nonce);
        sealed.extend_from_slice(&[0; TAG]);
        sealed.extend_from_slice(plaintext);
        let tag = SalsaBox::new(&PublicKey::from(to.0), &SecretKey::from(with.secret.0))
            .encrypt_in_place_detached(&with.nonce.into(), &[], &mut sealed[NONCE + TAG..])
            .expect("a message in memory is within the cipher's limit");
        sealed[NONCE..NONCE + TAG].copy_from_slice(&tag);
        sealed
    }

    fn open(&self, secret: &BoxSecret, encryptor: &BoxPublic, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (tag, ciphertext) = rest.split_first_chunk::<TAG>()?;
        let mut plaintext = ciphertext.to_vec();
        SalsaBox::new(&PublicKey::from(encryptor.0), &SecretKey::from(secret.0))
            .decrypt_in_place_detached(&(*nonce).into(), &[], &mut plaintext, &(*tag).into())
            .ok()?;
        Some(plaintext)
    }

    fn derive_key(&self, password: &str, salt: &str) -> Result<BoxSecret, KdfError> {
        check_salt(salt)?;
        let password = normalized(password);
        let derive = |(password, salt): &PasswordAndSalt| scrypt_key(password, salt);
        Ok(BoxSecret(self.kdf.key((password, salt.to_owned()), derive)))
    }

    fn face_secret(&self, phrase: &str) -> Option<[u8; 32]> {
        let parsed = face::parsed(phrase)?;
        // The salt BIP-39 stretches with; no profile has it for an id.
        let name = (phrase.to_owned(), "mnemonic".to_owned());
        Some(self.kdf.key(name, |_| face::secret_of(&parsed)))
    }
}

/// Password keys already derived, shared by all runs of a process: one derivation takes about 34 ms, and
/// stories use the same few passwords over and over.
#[derive(Default)]
pub struct KdfMemo {
    keys: Mutex<BTreeMap<PasswordAndSalt, Arc<OnceLock<[u8; 32]>>>>,
}

impl KdfMemo {
    /// A memo without entries.
    pub fn new() -> KdfMemo {
        KdfMemo::default()
    }

    /// The key of a normalized password and a salt taken exactly as given.
    fn key(
        &self,
        name: PasswordAndSalt,
        derive: impl FnOnce(&PasswordAndSalt) -> [u8; 32],
    ) -> [u8; 32] {
        let entry = Arc::clone(locked(&self.keys).entry(name.clone()).or_default());
        // The map is free again here: whoever wants this very key waits for it, nobody else does.
        *entry.get_or_init(|| derive(&name))
    }
}

fn scrypt_key(password: &str, salt: &str) -> [u8; 32] {
    let params = scrypt::Params::new(14, 8, 1, 32).expect("N=16384 r=8 p=1 are valid parameters");
    let mut key = [0; 32];
    scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut key)
        .expect("32 bytes are a valid output length");
    key
}

/// A key that is ready to sign, with its public side.
struct PreparedKey {
    identity: Identity,
    secret: PreparedSecret,
}

enum PreparedSecret {
    Ed25519(ed25519_dalek::SigningKey),
    Secp256k1(k256::ecdsa::SigningKey),
}

impl PreparedKey {
    fn new(key: &SigningKey) -> PreparedKey {
        match key.scheme {
            Scheme::Evm => {
                let secret = secp256k1(&key.secret);
                let point = secret.verifying_key().to_encoded_point(false);
                let identity = Identity::Evm(address_of(point.as_bytes()));
                PreparedKey {
                    identity,
                    secret: PreparedSecret::Secp256k1(secret),
                }
            }
            Scheme::XrplSecp256k1 => {
                let secret = secp256k1(&key.secret);
                let point = secret.verifying_key().to_encoded_point(true);
                let public = XrplKey::new(point.as_bytes());
                PreparedKey {
                    identity: Identity::Xrpl(public.expect("a compressed point is a key")),
                    secret: PreparedSecret::Secp256k1(secret),
                }
            }
            Scheme::Ed25519 | Scheme::Nep413 | Scheme::XrplEd25519 => {
                let secret = ed25519_dalek::SigningKey::from_bytes(&key.secret);
                let public = secret.verifying_key().to_bytes();
                let identity = match key.scheme {
                    Scheme::Nep413 => Identity::Near(public),
                    Scheme::XrplEd25519 => Identity::Xrpl(XrplKey::ed25519(&public)),
                    _ => Identity::Ed25519(public),
                };
                PreparedKey {
                    identity,
                    secret: PreparedSecret::Ed25519(secret),
                }
            }
        }
    }
}

fn secp256k1(secret: &[u8; 32]) -> k256::ecdsa::SigningKey {
    k256::ecdsa::SigningKey::from_slice(secret)
        .expect("a secp256k1 secret is not zero and below the order of the group")
}

/// A signature with the lower of the two possible s, and what leads from it to the key.
fn recoverable(secret: &k256::ecdsa::SigningKey, digest: &[u8; 32]) -> (Signature, RecoveryId) {
    secret
        .sign_prehash_recoverable(digest)
        .expect("a 32-byte digest can always be signed")
}

/// What the XRP Ledger hashes with.
fn sha512_half(message: &[u8]) -> [u8; 32] {
    let mut half = [0; 32];
    half.copy_from_slice(&Sha512::digest(message)[..32]);
    half
}

/// DER over SHA-512 half. The ledger knows one spelling only: strict DER, and the lower s.
fn secp256k1_verifies(key: &XrplKey, message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_sec1_bytes(key.bytes()) else {
        return false;
    };
    let Ok(signature) = Signature::from_der(signature) else {
        return false;
    };
    let lower = signature.normalize_s().is_none();
    lower
        && key
            .verify_prehash(&sha512_half(message), &signature)
            .is_ok()
}

/// Keccak-256 of prefix, decimal length and message: what a wallet's personal-sign covers.
fn personal_digest(message: &[u8]) -> [u8; 32] {
    Keccak256::new()
        .chain_update(b"\x19Ethereum Signed Message:\n")
        .chain_update(message.len().to_string())
        .chain_update(message)
        .finalize()
        .into()
}

/// The address of a key, given as an uncompressed point.
fn address_of(point: &[u8]) -> [u8; 20] {
    // The first byte only says that the point is uncompressed.
    let hash = Keccak256::digest(&point[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    address
}

/// `r‖s‖v` over a digest.
fn evm_signature(secret: &k256::ecdsa::SigningKey, digest: &[u8; 32]) -> Vec<u8> {
    let (signature, recovery) = recoverable(secret, digest);
    let mut bytes = signature.to_bytes().to_vec();
    bytes.push(27 + recovery.to_byte());
    bytes
}

fn recovered_address(
    curve: &Secp256k1<VerifyOnly>,
    digest: &[u8; 32],
    signature: &[u8],
) -> Option<[u8; 20]> {
    let (v, scalars) = signature.split_last()?;
    let parity = match v {
        0 | 27 => secp256k1::ecdsa::RecoveryId::Zero,
        1 | 28 => secp256k1::ecdsa::RecoveryId::One,
        _ => return None,
    };
    // Signers give the lower of the two possible s, yet nodes recover from either, and so does this.
    let signature = RecoverableSignature::from_compact(scalars, parity).ok()?;
    let digest = Message::from_digest(*digest);
    let key = curve.recover_ecdsa(digest, &signature).ok()?;
    Some(address_of(&key.serialize_uncompressed()))
}

/// Names a question to `verify`. Each part is preceded by its length, so that no two questions share a
/// name by moving bytes from one part to the next.
fn verdict_key(signer: &Identity, message: &[u8], signature: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[signer.scheme() as u8]);
    for part in [signer.bytes(), message, signature] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Adds to a memo that starts anew when it is full.
fn remember<K: Ord, V>(memo: &Mutex<BTreeMap<K, V>>, most: usize, key: K, value: V) {
    let mut memo = locked(memo);
    if memo.len() >= most {
        memo.clear();
    }
    memo.insert(key, value);
}

/// What is remembered is whole between any two instructions, so a panic of another thread spoils nothing.
fn locked<T>(memo: &Mutex<T>) -> MutexGuard<'_, T> {
    memo.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use k256::elliptic_curve::ops::Neg;

    use super::*;

    fn real() -> Real {
        Real::new(Arc::new(KdfMemo::new()))
    }

    fn evm_key() -> SigningKey {
        SigningKey {
            scheme: Scheme::Evm,
            secret: [0x11; 32],
        }
    }

    #[test]
    fn every_spelling_of_an_evm_signature_verifies() {
        let real = real();
        let signer = real.identity(&evm_key());
        let signature = real.sign(&evm_key(), b"hello");
        let v = signature[64];
        let with_v = |v: u8| [&signature[..64], &[v]].concat();

        assert!(real.verify(&signer, b"hello", &with_v(v - 27)));
        assert!(!real.verify(&signer, b"hello", &with_v(55 - v)));
        assert!(!real.verify(&signer, b"hello", &with_v(v + 4)));

        let low = Signature::from_slice(&signature[..64]).unwrap();
        let (r, s) = low.split_scalars();
        let high = Signature::from_scalars(r.to_bytes(), s.neg().to_bytes()).unwrap();
        assert!(high.normalize_s().is_some() && low.normalize_s().is_none());
        let twin = |v: u8| [&high.to_bytes()[..], &[v]].concat();
        assert!(real.verify(&signer, b"hello", &twin(55 - v)));
        assert!(!real.verify(&signer, b"hello", &twin(v)));
    }

    #[test]
    fn answers_are_remembered_once_per_question() {
        let real = real();
        let signer = real.identity(&evm_key());
        let signature = real.sign(&evm_key(), b"hello");
        for _ in 0..3 {
            assert!(real.verify(&signer, b"hello", &signature));
            assert!(!real.verify(&signer, b"hell", &signature));
        }
        assert_eq!(locked(&real.verdicts).len(), 2);
        assert_eq!(locked(&real.keys).len(), 1);

        let key = SigningKey {
            scheme: Scheme::Ed25519,
            ..evm_key()
        };
        let signer = real.identity(&key);
        let signature = real.sign(&key, b"hello");
        for _ in 0..3 {
            assert!(real.verify(&signer, b"hello", &signature));
            assert!(!real.verify(&signer, b"hell", &signature));
        }
        assert_eq!(locked(&real.points).len(), 1);

        let salt = "00000000-0000-4000-8000-000000000001";
        let first = real.derive_key("o\u{fb01}ce", salt).unwrap();
        let again = real.derive_key("ofice", salt).unwrap();
        assert!(first == again);
        assert_eq!(locked(&real.kdf.keys).len(), 1);
    }

    #[test]
    fn parts_of_a_question_do_not_run_into_each_other() {
        let signer = Identity::Ed25519([7; 32]);
        assert_ne!(
            verdict_key(&signer, b"ab", b"c"),
            verdict_key(&signer, b"a", b"bc")
        );
    }
}

//! The envelope a statement travels in, and the keys it is signed with.
//!
//! Source: DSSE 1.0.2 (payload type, pre-authentication encoding); RFC 8410 (PKCS #8 and public keys of
//! Ed25519).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _};
use serde::{Deserialize, Serialize};

use super::statement::sha256;

/// What a payload is.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An object with the payload and signatures over it; none for an unsigned one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    #[serde(rename = "payloadType")]
    pub(super) payload_type: String,
    pub(super) payload: String,
    pub(super) signatures: Vec<SignatureEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SignatureEntry {
    #[serde(default)]
    pub(super) keyid: String,
    pub(super) sig: String,
}

/// Puts a payload into an envelope and signs it, if there is a key. Gives the file's content.
pub fn seal(payload: &[u8], key: Option<&SigningKey>) -> String {
    let signature = |key: &SigningKey| SignatureEntry {
        keyid: key.public().id(),
        sig: STANDARD.encode(key.0.sign(&encoding(PAYLOAD_TYPE, payload)).to_bytes()),
    };
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(payload),
        signatures: key.map(signature).into_iter().collect(),
    };
    let mut text = serde_json::to_string_pretty(&envelope).expect("every key is text");
    text.push('\n');
    text
}

/// What is signed: type and payload with their lengths, so that neither passes for part of the other.
pub(super) fn encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is none of the forms known.
    #[error(
        "this is neither 64 hex digits nor an Ed25519 {expected} in PEM; make one with `{command}`"
    )]
    Form {
        /// What was wanted.
        expected: &'static str,
        /// How to get one.
        command: &'static str,
    },
    /// The bytes are no point of the curve.
    #[error("these 32 bytes are not a public key of Ed25519")]
    Point,
    /// A public key was given where a secret one is needed, or the other way round.
    #[error("this is a {given}, and a {expected} is needed")]
    Other {
        /// What it is.
        given: &'static str,
        /// What was wanted.
        expected: &'static str,
    },
}

const PRIVATE: &str = "private key";
const PUBLIC: &str = "public key";
const MAKE_PRIVATE: &str = "openssl genpkey -algorithm ed25519 -out key.pem";
const MAKE_PUBLIC: &str = "openssl pkey -in key.pem -pubout -out key.pub";

/// What stands before the 32 bytes of a seed. Source: RFC 8410 section 7, version 1 without attributes.
const PRIVATE_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What stands before the 32 bytes of a public key. Source: RFC 8410 section 4.
const PUBLIC_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A key that signs. It shows nothing of itself.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Reads the content of a key file: a seed of 64 hex digits, or PKCS #8 in PEM as openssl writes it.
    pub fn read(text: &str) -> Result<SigningKey, KeyError> {
        let seed = bytes_of(text, "PRIVATE KEY", &PRIVATE_HEAD);
        let seed = seed.ok_or_else(|| refused(text, PRIVATE, MAKE_PRIVATE))?;
        Ok(SigningKey(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

/// A key that checks signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Reads the content of a key file: 64 hex digits, or PEM as openssl writes it.
    pub fn read(text: &str) -> Result<VerifyingKey, KeyError> {
        let bytes = bytes_of(text, "PUBLIC KEY", &PUBLIC_HEAD);
        let bytes = bytes.ok_or_else(|| refused(text, PUBLIC, MAKE_PUBLIC))?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Point)?;
        Ok(VerifyingKey(key))
    }

    /// SHA-256 of its 32 bytes, in hex: what envelopes name it by.
    pub fn id(&self) -> String {
        sha256(self.0.as_bytes())
    }

    /// Its 32 bytes in hex.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    /// Whether it made this signature over a payload. Signatures that other libraries might judge
    /// differently are refused.
    pub(super) fn signed(&self, payload: &[u8], signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else {
            return false;
        };
        Signature::from_slice(&bytes).is_ok_and(|signature| {
            let message = encoding(PAYLOAD_TYPE, payload);
            self.0.verify_strict(&message, &signature).is_ok()
        })
    }
}

fn bytes_of(text: &str, label: &str, head: &[u8]) -> Option<[u8; 32]> {
    let text = text.trim();
    let bytes = match pem(text, label) {
        Some(der) => der.strip_prefix(head)?.to_vec(),
        None => hex::decode(text).ok()?,
    };
    bytes.try_into().ok()
}

fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

fn refused(text: &str, expected: &'static str, command: &'static str) -> KeyError {
    let given = [("BEGIN PRIVATE KEY", PRIVATE), ("BEGIN PUBLIC KEY", PUBLIC)];
    let other = given
        .iter()
        .find(|(head, given)| *given != expected && text.contains(head));
    match other {
        Some((_, given)) => KeyError::Other { given, expected },
        None => KeyError::Form { expected, command },
    }
}

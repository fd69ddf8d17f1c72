//! The signatures an issuer puts on a credential, and the hash that names its plaintext.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Identity, SigningKey, Suite};
use crate::id::{ContentHash, CredentialId, UserId};

/// The two signatures stored with a credential, as base64. Source: idos-facts 4.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSignatures {
    /// Over the UTF-8 of the public notes. A copy has empty notes, so there it is constant per key.
    pub public_notes: String,
    /// Over the raw notes signature and the raw content, which ties the notes to the content.
    pub broader: String,
}

/// Signs a credential as its issuer does, with an Ed25519 key; a key of another scheme signs too, and
/// nobody accepts the result.
///
/// `content` is the decoded `nonce ‖ box`. `binding` is the text of [`credential_binding`] under the
/// documented rules and `None` under the deployed ones, where the format is today's byte for byte.
/// Source: idos-facts 4.4, CRED-07.
pub fn sign_credential(
    suite: &dyn Suite,
    key: &SigningKey,
    notes: &str,
    content: &[u8],
    binding: Option<&str>,
) -> CredentialSignatures {
    let notes = suite.sign(key, notes.as_bytes());
    let broader = suite.sign(key, &broader_input(&notes, content, binding));
    CredentialSignatures {
        public_notes: STANDARD.encode(notes),
        broader: STANDARD.encode(broader),
    }
}

/// Whether both signatures are the issuer's over these notes, this content and this binding.
///
/// The issuer's key is 64 hex digits, the signatures are padded standard base64; whatever does not decode
/// is simply not a signature. Arguments otherwise as in [`sign_credential`].
pub fn verify_credential(
    suite: &dyn Suite,
    issuer_public_key_hex: &str,
    notes: &str,
    notes_signature_b64: &str,
    content: &[u8],
    broader_b64: &str,
    binding: Option<&str>,
) -> bool {
    let Some(issuer) = Identity::parse_ed25519(issuer_public_key_hex) else {
        return false;
    };
    let (Ok(notes_signature), Ok(broader)) = (
        STANDARD.decode(notes_signature_b64),
        STANDARD.decode(broader_b64),
    ) else {
        return false;
    };
    suite.verify(&issuer, notes.as_bytes(), &notes_signature)
        && suite.verify(
            &issuer,
            &broader_input(&notes_signature, content, binding),
            &broader,
        )
}

/// What the broader signature covers besides notes and content under the documented rules: one
/// `key: value` line each for the owner, the credential and the encryptor public key (base64, as stored),
/// without a newline at the end.
///
/// No deployed text exists for this; the form follows the delegated grants. Source: CRED-07.
pub fn credential_binding(
    owner: UserId,
    credential: CredentialId,
    encryptor_public_key: &str,
) -> String {
    format!(
        "owner: {owner}\ncredential: {credential}\nencryptor public key: {encryptor_public_key}"
    )
}

/// SHA-256 of a credential's plaintext: equal for the original and all its copies.
/// Source: idos-facts 4.7.
pub fn content_hash(plaintext: &[u8]) -> ContentHash {
    ContentHash(Sha256::digest(plaintext).into())
}

fn broader_input(notes_signature: &[u8], content: &[u8], binding: Option<&str>) -> Vec<u8> {
    [
        notes_signature,
        content,
        binding.unwrap_or_default().as_bytes(),
    ]
    .concat()
}

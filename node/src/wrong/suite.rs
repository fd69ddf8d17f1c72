//! Signatures that are believed without being looked at.

use std::sync::Arc;

use assay_model::crypto::{
    BoxPublic, BoxSecret, EphemeralSeal, Identity, KdfError, SigningKey, Suite,
};

/// How the text begins that a reader signs. Source: idos-facts 4.2.
const READ: &[u8] = b"Kwil view call.";

/// A suite that believes every signature of one sort.
pub(super) struct Gullible {
    pub(super) right: Arc<dyn Suite>,
    /// Whether it believes what readers sign, or everything else.
    pub(super) reads: bool,
}

impl Suite for Gullible {
    fn identity(&self, key: &SigningKey) -> Identity {
        self.right.identity(key)
    }

    fn sign(&self, key: &SigningKey, message: &[u8]) -> Vec<u8> {
        self.right.sign(key, message)
    }

    fn verify(&self, signer: &Identity, message: &[u8], signature: &[u8]) -> bool {
        message.starts_with(READ) == self.reads || self.right.verify(signer, message, signature)
    }

    fn sign_digest(&self, key: &SigningKey, digest: &[u8; 32]) -> Option<Vec<u8>> {
        self.right.sign_digest(key, digest)
    }

    fn verify_digest(&self, signer: &Identity, digest: &[u8; 32], signature: &[u8]) -> bool {
        self.right.verify_digest(signer, digest, signature)
    }

    fn box_public(&self, secret: &BoxSecret) -> BoxPublic {
        self.right.box_public(secret)
    }

    fn seal(&self, to: &BoxPublic, with: &EphemeralSeal, plaintext: &[u8]) -> Vec<u8> {
        self.right.seal(to, with, plaintext)
    }

    fn open(&self, secret: &BoxSecret, encryptor: &BoxPublic, sealed: &[u8]) -> Option<Vec<u8>> {
        self.right.open(secret, encryptor, sealed)
    }

    fn derive_key(&self, password: &str, salt: &str) -> Result<BoxSecret, KdfError> {
        self.right.derive_key(password, salt)
    }

    fn face_secret(&self, phrase: &str) -> Option<[u8; 32]> {
        self.right.face_secret(phrase)
    }
}

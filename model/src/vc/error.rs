//! Why a document is no credential, or a credential is not believed.

use crate::time::BlockTime;

/// Why a document could not be read, proven or believed; one variant for each reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VcError {
    /// The bytes are not JSON text in UTF-8.
    #[error("not json: {0}")]
    NotJson(String),
    /// Two readers could understand the JSON differently: a member occurs twice, or a number has no exact
    /// double. RFC 8785 canonicalises neither.
    #[error("ambiguous json: {0}")]
    AmbiguousJson(String),
    /// The JSON is something else than an object.
    #[error("not an object")]
    NotAnObject,
    /// A member every idOS credential has is missing.
    #[error("field `{field}` is missing")]
    MissingField {
        /// Path of the member, with dots.
        field: &'static str,
    },
    /// A member has the wrong type or a value outside its grammar.
    #[error("field `{field}` is malformed")]
    BadField {
        /// Path of the member, with dots.
        field: &'static str,
    },
    /// Nobody has vouched for the document.
    #[error("no proof")]
    NoProof,
    /// The proof is of a kind this reader cannot check.
    #[error("unknown cryptosuite `{name}`")]
    UnknownCryptosuite {
        /// Cryptosuite as the proof gives it, or the proof's type when it is not a Data Integrity proof.
        name: String,
    },
    /// The proof was made for something else than asserting claims.
    #[error("wrong proof purpose")]
    WrongPurpose,
    /// The proof was made under other contexts than the document has now.
    #[error("proof and document differ in their contexts")]
    ContextMismatch,
    /// The proof names a key that is not the issuer's.
    #[error("verification method is not a key of the issuer")]
    ForeignMethod,
    /// The reader's list of trusted issuers does not hold this one.
    #[error("untrusted issuer `{issuer}`")]
    UntrustedIssuer {
        /// The document's issuer, as written.
        issuer: String,
    },
    /// The signature is not 64 bytes in base58btc after a `z`.
    #[error("malformed proof value")]
    BadProofValue,
    /// No trusted key of the issuer made the signature over this document.
    #[error("wrong signature")]
    WrongSignature,
    /// The credential's time is over.
    #[error("expired at {at}")]
    Expired {
        /// First second in which it is no longer valid.
        at: BlockTime,
    },
    /// The key given for proving is not an Ed25519 key.
    #[error("unsuitable signing key")]
    UnsuitableKey,
}

impl VcError {
    /// A stable name of the reason, for reports and for comparing runs.
    pub fn code(&self) -> &'static str {
        match self {
            VcError::NotJson(_) => "not-json",
            VcError::AmbiguousJson(_) => "ambiguous-json",
            VcError::NotAnObject => "not-an-object",
            VcError::MissingField { .. } => "missing-field",
            VcError::BadField { .. } => "bad-field",
            VcError::NoProof => "no-proof",
            VcError::UnknownCryptosuite { .. } => "unknown-cryptosuite",
            VcError::WrongPurpose => "wrong-purpose",
            VcError::ContextMismatch => "context-mismatch",
            VcError::ForeignMethod => "foreign-method",
            VcError::UntrustedIssuer { .. } => "untrusted-issuer",
            VcError::BadProofValue => "bad-proof-value",
            VcError::WrongSignature => "wrong-signature",
            VcError::Expired { .. } => "expired",
            VcError::UnsuitableKey => "unsuitable-key",
        }
    }
}

//! W3C verifiable credentials as idOS issuers write them: the document inside a credential's content.
//!
//! Start with [`VerifiableCredential::build`], then [`VerifiableCredential::prove`] and
//! [`VerifiableCredential::verify`]. Nothing here panics on bytes from outside.
//!
//! Two choices differ from what idOS deploys. The proof is a Data Integrity proof with cryptosuite
//! `eddsa-jcs-2022` in place of `Ed25519Signature2020`: both sign the whole document with Ed25519, but
//! the older one canonicalises RDF and so hangs on the contexts it loads. And the subject's id is always
//! `urn:uuid:<user id>`, so that a consumer can tell whose document it is. Source: idos-facts 4.12, 5.14.

mod ascii85;
mod document;
mod error;
mod json;
mod level;
mod notes;
mod proof;
mod subject;

/// A day of the calendar, as dates of birth and of documents are given.
pub use jiff::civil::Date;

pub use document::{About, CREDENTIAL_CONTEXTS, Draft, PersonDraft, VerifiableCredential};
pub use error::VcError;
pub use level::{Base, Level, LevelError};
pub use notes::{KeyDeclaration, PublicNotes, notes_id, status};
pub use proof::{CRYPTOSUITE, TrustedIssuer, Verified};
pub use subject::{
    AddressProof, Country, File, Gender, IdDocumentType, Name, ResidentialAddress, SUBJECT_CONTEXT,
    Subject,
};

/// What tests elsewhere speak of.
#[cfg(test)]
pub(crate) mod tests {
    use super::{Subject, VerifiableCredential, document, subject};

    pub(crate) fn alice() -> Subject {
        subject::tests::alice()
    }

    pub(crate) fn document(subject: Subject) -> VerifiableCredential {
        VerifiableCredential::build(&document::tests::draft(subject))
    }
}

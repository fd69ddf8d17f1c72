//! From runs to a certificate: which requirements a profile asks for, what the runs say about each, a
//! statement of it that can be signed, and the check of such a statement.

mod assess;
mod envelope;
mod profile;
mod statement;
#[cfg(test)]
mod tests;
mod verify;

pub use assess::{Skipped, Trial, assess};
pub use envelope::{KeyError, PAYLOAD_TYPE, SigningKey, VerifyingKey, seal};
pub use profile::{Profile, profiles};
pub use statement::{
    Digest, PREDICATE_TYPE, Predicate, Result, STATEMENT_TYPE, Statement, Subject, Suite, Terms,
    file_digest, library_digest, sha256, statement,
};
pub use verify::{Refused, Signed, Verified, verify};

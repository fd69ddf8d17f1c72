//! Saying something about a credential without giving it away: the private filter, and answers to a single
//! question.
//!
//! A [`Criterion`] is what can be said about a document. A [`Filter`] is evaluated by the owner's enclave over
//! plaintext, and only the ids of what matches leave it. A [`Question`] is answered by the issuer, once the
//! owner has signed an [`Approval`], with a [`VerificationResult`] that is good for this question alone.
//! Source: idos-facts 5.13.

mod answer;
mod criterion;

pub use answer::{Approval, Question, VerificationResult};
pub use criterion::{Criterion, CriterionError, Filter};

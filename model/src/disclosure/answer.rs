//! One question, the owner's approval of an answer, and the answer. Source: idos-facts 5.13.

use sha2::{Digest, Sha256};

use super::Criterion;
use crate::crypto::{Identity, SigningKey, Suite, sign_text, verify_text};
use crate::id::{ContentHash, CredentialId, Text};
use crate::time::BlockTime;

/// What a consumer wants to know about a user, for itself alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Names the request.
    pub request: u32,
    /// `@caller` of the consumer that asks.
    pub consumer: Text,
    /// What it wants to know.
    pub predicate: Criterion,
    /// Makes the question like no other; hex.
    pub nonce: Text,
    /// Last second in which an answer is of use.
    pub expires: BlockTime,
}

impl Question {
    /// Line by line, as it goes into what is signed.
    fn lines(&self) -> String {
        format!(
            "request: {}\nconsumer: {}\npredicate: {}\nnonce: {}\nexpires: {}",
            self.request, self.consumer, self.predicate, self.nonce, self.expires.0
        )
    }

    /// What stands for a credential in answers to this question: it tells the consumer nothing that another
    /// consumer, or the network, could recognise.
    pub fn hash_of(&self, credential: CredentialId) -> ContentHash {
        let mut hash = Sha256::new();
        hash.update(self.nonce.as_bytes());
        hash.update(credential.0.as_bytes());
        ContentHash(hash.finalize().into())
    }
}

/// The owner's word that a question may be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The question.
    pub question: Question,
    /// From which credential.
    pub credential: CredentialId,
    /// Whether it may be answered again and again until it expires, or once.
    pub repeated: bool,
    /// Hex, by a wallet of the owner's over [`Approval::text`].
    pub signature: Text,
}

impl Approval {
    /// What the owner signs.
    pub fn text(&self, chain_id: &str) -> String {
        format!(
            "operation: approveAnswer\n{}\ncredential: {}\nrepeated: {}\nnetwork: {chain_id}",
            self.question.lines(),
            self.credential,
            self.repeated
        )
    }

    /// Whether this wallet signed it.
    pub fn is_of(&self, suite: &dyn Suite, owner: &Identity, chain_id: &str) -> bool {
        verify_text(suite, owner, self.text(chain_id), &self.signature)
    }
}

/// A predicate answer: what the issuer says of one of its credentials to one consumer at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationResult {
    /// The question it answers.
    pub question: Question,
    /// Whether the predicate holds.
    pub answer: bool,
    /// [`Question::hash_of`] the credential.
    pub credential: ContentHash,
    /// `@caller` of the issuer, whose word it is.
    pub issuer: Text,
    /// When it was evaluated.
    pub evaluated_at: BlockTime,
    /// The credential's status at that time.
    pub status: String,
    /// Hex, by the issuer's key over [`VerificationResult::text`].
    pub signature: Text,
}

impl VerificationResult {
    /// What the issuer signs: all the consumer learns.
    pub fn text(&self) -> String {
        format!(
            "operation: verificationResult\n{}\nanswer: {}\ncredential: {}\nissuer: {}\n\
             evaluatedAt: {}\nstatus: {}",
            self.question.lines(),
            self.answer,
            self.credential,
            self.issuer,
            self.evaluated_at.0,
            self.status
        )
    }

    /// The same with the issuer's signature.
    #[must_use]
    pub fn sign(self, suite: &dyn Suite, key: &SigningKey) -> VerificationResult {
        let signature = sign_text(suite, key, &self.text());
        VerificationResult { signature, ..self }
    }

    /// Whether this key, which has to be the named issuer's, signed it.
    pub fn is_of(&self, suite: &dyn Suite, issuer: &Identity) -> bool {
        issuer.caller() == *self.issuer && verify_text(suite, issuer, self.text(), &self.signature)
    }

    /// Tells one answer from another.
    pub fn digest(&self) -> ContentHash {
        ContentHash(Sha256::digest(self.text()).into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::crypto::{Real, Scheme, Symbolic};

    fn suites() -> [Box<dyn Suite>; 2] {
        [Box::new(Real::new(Arc::default())), Box::new(Symbolic)]
    }

    fn key(scheme: Scheme, byte: u8) -> SigningKey {
        SigningKey {
            scheme,
            secret: [byte; 32],
        }
    }

    fn question() -> Question {
        Question {
            request: 7,
            consumer: "bank".into(),
            predicate: "level>=basic".parse().unwrap(),
            nonce: "00ff".into(),
            expires: BlockTime(1_000),
        }
    }

    fn result(issuer: &str) -> VerificationResult {
        let question = question();
        VerificationResult {
            credential: question.hash_of(CredentialId(uuid::Uuid::from_u128(1))),
            question,
            answer: true,
            issuer: issuer.into(),
            evaluated_at: BlockTime(900),
            status: "approved".to_owned(),
            signature: "".into(),
        }
    }

    #[test]
    fn an_answer_is_its_issuers_word_for_word() {
        for suite in suites() {
            let (own, other) = (key(Scheme::Ed25519, 1), key(Scheme::Ed25519, 2));
            let issuer = suite.identity(&own);
            let signed = result(&issuer.caller()).sign(&*suite, &own);
            assert!(signed.is_of(&*suite, &issuer));
            assert!(!signed.is_of(&*suite, &suite.identity(&other)));
            type Change = fn(&mut VerificationResult);
            let changes: [Change; 10] = [
                |it| it.question.request += 1,
                |it| it.question.consumer = "fund".into(),
                |it| it.question.predicate = "level>=plus".parse().unwrap(),
                |it| it.question.nonce = "00fe".into(),
                |it| it.question.expires.0 += 1,
                |it| it.answer = false,
                |it| it.credential = ContentHash([0; 32]),
                |it| it.evaluated_at.0 += 1,
                |it| it.status = "revoked".to_owned(),
                |it| it.signature = "zz".into(),
            ];
            for (index, change) in changes.into_iter().enumerate() {
                let mut changed = signed.clone();
                change(&mut changed);
                assert!(!changed.is_of(&*suite, &issuer), "change {index}");
            }
            let named = VerificationResult {
                issuer: suite.identity(&other).caller().into(),
                ..signed
            };
            assert!(!named.is_of(&*suite, &issuer));
        }
    }

    #[test]
    fn an_approval_is_for_one_question_credential_and_network() {
        for suite in suites() {
            let wallet = key(Scheme::Evm, 3);
            let mut approval = Approval {
                question: question(),
                credential: CredentialId(uuid::Uuid::from_u128(1)),
                repeated: false,
                signature: "".into(),
            };
            let signature = suite.sign(&wallet, approval.text("net").as_bytes());
            approval.signature = format!("0x{}", hex::encode(signature)).into();
            let owner = suite.identity(&wallet);
            assert!(approval.is_of(&*suite, &owner, "net"));
            assert!(!approval.is_of(&*suite, &owner, "another"));
            approval.repeated = true;
            assert!(!approval.is_of(&*suite, &owner, "net"));
        }
    }

    #[test]
    fn one_credential_looks_different_in_every_question() {
        let credential = CredentialId(uuid::Uuid::from_u128(1));
        let other = Question {
            nonce: "01".into(),
            ..question()
        };
        assert_ne!(question().hash_of(credential), other.hash_of(credential));
    }
}

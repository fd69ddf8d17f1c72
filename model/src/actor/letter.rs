//! What people say to each other outside the network: redirects, mails, calls between servers.

use crate::crypto::BoxPublic;
use crate::id::{CredentialId, PartyId, Text, UserId, WriteGrantId};
use crate::ledger::OwnerConsent;
use crate::shares::{Blinded, Commitment, SignedShareRequest};
use crate::time::WallMillis;

/// A credential as its issuer made it, ready to be stored.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Package {
    pub credential: CredentialId,
    pub issuer_auth_public_key: Text,
    pub encryptor_public_key: Text,
    pub content: crate::ledger::Content,
    pub public_notes: Text,
    pub public_notes_signature: Text,
    pub broader_signature: Text,
}

/// A dWG as its owner signed it, and whom it is about.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct WritePaper {
    pub user: PartyId,
    pub grantee: PartyId,
    pub owner: Text,
    pub grantee_identifier: Text,
    pub issuer: Text,
    pub id: WriteGrantId,
    pub timelock: Text,
    pub not_before: Text,
    pub not_after: Text,
    /// Hex; empty before it is signed.
    pub signature: Text,
}

/// What a share node answers an enclave.
#[derive(Clone, Debug)]
pub enum ShareAnswer {
    /// It is kept, or changed.
    Done,
    /// The share, sealed to the key that asked.
    Share {
        /// `nonce ‖ box` of the blinded share.
        sealed: Vec<u8>,
        /// One-time key of the node.
        encryptor: BoxPublic,
        /// Of every node's share, as uploaded.
        commitments: Vec<Commitment>,
    },
    /// Nothing is kept for the user.
    NotStored,
    /// Something is kept for the user already, or the wallet may not ask.
    Refused,
}

/// One message between two people.
#[derive(Clone, Debug)]
pub enum Letter {
    /// Issuer to newcomer: show that the wallet is yours, and say what to encrypt to.
    ProofWanted {
        /// The issuer's task, to be named in the answer.
        task: u64,
    },
    /// Newcomer to issuer.
    Proof {
        /// The issuer's task.
        task: u64,
        /// Address of the wallet.
        address: Text,
        /// What was signed.
        message: Text,
        /// Hex.
        signature: Text,
        /// base64 X25519 key.
        box_public: Text,
    },
    /// Issuer to user: here is your credential, please store it.
    Package {
        /// The issuer's task.
        task: u64,
        /// The credential.
        package: Package,
    },
    /// User to issuer: how the storing ended.
    Stored {
        /// The issuer's task.
        task: u64,
        /// How it ended.
        ending: crate::history::Ending,
    },
    /// Issuer to user: please sign that I may do this.
    ConsentWanted {
        /// The issuer's task.
        task: u64,
        /// What is to be signed.
        text: String,
    },
    /// User to issuer.
    Consent {
        /// The issuer's task.
        task: u64,
        /// The signature.
        consent: OwnerConsent,
    },
    /// Consumer to user: may I? Source: idos-facts 5.3.
    AccessRequest {
        /// Names the request.
        request: u32,
    },
    /// User to consumer: no.
    Denied {
        /// Names the request.
        request: u32,
    },
    /// User to consumer: a copy is there for you.
    Delivery {
        /// Names the request.
        request: u32,
    },
    /// User to user: lend me a document, I want to pass it off as mine.
    LendMe {
        /// The borrower's task.
        task: u64,
    },
    /// User to user: here is one.
    Lent {
        /// The borrower's task.
        task: u64,
        /// The plaintext of a document, none when the lender has none.
        document: Option<Vec<u8>>,
    },
    /// Owner to issuer: a signed dWG.
    Dwg {
        /// Names the paper.
        dwg: u32,
        /// The paper.
        paper: Box<WritePaper>,
    },
    /// Enclave to share node. Source: idos-facts 4.10.
    ShareCall {
        /// The enclave's task.
        task: u64,
        /// Whose share.
        user: UserId,
        /// What is asked.
        signed: Box<SignedShareRequest>,
        /// The share to keep, in an upload.
        share: Option<Blinded>,
        /// When the enclave hangs up: what comes to a node later is never heard.
        until: WallMillis,
    },
    /// Share node to enclave.
    ShareAnswer {
        /// The enclave's task.
        task: u64,
        /// The share node.
        by: PartyId,
        /// Its answer.
        answer: ShareAnswer,
    },
    /// Owner to inserter: please record this key, as I have signed.
    NewKey {
        /// The owner's task.
        task: u64,
        /// The key.
        key: BoxPublic,
        /// The owner's word.
        consent: OwnerConsent,
    },
    /// Inserter to owner: how it ended.
    KeyChanged {
        /// The owner's task.
        task: u64,
        /// How.
        ending: crate::history::Ending,
    },
    /// A consumer's page to a user's enclave: show me this.
    EnclaveCall {
        /// Names the request.
        request: u32,
        /// The row.
        credential: CredentialId,
    },
    /// Enclave to page: your origin is not authorised.
    OriginUnknown {
        /// Names the request.
        request: u32,
    },
    /// Enclave to page.
    Plaintext {
        /// Names the request.
        request: u32,
        /// What the row says, nothing when there is nothing to open.
        document: Option<Vec<u8>>,
    },
    /// Owner to carrier: a signed dAG.
    Dag {
        /// Names the paper.
        dag: u32,
        /// The paper.
        paper: Box<crate::ledger::Action>,
    },
}

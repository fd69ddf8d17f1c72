//! What people say to each other outside the network: redirects, mails, calls between servers.

use crate::bridge::BridgeEvent;
use crate::chain::SignedCall;
use crate::id::{CredentialId, PartyId, Text, WriteGrantId};
use crate::ledger::OwnerConsent;

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
    /// Anybody to the chain that holds the tokens: please carry these out, in order.
    Calls {
        /// The sender's task.
        task: u64,
        /// The calls.
        calls: Vec<SignedCall>,
    },
    /// The chain: the calls are in a block that stands for good, or cannot be.
    Receipt {
        /// The sender's task.
        task: u64,
        /// How they ended.
        ending: crate::history::Ending,
    },
    /// Operator to the chain: tell me what concerns the storage network.
    Watch,
    /// The chain: this stands for good.
    Bridge(BridgeEvent),
    /// Owner to carrier: a signed dAG.
    Dag {
        /// Names the paper.
        dag: u32,
        /// The paper.
        paper: Box<crate::ledger::Action>,
    },
}

//! What people say to each other outside the network: redirects, mails, calls between servers.

use crate::bridge::{BridgeEvent, Hash, Token};
use crate::chain::{RootSignature, SignedCall};
use crate::crypto::{BoxPublic, Identity};
use crate::disclosure::{Approval, Criterion, Filter, Question, VerificationResult};
use crate::id::{CredentialId, PartyId, Text, UserId, WriteGrantId};
use crate::ledger::OwnerConsent;
use crate::node::{Reply, Request, RequestId};
use crate::shares::{Blinded, Commitment, SignedShareRequest};
use crate::time::{BlockTime, WallMillis};
use crate::vc::KeyDeclaration;
use crate::wire::SignIn;

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

/// What a consumer is told about a question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Signed by the issuer for this question.
    Bound(VerificationResult),
    /// What an enclave says today: yes or no, by nobody, for nobody in particular.
    Bare {
        /// What was asked.
        predicate: Criterion,
        /// Whether it is so.
        answer: bool,
    },
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
    /// Issuer to user: look into the camera.
    FaceWanted {
        /// The issuer's task.
        task: u64,
    },
    /// User to issuer: what the camera saw. Images stay where they are taken; this is what is kept of them.
    Face {
        /// The issuer's task.
        task: u64,
        /// The same for every picture of one person.
        face: [u8; 32],
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
    /// Somebody's software to a user's enclave: which of your credentials are of use to me?
    FilterWanted {
        /// The asker's task.
        task: u64,
        /// What is of use.
        filter: Filter,
    },
    /// Enclave to whoever asked: these, and no more is said. Source: idos-facts 5.13.
    Filtered {
        /// The asker's task.
        task: u64,
        /// A JSON list of ids.
        told: String,
    },
    /// Consumer to user: may I know this about you?
    Question(Box<Question>),
    /// User to issuer: answer it, from this credential.
    Approval(Box<Approval>),
    /// User to issuer: answer it no more.
    Withdrawal {
        /// The question.
        question: u32,
    },
    /// Consumer to issuer: how is it now?
    AskedAgain {
        /// The question.
        question: u32,
    },
    /// Issuer, or today the enclave, to consumer.
    Answer {
        /// The question.
        question: u32,
        /// The answer, or why there is none.
        answer: Result<Box<Answer>, &'static str>,
    },
    /// Somebody to a consumer: believe this.
    Presented {
        /// The presenter's task.
        task: u64,
        /// The question it answers.
        question: u32,
        /// The answer.
        answer: Box<Answer>,
    },
    /// A consumer to whoever presented an answer: so I think of it.
    Believed {
        /// The presenter's task.
        task: u64,
        /// How it ended.
        ending: crate::history::Ending,
    },
    /// Client to gateway: I want to sign in as this.
    SignInWanted {
        /// The client's call.
        id: RequestId,
        /// As whom.
        identity: Identity,
    },
    /// Gateway to client: then sign this.
    SignInText {
        /// The client's call.
        id: RequestId,
        /// What is to be signed.
        text: SignIn,
    },
    /// Client to gateway: signed.
    SignIn {
        /// The client's call.
        id: RequestId,
        /// By whom.
        identity: Identity,
        /// Which text.
        nonce: String,
        /// Over the text.
        signature: Vec<u8>,
    },
    /// Gateway to client: a cookie and the last second it is good in; nothing when the signature is not.
    Session {
        /// The client's call.
        id: RequestId,
        /// The session.
        session: Option<(Text, BlockTime)>,
    },
    /// Client to gateway: pass this on.
    Forward {
        /// The client's call.
        id: RequestId,
        /// The client's session, if it has one.
        cookie: Option<Text>,
        /// What to pass on.
        request: Box<Request>,
    },
    /// Gateway to client: a node's answer; nothing when no node gave one.
    Forwarded {
        /// The client's call.
        id: RequestId,
        /// The answer.
        reply: Option<Box<Reply>>,
    },
    /// Gateway to somebody: a session that is not yours.
    Leaked {
        /// The session's cookie.
        cookie: Text,
        /// Who signed in.
        identity: Identity,
    },
    /// Obliged entity to another: is this what you verified? Then put it into force.
    VouchWanted {
        /// The relying entity's task.
        task: u64,
        /// The owner's paper.
        paper: Box<crate::ledger::Action>,
    },
    /// The other's answer.
    Vouched {
        /// The relying entity's task.
        task: u64,
        /// How it ended.
        ending: crate::history::Ending,
    },
    /// Issuer to consumer, and to whoever looks: what its own page says of its key from now on.
    KeyDeclared(KeyDeclaration),
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
    /// Operator to operator: please sign this root, if it is one of an epoch that waits for it.
    RootWanted {
        /// The asking operator's task.
        task: u64,
        /// Of which token.
        token: Token,
        /// The root.
        root: Hash,
    },
    /// Operator to operator: the signature, if the own node knows the root.
    RootSigned {
        /// The asking operator's task.
        task: u64,
        /// Good for the escrow.
        signature: Option<RootSignature>,
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

//! What happened in a run, as an outsider with a warrant could see it: who asked what and what was
//! answered, which blocks a node committed, what was found on its disk and in its messages.
//!
//! Every world writes the same history, and invariants know nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::actor::External;
use crate::bridge::{Address, Allocation};
use crate::chain;
use crate::crypto::Identity;
use crate::id::{
    AppHash, ContentHash, CredentialId, GrantId, Height, NodeId, PartyId, TablesDigest, Text,
    UserId, WriteGrantId,
};
use crate::ledger::{Query, Transaction};
use crate::node::{Claim, Committed, Halt, Reply, Request, RequestId, TxResult};
use crate::rules::Rules;
use crate::time::{Millis, WallMillis};

/// What a party is in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Role {
    /// Administers inserters and delegates.
    DbOwner,
    /// Verifies people, writes credentials.
    Issuer,
    /// Owns a profile.
    User,
    /// Reads what it was granted.
    Consumer,
    /// Has tokens, and no profile.
    Holder,
    /// Owns the contracts the tokens are staked in.
    Association,
    /// The chain that holds the tokens.
    Chain,
    /// Passes what others ask on to nodes.
    Gateway,
    /// Keeps a share of the passwords of users who know none.
    ShareNode,
    /// Runs a node, and speaks with its key.
    Operator,
}

/// A party of the story, with every identity it can speak for.
#[derive(Clone, Debug)]
pub struct Member {
    /// As the story calls it.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its profile; only users have one, and only once it is registered.
    pub user: UserId,
    /// Keys it holds: first the one it usually speaks with.
    pub identities: Vec<Identity>,
    /// Whether it checks what it reads as carefully as idos-facts 5.14 asks.
    pub careful: bool,
    /// Whose face it has: its own, or that of the party behind which the same person stands.
    pub person: PartyId,
}

/// Who takes part, and under which rules: what a reader of a history must know to make sense of it.
#[derive(Clone, Debug)]
pub struct Cast {
    /// By [`PartyId`].
    pub parties: Vec<Member>,
    /// How many nodes there are.
    pub nodes: u16,
    /// Their identities, by place; empty where nobody outside knows them.
    pub keys: Vec<Identity>,
    /// By node: its operator's account on the chain that holds the tokens; empty where there is no such chain.
    pub operators: Vec<Address>,
    /// What that chain is like.
    pub external: External,
    /// Nodes that do not vote when the story begins.
    pub sentries: BTreeSet<NodeId>,
    /// Who leads when the story begins.
    pub leader: NodeId,
    /// The network's name.
    pub chain_id: Text,
    /// Which promises the nodes were told to keep.
    pub rules: Rules,
    /// Chain time at scenario time zero.
    pub epoch: WallMillis,
    /// How far block time may stray from the clocks of honest validators, in milliseconds.
    pub drift: u64,
    /// How long ago, in milliseconds, most nodes may have left the state an answer is from.
    pub freshness: u64,
    /// Whether the network keeps every block for good and says so, as the published node does. Deleted
    /// ciphertext then stays in the history of blocks, and that is no finding. Source: idos-facts 0.1 X17.
    pub keeps_history: bool,
    /// What people had of the tokens before the first block.
    pub balances: Vec<Allocation>,
    /// After how many blocks a node makes a snapshot: what was deleted is gone twice as many blocks later,
    /// and no older block is kept.
    pub history: u64,
}

impl Cast {
    /// The party of this id.
    pub fn party(&self, id: PartyId) -> &Member {
        &self.parties[id.index()]
    }

    /// The party that holds the key behind a caller identity.
    pub fn holder(&self, caller: &str) -> Option<PartyId> {
        let holds = |member: &Member| {
            member
                .identities
                .iter()
                .any(|identity| identity.caller().eq_ignore_ascii_case(caller))
        };
        self.parties
            .iter()
            .position(holds)
            .map(|index| PartyId(index as u16))
    }

    /// The party whose profile this is.
    pub fn owner(&self, user: UserId) -> Option<PartyId> {
        let index = self
            .parties
            .iter()
            .position(|member| member.role == Role::User && member.user == user)?;
        Some(PartyId(index as u16))
    }
}

/// What a client asked of a node.
#[derive(Clone, Debug, Serialize)]
pub enum Asked {
    /// To take a transaction.
    Broadcast(#[serde(serialize_with = "by_id")] Arc<Transaction>),
    /// To answer a view.
    View {
        /// Who the reader says it is.
        caller: Option<Identity>,
        /// Whether it showed so with a signature.
        signed: bool,
        /// What it wants to know.
        query: Query,
    },
    /// Anything that concerns no data: health, nonces, challenges, the fate of a transaction.
    Housekeeping(&'static str),
}

impl Asked {
    /// What a request asks.
    pub fn of(request: &Request) -> Asked {
        match request {
            Request::Broadcast(transaction) | Request::Submit(transaction) => {
                Asked::Broadcast(transaction.clone())
            }
            Request::View { claim, query } => Asked::View {
                caller: claim.identity(),
                signed: matches!(claim, Claim::Signed { .. }),
                query: query.clone(),
            },
            Request::Health => Asked::Housekeeping("health"),
            Request::Account(_) => Asked::Housekeeping("account"),
            Request::TxStatus(_) => Asked::Housekeeping("tx_query"),
            Request::Challenge => Asked::Housekeeping("challenge"),
        }
    }
}

fn by_id<S: Serializer>(transaction: &Transaction, serializer: S) -> Result<S::Ok, S::Error> {
    transaction.id.serialize(serializer)
}

fn by_block<S: Serializer>(committed: &Committed, serializer: S) -> Result<S::Ok, S::Error> {
    (
        committed.block.id,
        committed.app_hash,
        committed.votes.len(),
    )
        .serialize(serializer)
}

/// Where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Place {
    /// In what a client sent to a node.
    Request,
    /// In what a peer sent to a node.
    Message,
    /// In what a node wrote to its disk.
    Disk,
    /// In what a node wrote to its log.
    Log,
}

/// How far deleted content is from being gone, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// A view still shows it.
    Readable,
    /// No view shows it, but the node's tables hold it.
    Tables,
    /// Only what the node keeps of the past holds it: blocks, a write-ahead log, a snapshot, its log.
    History,
    /// The node holds nothing of it.
    Gone,
}

/// What of a node went against the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Contradiction {
    /// Its answer to a view.
    View,
    /// What it says the execution of a block came to.
    Result,
    /// Another answer to a client: the fate of a transaction, a nonce.
    Reply,
    /// The height it says its answer to a view is from, or that it says none.
    Height,
}

/// Why a consumer does not accept what it read. Source: idos-facts 5.14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Doubt {
    /// No grant on the copy names this consumer.
    NoGrant,
    /// The lock ends earlier than asked for.
    LockTooShort,
    /// The copy is not linked to an original of this user.
    NoOriginal,
    /// The original's issuer key is not one this consumer trusts.
    UntrustedIssuer,
    /// The notes do not say `approved`.
    NotApproved,
    /// The issuer did not sign and date the status in the notes.
    StatementUnsigned,
    /// The issuer's key was invalid by the date of the document or the status, or one of them has none.
    KeyInvalid,
    /// The content does not open with the consumer's key.
    CannotOpen,
    /// The plaintext's hash is not the grant's.
    HashMismatch,
    /// The document is not a valid credential; the code says why.
    BadDocument(&'static str),
    /// The document is about somebody else.
    WrongSubject,
    /// The answer is for another consumer.
    WrongConsumer,
    /// The answer is not to a question this consumer asked.
    OtherQuestion,
    /// No issuer this consumer trusts signed the answer.
    AnswerForged,
    /// The document says less than the consumer asks for.
    LevelTooLow,
    /// The same person has come with another profile before.
    PersonKnown,
    /// The other shares no club with this one.
    NotAPeer,
    /// The relied-upon entity did not insert the grant itself.
    NotInserted,
    /// The relied-upon entity has it by relying on somebody else.
    RelianceChained,
    /// The question has expired.
    AnswerExpired,
    /// The answer was given for one use and has been used, or is not the latest.
    AnswerUsed,
}

impl Doubt {
    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Doubt::NoGrant => "no-grant",
            Doubt::LockTooShort => "lock-too-short",
            Doubt::NoOriginal => "no-original",
            Doubt::UntrustedIssuer => "untrusted-issuer",
            Doubt::NotApproved => "not-approved",
            Doubt::StatementUnsigned => "statement-unsigned",
            Doubt::KeyInvalid => "key-invalid",
            Doubt::CannotOpen => "cannot-open",
            Doubt::HashMismatch => "hash-mismatch",
            Doubt::BadDocument(_) => "bad-document",
            Doubt::WrongSubject => "wrong-subject",
            Doubt::LevelTooLow => "level-too-low",
            Doubt::PersonKnown => "person-known",
            Doubt::NotAPeer => "not-a-peer",
            Doubt::NotInserted => "not-inserted",
            Doubt::RelianceChained => "reliance-chained",
            Doubt::WrongConsumer => "wrong-consumer",
            Doubt::OtherQuestion => "other-question",
            Doubt::AnswerForged => "answer-forged",
            Doubt::AnswerExpired => "answer-expired",
            Doubt::AnswerUsed => "answer-used",
        }
    }

    /// Every code that can stand behind `declined:` in a scenario.
    pub const CODES: &'static [&'static str] = &[
        "no-grant",
        "lock-too-short",
        "no-original",
        "untrusted-issuer",
        "not-approved",
        "statement-unsigned",
        "key-invalid",
        "cannot-open",
        "hash-mismatch",
        "bad-document",
        "wrong-subject",
        "level-too-low",
        "person-known",
        "not-a-peer",
        "not-inserted",
        "reliance-chained",
        "wrong-consumer",
        "other-question",
        "answer-forged",
        "answer-expired",
        "answer-used",
        "answer-withdrawn",
        "answer-is-no",
        "other-matches",
        "answers-differ",
        "nothing-found",
        "other-amount",
        "wrong-password",
        "invalid-salt",
        "not-stored",
        "upload-partial",
        "upload-refused",
        "not-authorised",
        "too-few-shares",
        "shares-uneven",
        "share-address-missing",
        "share-nodes-missing",
        "origin-unknown",
    ];
}

/// How a step of the story ended for the party that took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Ending {
    /// It worked.
    Accepted,
    /// The ledger said no, for this reason.
    Refused(&'static str),
    /// The node did not take the transaction, or did not believe the reader.
    Rejected(&'static str),
    /// The reader did not accept what it read.
    Declined(&'static str),
    /// The user said no.
    Denied,
    /// No answer came in time: it may have happened or not.
    Unanswered,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Accepted => f.write_str("accepted"),
            Ending::Refused(code) => write!(f, "refused: {code}"),
            Ending::Rejected(code) => write!(f, "rejected: {code}"),
            Ending::Declined(code) => write!(f, "declined: {code}"),
            Ending::Denied => f.write_str("denied"),
            Ending::Unanswered => f.write_str("unanswered"),
        }
    }
}

/// A credential a filter looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The row.
    pub credential: CredentialId,
    /// Of each criterion to pick by, whether it is true of the document.
    pub picks: Vec<bool>,
    /// The same for each criterion to omit by.
    pub omits: Vec<bool>,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub enum Event {
    /// A step of the story begins.
    StepBegan {
        /// Its place in the plan.
        step: u32,
    },
    /// A step of the story has ended.
    StepEnded {
        /// Its place in the plan.
        step: u32,
        /// How.
        ending: Ending,
    },

    /// A client sent a request to a node.
    Asked {
        /// Pairs it with its answer.
        id: RequestId,
        /// The client.
        by: PartyId,
        /// The node.
        node: NodeId,
        /// What it asked.
        what: Asked,
    },
    /// A node's answer reached the client.
    Answered {
        /// Of the request.
        id: RequestId,
        /// The client.
        by: PartyId,
        /// The node.
        node: NodeId,
        /// The answer.
        reply: Reply,
    },
    /// The client stopped waiting, or found nobody there.
    NoAnswer {
        /// Of the request.
        id: RequestId,
        /// The client.
        by: PartyId,
        /// The node.
        node: NodeId,
    },

    /// A consumer asked a user for access.
    Requested {
        /// Names the request.
        request: u32,
        /// The consumer.
        by: PartyId,
        /// The user.
        of: PartyId,
        /// Last second of the lock the consumer wants, UNIX seconds.
        locked_until: i64,
    },
    /// The user decided about a request.
    Decided {
        /// Names the request.
        request: u32,
        /// The user.
        by: PartyId,
        /// The copy made for it; none when denied.
        copy: Option<CredentialId>,
        /// Last second of the lock given, 0 when denied.
        locked_until: i64,
    },
    /// A user's enclave said which credentials are of use to somebody.
    Filtered {
        /// Who asked.
        by: PartyId,
        /// The user.
        of: PartyId,
        /// The credentials it looked into.
        candidates: Vec<Candidate>,
        /// What left the enclave.
        told: String,
    },
    /// A consumer asked a user a question.
    QuestionAsked {
        /// Names the question.
        question: u32,
        /// The consumer.
        by: PartyId,
        /// The user.
        of: PartyId,
        /// Last second in which an answer is of use, UNIX seconds.
        expires: i64,
    },
    /// A user said that a question may be answered, or no longer.
    AnswerDecided {
        /// The question.
        question: u32,
        /// The user.
        by: PartyId,
        /// From which credential; nothing takes the approval back.
        credential: Option<CredentialId>,
        /// Whether again and again, or once.
        repeated: bool,
    },
    /// Somebody evaluated a question over a credential's plaintext.
    Evaluated {
        /// The question.
        question: u32,
        /// Who vouches for the answer: an issuer, or today the user's own enclave.
        by: PartyId,
        /// The credential.
        credential: CredentialId,
        /// Whether it is so.
        answer: bool,
        /// Whether the evaluator says the credential is approved at that time.
        approved: bool,
        /// All that is told.
        told: String,
        /// Tells one answer from another.
        digest: ContentHash,
    },
    /// A consumer made up its mind about an answer.
    AnswerJudged {
        /// The consumer.
        by: PartyId,
        /// The question it was presented for.
        question: u32,
        /// Which answer.
        digest: ContentHash,
        /// The consumer's clock, UNIX seconds.
        at: i64,
        /// Nothing when it believes it.
        doubt: Option<Doubt>,
    },
    /// A gateway opened a session.
    SignedIn {
        /// The gateway.
        gateway: PartyId,
        /// Who signed in.
        by: PartyId,
        /// As whom.
        identity: Identity,
        /// Last second of the session, UNIX seconds.
        until: i64,
    },
    /// Somebody asked a gateway to pass a read on.
    AskedGateway {
        /// Who.
        by: PartyId,
        /// The gateway.
        gateway: PartyId,
        /// What it wants to know.
        query: Query,
    },
    /// A gateway let somebody else have a session it keeps.
    SessionLeaked {
        /// The gateway.
        gateway: PartyId,
        /// Whose session.
        of: PartyId,
        /// Who has it now.
        to: PartyId,
    },
    /// An obliged entity found a document to be the one it verified itself, and vouches for it.
    Vouched {
        /// The entity.
        by: PartyId,
        /// To whom.
        to: PartyId,
        /// Its own copy.
        own: CredentialId,
        /// Hash of what came out of it.
        document: ContentHash,
    },
    /// An obliged entity decided whether to rely on another.
    Relied {
        /// The entity.
        by: PartyId,
        /// On whom.
        on: PartyId,
        /// The copy it read.
        copy: CredentialId,
        /// Hash of the document, when it could be opened.
        document: Option<ContentHash>,
        /// Height of the node it was read from.
        height: Height,
        /// Nothing when it relies.
        doubt: Option<Doubt>,
    },
    /// An issuer looked at a face and said which person it is.
    Recognised {
        /// The issuer.
        by: PartyId,
        /// Who showed it.
        of: PartyId,
        /// Whether it had seen the face before.
        known: bool,
        /// The id it gives the person.
        person: String,
        /// The credential that says so.
        credential: CredentialId,
        /// Names of what it says of its subject.
        claims: Vec<String>,
        /// Hash of the document.
        document: ContentHash,
    },
    /// A consumer read who somebody is, as an issuer knows it.
    MetPerson {
        /// The consumer.
        by: PartyId,
        /// In whose profile.
        user: UserId,
        /// The id.
        person: String,
        /// Whether it had met the person in another profile before.
        known: bool,
    },
    /// An issuer signed a document about a user.
    Issued {
        /// The issuer.
        by: PartyId,
        /// The user it is about.
        about: UserId,
        /// The credential it is meant for.
        credential: CredentialId,
        /// Hash of the document.
        document: ContentHash,
        /// The date the document bears, UNIX seconds.
        dated: i64,
    },
    /// An issuer signed what it says of a credential's status.
    Stated {
        /// The issuer.
        by: PartyId,
        /// The notes, with date and signature.
        notes: Text,
        /// The date they bear, UNIX seconds.
        dated: i64,
    },
    /// An issuer declared that what its key signs is not to be believed.
    KeyDeclared {
        /// The issuer.
        by: PartyId,
        /// First second of what is not, UNIX seconds.
        from: i64,
    },
    /// A consumer has read such a declaration.
    KeyDeclarationRead {
        /// The consumer.
        by: PartyId,
        /// The issuer.
        of: PartyId,
        /// First second of what is not to be believed, UNIX seconds.
        from: i64,
    },
    /// Somebody sealed a document for a recipient.
    Sealed {
        /// Who sealed.
        by: PartyId,
        /// The row it is meant for.
        credential: CredentialId,
        /// One-time key of the sender, base64.
        encryptor: Text,
        /// Hash of the document.
        document: ContentHash,
        /// Digest of the content, as a row holds it.
        content: [u8; 32],
        /// Whose box it is: the recipient's key, base64.
        to: Text,
    },
    /// Somebody opened the content of a credential with a key of its own.
    Opened {
        /// Who.
        by: PartyId,
        /// The row.
        credential: CredentialId,
        /// Hash of what came out.
        document: ContentHash,
        /// Height of the node it was read from.
        height: Height,
    },
    /// A consumer has made up its mind about a copy.
    Judged {
        /// The consumer.
        by: PartyId,
        /// The copy.
        copy: CredentialId,
        /// Whose data it takes it for.
        user: UserId,
        /// Hash of the document, when it could be opened.
        document: Option<ContentHash>,
        /// Lowest height of the answers it relied on.
        height: Height,
        /// Nothing when it accepts.
        doubt: Option<Doubt>,
    },

    /// A user's enclave derived an encryption key from a password.
    KeyDerived {
        /// The user.
        by: PartyId,
        /// What it salted the password with.
        salt: Text,
        /// The public side of the key, base64; nothing when the salt was refused.
        key: Option<Text>,
        /// Whether the enclave took it for the user's key.
        taken: bool,
    },
    /// Somebody who holds what every operator holds tried passwords.
    Guessed {
        /// Who.
        by: PartyId,
        /// Whose password.
        of: UserId,
        /// How many keys were derived.
        tries: u64,
        /// Whether one was the recorded one.
        found: bool,
    },
    /// An enclave asked every share node for its share.
    SharesAsked {
        /// The user.
        by: PartyId,
        /// Which of its wallets asks, as share nodes know it.
        address: Text,
    },
    /// A share node gave a share out.
    ShareReleased {
        /// The share node.
        by: PartyId,
        /// Whose.
        user: UserId,
        /// To whom.
        address: Text,
        /// Whether it is what the node was given.
        right: bool,
    },
    /// A share node gave out nothing, though it keeps something.
    ShareRefused {
        /// The share node.
        by: PartyId,
        /// Whose.
        user: UserId,
        /// To whom.
        address: Text,
    },
    /// An enclave has made what it could of the shares that came.
    Recovered {
        /// The user.
        by: PartyId,
        /// Which of its wallets asked.
        address: Text,
        /// The share nodes whose shares came.
        answers: Vec<PartyId>,
        /// The public side of the key that follows, base64; nothing when it got no secret.
        key: Option<Text>,
    },
    /// A user has changed keys, and sealed anew what was sealed to the old one.
    Rotated {
        /// The user.
        by: PartyId,
        /// The new public key, base64.
        key: Text,
    },
    /// A user let an origin ask its enclave.
    OriginAuthorised {
        /// The user.
        by: PartyId,
        /// Whose origin.
        origin: PartyId,
        /// Whether each request waits for the user.
        each: bool,
    },
    /// A user approved one request to its enclave.
    Allowed {
        /// The user.
        by: PartyId,
        /// Names the request.
        request: u32,
    },
    /// Plaintext left an enclave.
    Disclosed {
        /// The user.
        by: PartyId,
        /// To whose origin.
        to: PartyId,
        /// Names the request.
        request: u32,
        /// Of this row.
        credential: CredentialId,
        /// Hash of what left.
        document: ContentHash,
    },
    /// A dashboard showed its owner these rows of the profile.
    Shown {
        /// The owner.
        by: PartyId,
        /// Height of the node they were read from.
        height: Height,
        /// The rows.
        credentials: Vec<CredentialId>,
    },

    /// A node process started, or was there when the story began.
    Started {
        /// The node.
        node: NodeId,
        /// Whether it had run before.
        again: bool,
    },
    /// A node process died.
    Crashed {
        /// The node.
        node: NodeId,
        /// Writes that were not durable yet.
        lost: u32,
    },
    /// A node process ended because it was asked to.
    Stopped {
        /// The node.
        node: NodeId,
    },
    /// A node proposed a block.
    Proposed {
        /// The node.
        node: NodeId,
        /// Height of the block.
        height: Height,
        /// Time in its header.
        time: WallMillis,
        /// The proposer's clock at that moment.
        clock: WallMillis,
    },
    /// A node holds a block for final.
    Committed {
        /// The node.
        node: NodeId,
        /// Block and votes.
        #[serde(serialize_with = "by_block")]
        committed: Arc<Committed>,
        /// The node's own app hash after it.
        app_hash: AppHash,
        /// What execution came to, per transaction.
        results: Arc<[TxResult]>,
        /// Digest of the node's tables before the first transaction and after the last; nothing where nobody
        /// outside can see them.
        tables: Option<(TablesDigest, TablesDigest)>,
        /// Whether the node caught up with it rather than taking part.
        replayed: bool,
    },
    /// A node took a peer's snapshot for its state instead of the blocks up to it.
    Installed {
        /// The node.
        node: NodeId,
        /// Height of the snapshot.
        height: Height,
        /// The node's app hash with it.
        app_hash: AppHash,
        /// Digest of the node's tables before and after; nothing where nobody outside can see them.
        tables: Option<(TablesDigest, TablesDigest)>,
    },
    /// A node stopped for good.
    Halted {
        /// The node.
        node: NodeId,
        /// Why.
        why: Halt,
    },
    /// A node takes the lead.
    Leads {
        /// The node.
        node: NodeId,
        /// Counts leaders.
        term: u32,
    },
    /// The operators appointed a leader.
    Appointed {
        /// The new leader.
        leader: NodeId,
        /// Counts leaders.
        term: u32,
    },

    /// A fault begins.
    FaultBegan {
        /// Its place in the plan.
        fault: u32,
    },
    /// A fault is over.
    FaultEnded {
        /// Its place in the plan.
        fault: u32,
        /// What it did, in the unit of its kind: messages held back, processes killed, milliseconds.
        effect: u64,
    },
    /// All trouble is over: every fault healed, every node running.
    Healed,
    /// Nothing is under way any more.
    Settled,
    /// Time is up and something is still under way.
    Unsettled {
        /// What is still owed, in words.
        owed: Vec<String>,
    },
    /// The run's bound on events was reached.
    Exhausted,

    /// The chain that holds the tokens has sealed a block.
    ChainBlock {
        /// The block, with what came of every call in it.
        block: Arc<chain::Block>,
    },
    /// That chain has undone its last blocks.
    ChainReorganised {
        /// The last block that stands.
        last: u64,
        /// Whether the calls in the others are lost rather than waiting for a block again.
        lost: bool,
    },

    /// Bytes a node holds or was handed were searched for marked plaintext.
    Scanned {
        /// The node.
        node: NodeId,
        /// Where.
        place: Place,
        /// How many bytes.
        bytes: u64,
        /// The markers found in them.
        found: Vec<String>,
    },
    /// A node's tables were looked into.
    Inspected {
        /// The node.
        node: NodeId,
        /// Its height.
        height: Height,
        /// Its app hash.
        app_hash: AppHash,
        /// Digest of its tables; nothing where nobody outside can see them.
        tables: Option<TablesDigest>,
        /// Ids of every credential.
        credentials: Vec<CredentialId>,
        /// Ids of every grant.
        grants: Vec<GrantId>,
        /// Ids of every user.
        users: Vec<UserId>,
        /// Height of the oldest block it still has; nothing where nobody outside can see it.
        oldest: Option<Height>,
        /// Used dWGs of which something is kept that names somebody.
        named: Vec<WriteGrantId>,
    },
    /// A node was searched for the ciphertext of a credential that is deleted on the chain.
    Remained {
        /// The node.
        node: NodeId,
        /// The credential.
        credential: CredentialId,
        /// The worst that was found.
        level: Level,
    },
    /// A node said what the ledger does not allow, given what had committed.
    Contradicted {
        /// The node.
        node: NodeId,
        /// What of it.
        of: Contradiction,
        /// The height it spoke of.
        height: Height,
        /// What it was asked, in words.
        what: String,
        /// What the ledger says.
        expected: String,
        /// What the node said.
        got: String,
    },
    /// The world fell behind the plan, on a machine that is too busy: what hangs on the exact moment of a
    /// step from here on proves nothing.
    Late {
        /// By how much.
        by: Millis,
    },
    /// Something about the run itself that keeps it from proving anything, whatever else it shows.
    Doubted {
        /// In one sentence.
        why: String,
    },
    /// What a node said in the whole run was compared with the ledger, replayed by the observer.
    Compared {
        /// The node.
        node: NodeId,
        /// How many answers to clients, the contradicted ones among them.
        answers: u64,
        /// How many results of transactions in blocks, the contradicted ones among them.
        results: u64,
    },
}

/// An event, and when it happened.
#[derive(Clone, Debug, Serialize)]
pub struct Observation {
    /// Scenario time.
    pub at: Millis,
    /// What happened.
    pub event: Event,
}

/// Everything that happened in a run, in order, with a digest that chains it all.
#[derive(Clone, Debug)]
pub struct History {
    /// Who took part.
    pub cast: Arc<Cast>,
    observations: Vec<Observation>,
    digest: blake3::Hasher,
    scratch: Vec<u8>,
}

impl History {
    /// An empty history.
    pub fn new(cast: Arc<Cast>) -> History {
        History {
            cast,
            observations: Vec::new(),
            digest: blake3::Hasher::new(),
            scratch: Vec::new(),
        }
    }

    /// Appends an observation. Panics when time runs backwards, which is a bug of the world.
    pub fn record(&mut self, at: Millis, event: Event) {
        if let Some(last) = self.observations.last() {
            assert!(
                last.at <= at,
                "observed in the past: now={at} last={}",
                last.at
            );
        }
        let observation = Observation { at, event };
        self.scratch.clear();
        let buffer = std::mem::take(&mut self.scratch);
        let buffer = postcard::to_extend(&observation, buffer)
            .expect("observations hold nothing that cannot be encoded");
        self.digest.update(&buffer);
        self.scratch = buffer;
        self.observations.push(observation);
    }

    /// Folds something that is not an observation into the digest: deliveries on the wire, say.
    pub fn stir(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    /// Every observation in order; evidence refers to them by index.
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// Chains everything recorded and stirred in so far.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.finalize().as_bytes()
    }
}

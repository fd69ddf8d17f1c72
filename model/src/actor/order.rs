//! What a story can tell a party to do. Orders are data: ids are decided when the plan is made, so a
//! step can name what an earlier one will create.

use serde::{Deserialize, Serialize};

use crate::id::{
    AccessRequestId, AttributeId, CredentialId, NodeId, PartyId, UserId, WalletId, WriteGrantId,
};
use crate::ledger::Governed;
use crate::shares::Conduct;

/// A grant by what its id is derived from; the grantee's identity depends on the crypto suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantRef {
    /// The credential it is on.
    pub data: CredentialId,
    /// The consumer it is for.
    pub grantee: PartyId,
    /// Last second of its lock, UNIX seconds; 0 for none.
    pub locked_until: i64,
}

/// How a copy relates to its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fidelity {
    /// The same plaintext.
    Faithful,
    /// The user changed a field; the issuer's proof no longer holds.
    Altered,
    /// The user changed a field and states the hash of the original.
    AlteredUnderOldHash,
    /// The user put somebody else's document in.
    Borrowed,
    /// No document at all.
    Garbage,
    /// The same plaintext, with a bit of the sealed content turned over.
    Tampered,
    /// The same plaintext, sealed to the user's own key.
    Misdirected,
}

/// Who writes an issued credential into the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Writer {
    /// The user stores what the issuer hands over. Source: idos-facts 5.1 step 4 (a).
    User,
    /// The issuer inserts it with the user's signed consent.
    InserterWithConsent,
    /// The issuer inserts it without asking.
    InserterAlone,
}

/// How far access goes besides its lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Last second of it, UNIX seconds; none for no end.
    pub expires_at: Option<i64>,
    /// How often; none for any number of times.
    pub uses: Option<i64>,
    /// To which fields, separated by commas; none for all of them.
    pub fields: Option<String>,
}

/// A request as it stands on the chain, and as people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRef {
    /// What letters call it.
    pub number: u32,
    /// Its row.
    pub id: AccessRequestId,
}

/// What a party can have listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listing {
    /// Requests for access: a consumer those it made, everybody else those received.
    Requests,
    /// The audit record.
    Record,
    /// What locks keep of removed data.
    Remainders,
}

/// A copy to be made and granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What is shared.
    pub original: CredentialId,
    /// Whose it is, for the consumer to check against.
    pub owner: UserId,
    /// Id of the copy.
    pub copy: CredentialId,
    /// For whom.
    pub to: PartyId,
    /// Last second of the lock, UNIX seconds; 0 for none.
    pub locked_until: i64,
    /// State the end of the lock in milliseconds, by mistake.
    pub in_millis: bool,
    /// How far the grant goes besides.
    pub terms: Terms,
    /// What is in the copy.
    pub fidelity: Fidelity,
}

/// A parameter of the network, and what it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ParameterChange {
    /// Who proposes blocks.
    Leader(NodeId),
    /// How long a request to join stands, in seconds.
    JoinExpiry(i64),
    /// Most bytes of a block.
    MaxBlockSize(i64),
    /// Most approvals in one transaction.
    MaxVotesPerTx(i64),
}

/// A change of parameters that validators vote on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Tells it from another proposal of the same change.
    pub number: u32,
    /// What changes.
    pub change: ParameterChange,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Issuer: create a profile for a user who has none. Source: idos-facts 5.1.
    Register {
        /// The newcomer.
        user: PartyId,
    },
    /// Issuer: verify a user and write a credential.
    Issue {
        /// The user.
        user: PartyId,
        /// Id of the credential; the notes id is derived from it.
        credential: CredentialId,
        /// Who writes it.
        writer: Writer,
        /// Bytes of the document, 2 048 to 61 440.
        bytes: u32,
        /// Sign notes and content with a wrong key.
        forged: bool,
        /// Put the document into the content unsealed.
        unsealed: bool,
    },
    /// Issuer: rewrite the notes of an issued credential with this status.
    SetStatus {
        /// The credential.
        credential: CredentialId,
        /// `revoked`, `approved`.
        status: String,
    },
    /// Issuer: overwrite an existing credential with a document of its own.
    Overwrite {
        /// The row to overwrite.
        credential: CredentialId,
        /// Whose profile it shall be in.
        user: PartyId,
    },
    /// Issuer: replace a user's encryption key.
    Rekey {
        /// The user.
        user: PartyId,
        /// Ask the user for a signature first.
        consent: bool,
    },
    /// Issuer: write an original and a copy under a dWG. Source: idos-facts 5.5.
    WriteDwg {
        /// The paper.
        dwg: u32,
        /// Row of the original.
        original: CredentialId,
        /// Row of the copy.
        copy: CredentialId,
    },
    /// Issuer: write an attribute into a user's profile.
    Describe {
        /// The user.
        user: PartyId,
        /// Id of the row.
        id: AttributeId,
        /// Ask the user for a signature first.
        consent: bool,
    },
    /// Issuer: bind a wallet of its own to a user's profile.
    BindWallet {
        /// The user.
        user: PartyId,
    },

    /// User: share a credential. Source: idos-facts 5.3.
    Share(Share),
    /// User: approve a consumer's request.
    Approve {
        /// The request.
        request: RequestRef,
        /// What it gets.
        share: Share,
    },
    /// User: deny a consumer's request.
    Deny {
        /// The request.
        request: RequestRef,
        /// Who asked.
        consumer: PartyId,
    },
    /// User: end everything a party can read of a credential, in one operation.
    EndAccess {
        /// The credential.
        data: CredentialId,
        /// Whose access.
        grantee: PartyId,
    },
    /// User: remove a credential now, and what locks keep of it as soon as they let go.
    RemoveWhenUnlocked {
        /// The row.
        credential: CredentialId,
    },
    /// User: make a signed dAG useless.
    CancelDag {
        /// The paper.
        dag: u32,
    },
    /// User: make a signed dWG useless.
    CancelDwg {
        /// The paper's own id.
        id: WriteGrantId,
    },
    /// User: look at the dashboard.
    Dashboard,
    /// User: end grants, all or none of them. Source: idos-facts 5.8.
    Revoke {
        /// The grants.
        grants: Vec<GrantRef>,
    },
    /// User: remove a credential, original or copy.
    Remove {
        /// The row.
        credential: CredentialId,
    },
    /// User: store again what an issuer handed over earlier, under a new id or by editing the row.
    StoreAgain {
        /// The credential as first issued.
        issued: CredentialId,
        /// The row to write; equal to `issued` to edit it.
        credential: CredentialId,
        /// Sign with a throw-away key instead of keeping the issuer's signatures.
        resigned: bool,
    },
    /// User: bind a further wallet. Source: idos-facts 5.9.
    AddWallet {
        /// Which of the user's keys, from 1; 0 is the first wallet.
        wallet: u8,
        /// Id of the row.
        id: WalletId,
        /// Sign the proof with another key than the wallet's.
        forged: bool,
        /// Send the proof of an earlier `AddWallet` of the same wallet again.
        replayed: bool,
    },
    /// User: unbind a wallet.
    RemoveWallet {
        /// Which of the user's keys it is.
        wallet: u8,
        /// Id of the row.
        id: WalletId,
    },
    /// User: give the random password to the share nodes. Source: idos-facts 4.10.
    StoreShares,
    /// User: get the password back from the share nodes, on a device that knows nothing.
    Recover,
    /// User: type the password into an enclave that does not remember it. Source: idos-facts 4.9.
    Unlock {
        /// Type another one.
        wrong: bool,
        /// Salt it with this instead of the profile's id.
        salt: Option<String>,
    },
    /// User: change the password, and with it the key. Source: idos-facts 5.10.
    Rotate {
        /// The inserter that records the key.
        inserter: PartyId,
    },
    /// User: let an origin ask the enclave.
    Authorise {
        /// Whose origin.
        origin: PartyId,
        /// Ask the user at each request.
        each: bool,
    },
    /// User: let the enclave answer a request that waits.
    Allow {
        /// The request.
        request: u32,
        /// Who asked.
        consumer: PartyId,
    },
    /// User: erase the whole profile.
    Erase,
    /// User: sign a dAG and hand it over. Source: idos-facts 5.4.
    SignDag {
        /// Names the paper.
        dag: u32,
        /// The grant it shall create.
        grant: GrantRef,
        /// Whose wallet the paper names; another party than the signer makes it a forgery.
        owner: PartyId,
        /// Who gets the paper.
        carrier: PartyId,
        /// Last second in which the paper may be used, UNIX seconds.
        not_after: i64,
        /// How far the grant goes besides its lock.
        terms: Terms,
    },
    /// User: sign a dWG and hand it to the issuer it names. Source: idos-facts 5.5.
    SignDwg {
        /// Names the paper.
        dwg: u32,
        /// The paper's own id.
        id: WriteGrantId,
        /// The grant it shall create.
        grant: GrantRef,
        /// The issuer that may write.
        issuer: PartyId,
        /// First second of its window, UNIX seconds.
        not_before: i64,
        /// Last second of its window, UNIX seconds.
        not_after: i64,
    },
    /// User: store an attribute.
    AddAttribute {
        /// Id of the row.
        id: AttributeId,
        /// Bytes of its value; none for a usual one.
        bytes: Option<u32>,
    },
    /// User: replace an attribute's value.
    EditAttribute {
        /// Id of the row.
        id: AttributeId,
    },
    /// User: remove an attribute.
    RemoveAttribute {
        /// Id of the row.
        id: AttributeId,
    },
    /// User: store a copy of an attribute, linked to it.
    ShareAttribute {
        /// Id of the copy.
        id: AttributeId,
        /// What it is linked to.
        original: AttributeId,
    },
    /// Anybody: insert a grant from a dAG.
    TransmitDag {
        /// The paper.
        dag: u32,
    },
    /// Anybody: read a credential as its owner would.
    ReadOwn {
        /// The row.
        credential: CredentialId,
    },
    /// Anybody: list the own credentials and grants.
    List,
    /// Anybody: ask whether a party has a profile.
    Probe {
        /// The party.
        of: PartyId,
        /// Ask with its address in capitals.
        shouted: bool,
    },

    /// Anybody: guess a user's password, with what every operator holds.
    Guess {
        /// Whose.
        of: PartyId,
    },

    /// Share node: behave otherwise from now on.
    Behave {
        /// How.
        conduct: Conduct,
    },

    /// Consumer: ask a user for access. Source: idos-facts 5.3.
    Request {
        /// The request.
        request: RequestRef,
        /// The user.
        user: PartyId,
        /// Which credential; none for any data of a kind.
        credential: Option<CredentialId>,
        /// Last second of the lock wanted, UNIX seconds; 0 for none.
        locked_until: i64,
        /// Last second in which it can be approved, UNIX seconds.
        stands_until: i64,
        /// How far the access goes besides.
        terms: Terms,
        /// Why.
        purpose: String,
    },
    /// Consumer: ask a user's enclave for what a credential says.
    AskEnclave {
        /// Names the request.
        request: u32,
        /// The user.
        user: PartyId,
        /// The credential.
        credential: CredentialId,
    },
    /// Consumer: take a request back.
    Withdraw {
        /// The request.
        request: RequestRef,
    },
    /// Consumer: make use of a grant, so that it can be read from for a while.
    UseGrant {
        /// The grant.
        grant: GrantRef,
    },
    /// Consumer: read a copy and decide whether to accept it. Source: idos-facts 5.14.
    Use {
        /// The copy.
        copy: CredentialId,
        /// Whose data it should be.
        owner: UserId,
        /// Least end of the lock that is acceptable, UNIX seconds.
        locked_until: i64,
        /// Claim to be this party instead, without its key.
        posing_as: Option<PartyId>,
    },
    /// Consumer: give up a copy. Source: idos-facts 5.8.
    Rescind {
        /// The copy.
        copy: CredentialId,
    },
    /// Consumer: page through the grants received.
    ListGranted {
        /// Page to ask for; none to leave it out.
        page: Option<i64>,
        /// Size to ask for; none to leave it out.
        size: Option<i64>,
        /// How many rows there should be.
        rows: u32,
    },

    /// Anybody: have something listed, all on one page.
    ListRows {
        /// What.
        listing: Listing,
        /// How many rows there should be.
        rows: u32,
    },

    /// Database owner: give an issuer its inserter and delegate rows.
    Admit {
        /// The issuer.
        issuer: PartyId,
    },
    /// Database owner: take an issuer's delegate away.
    Dismiss {
        /// The issuer.
        issuer: PartyId,
        /// Write its key in capitals.
        shouted: bool,
    },

    /// Database owner: replace an action, so that it keeps something from then on, or does not.
    ReplaceAction {
        /// What.
        governed: Governed,
        /// Whether it is kept.
        on: bool,
    },
    /// Anybody: read the public log of changes.
    ReadLog {
        /// Page to ask for; none to leave it out.
        page: Option<i64>,
        /// Size to ask for; none to leave it out.
        size: Option<i64>,
        /// How many lines there should be, if that matters.
        rows: Option<u32>,
    },

    /// Operator: ask that the node become a validator. Source: idos-facts 6.1.
    JoinValidators {
        /// The voting power it asks for.
        power: u64,
    },
    /// Operator: approve of another node's request.
    ApproveJoin {
        /// The node.
        node: NodeId,
    },
    /// Operator: ask that a validator be removed, or approve of that.
    RemoveValidator {
        /// The node.
        node: NodeId,
    },
    /// Operator: stop being a validator.
    LeaveValidators,
    /// Operator: propose a change of parameters.
    Propose(Proposal),
    /// Operator: approve of what another has proposed.
    ApproveProposal(Proposal),

    /// Everybody, at the end: read everything one could ever read, at every node.
    Audit {
        /// The nodes.
        nodes: Vec<NodeId>,
        /// Copies that were ever planned.
        copies: Vec<CredentialId>,
    },
}

/// Where a party sends its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Via {
    /// Whichever node answers, starting from the party's usual one.
    Any,
    /// This one only.
    Node(NodeId),
}

/// An order with its circumstances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What to do.
    pub order: Order,
    /// Through which node.
    pub via: Via,
    /// Which of the party's wallets speaks, from 0.
    pub wallet: u8,
    /// How long to keep trying, in milliseconds of the party's own clock.
    pub patience: u64,
}

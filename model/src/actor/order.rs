//! What a story can tell a party to do. Orders are data: ids are decided when the plan is made, so a
//! step can name what an earlier one will create.

use serde::{Deserialize, Serialize};

use crate::bridge::{Amount, Token};
use crate::id::{AttributeId, CredentialId, NodeId, PartyId, UserId, WalletId, WriteGrantId};

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

/// A copy to be made and granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What is in the copy.
    pub fidelity: Fidelity,
}

/// What somebody has, or something costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holding {
    /// What a party's wallet has of a token.
    Balance {
        /// Which token.
        token: Token,
        /// Whose.
        of: PartyId,
        /// Which of its wallets, from 0.
        wallet: u8,
    },
    /// What the network owns of a token.
    Network {
        /// Which token.
        token: Token,
    },
    /// The free gas one has left.
    Allowance,
    /// The price of a credential.
    Fee {
        /// The credential.
        credential: CredentialId,
    },
}

/// What there should be, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Of what.
    pub what: Holding,
    /// How much.
    pub amount: Amount,
}

/// Something done with tokens inside the storage network. Amounts are in base units. Source: idos-facts 3.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trade {
    /// Anybody: run the action that costs gas.
    PayGas,
    /// Anybody: run the action that costs IDOS.
    Spend {
        /// How much.
        amount: Amount,
    },
    /// Issuer: set the price of a credential.
    SetFee {
        /// The credential.
        credential: CredentialId,
        /// The price, in USDC.
        fee: Amount,
        /// Whose first wallet is paid.
        to: PartyId,
    },
    /// Anybody: pay the price of a credential, with the mark-up.
    PayFee {
        /// The credential; a copy, for its grantee.
        credential: CredentialId,
    },
    /// Anybody: withdraw all of a token.
    WithdrawAll {
        /// Which token.
        token: Token,
    },
    /// Anybody: withdraw some of a token.
    Withdraw {
        /// Which token.
        token: Token,
        /// How much.
        amount: Amount,
    },
    /// Anybody: give tokens to somebody.
    Transfer {
        /// Which token.
        token: Token,
        /// To whose first wallet.
        to: PartyId,
        /// How much.
        amount: Amount,
    },
    /// Anybody: give tokens to the network.
    Lock {
        /// Which token.
        token: Token,
        /// How much.
        amount: Amount,
    },
    /// Database owner: withdraw all that the network owns of a token.
    Sweep {
        /// Which token.
        token: Token,
        /// To whose first wallet.
        to: PartyId,
    },
    /// Anybody: look whether something is as much as it should be.
    Look(Sum),
    /// Anybody: look what somebody can claim of closed epochs, and check the proofs.
    Claims {
        /// Which token.
        token: Token,
        /// Whose first wallet.
        of: PartyId,
        /// How much there should be.
        amount: Amount,
    },
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
        request: u32,
        /// What it gets.
        share: Share,
    },
    /// User: deny a consumer's request.
    Deny {
        /// The request.
        request: u32,
        /// Who asked.
        consumer: PartyId,
    },
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
        /// Id of the row.
        id: WalletId,
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

    /// Consumer: ask a user for access. Source: idos-facts 5.3.
    Request {
        /// Names the request.
        request: u32,
        /// The user.
        user: PartyId,
        /// Last second of the lock wanted, UNIX seconds; 0 for none.
        locked_until: i64,
        /// Why.
        purpose: String,
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

    /// Something done with tokens.
    Trade(Trade),

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

    /// Everybody, at the end: read everything one could ever read, at every node.
    Audit {
        /// The nodes.
        nodes: Vec<NodeId>,
        /// Copies that were ever planned.
        copies: Vec<CredentialId>,
        /// Whether anybody has tokens, so that their ledgers are read too.
        tokens: bool,
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

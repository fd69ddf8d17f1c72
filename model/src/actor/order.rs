//! What a story can tell a party to do. Orders are data: ids are decided when the plan is made, so a
//! step can name what an earlier one will create.

use serde::{Deserialize, Serialize};

use crate::bridge::{Amount, Token};
use crate::chain::Contract;
use crate::disclosure::{Criterion, Filter};
use crate::id::{
    AccessRequestId, AttributeId, ClubId, CredentialId, NodeId, PartyId, UserId, WalletId,
    WriteGrantId,
};
use crate::ledger::Governed;
use crate::shares::Conduct;
use crate::vc::Level;

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

impl Terms {
    /// Whether access ends by itself, with its time or with its uses.
    pub const fn end(&self) -> bool {
        self.expires_at.is_some() || self.uses.is_some()
    }
}

/// What an issuer finds out about somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Two capital letters: who issued the identity document, and where its holder lives.
    pub country: String,
    /// How much was checked.
    pub level: Level,
    /// First second in which the document is no longer valid, UNIX seconds; 0 for ten years after it was issued.
    pub expires: i64,
    /// Whom the document is about; another than the holder of the profile makes it useless there.
    pub about: PartyId,
}

impl Findings {
    /// What comes of an ordinary verification.
    pub fn usual(about: PartyId) -> Findings {
        Findings {
            country: "PT".to_owned(),
            level: Level {
                liveness: true,
                email: true,
                phone_number: true,
                ..Level::PLUS
            },
            expires: 0,
            about,
        }
    }
}

/// What a consumer asks of a document besides that it be genuine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demands {
    /// At least this level.
    pub level: Level,
    /// The issuers it trusts; none for all it knows.
    pub trusting: Vec<PartyId>,
    /// That the person has not come with another profile before.
    pub unique: bool,
}

impl Demands {
    /// Nothing besides.
    pub const NONE: Demands = Demands {
        level: Level::BASIC,
        trusting: Vec::new(),
        unique: false,
    };
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

/// What an accuser can show against a node's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Shown {
    /// Nothing but its own word.
    Nothing,
    /// One vote of the node's validator, twice.
    OneVote,
    /// Two votes on one ballot.
    TwoVotes,
}

/// What is asked of the chain that holds the tokens. Amounts are whole tokens. Source: idos-facts 5.16, 5.17.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChainDeed {
    /// Anybody: let a contract take so many of the own tokens.
    Approve {
        /// The contract.
        spender: Contract,
        /// How many.
        amount: u64,
    },
    /// Anybody: send tokens to somebody.
    Send {
        /// Which.
        token: Token,
        /// To whom.
        to: PartyId,
        /// How many.
        amount: u64,
    },
    /// Anybody: pay IDOS into the staking contract for rewards.
    FundRewards {
        /// How many.
        amount: u64,
    },
    /// Anybody: stake behind a node.
    Stake {
        /// Whose tokens, which are approved already; none for the own, which are approved on the way.
        of: Option<PartyId>,
        /// Behind which node.
        node: NodeId,
        /// How many.
        amount: u64,
    },
    /// Anybody: begin to take stake back.
    Unstake {
        /// From which node.
        node: NodeId,
        /// How many.
        amount: u64,
    },
    /// Anybody: be paid what was unstaked long enough ago.
    WithdrawUnstaked,
    /// Anybody: be paid rewards.
    WithdrawReward,
    /// The Association: put a node on the allow-list.
    AllowNode {
        /// The node.
        node: NodeId,
    },
    /// The Association: take it off the allow-list.
    DisallowNode {
        /// The node.
        node: NodeId,
    },
    /// The Association: take everything staked behind a node.
    Slash {
        /// The node.
        node: NodeId,
        /// What shows that it deserves it.
        shown: Shown,
    },
    /// The Association: be paid what was slashed.
    WithdrawSlashed,
    /// The Association: set the reward of an epoch.
    SetReward {
        /// How many.
        amount: u64,
    },
    /// The Association: stop the staking contract, or let it go on.
    Pause {
        /// Whether it stops.
        on: bool,
    },
    /// Anybody: hand tokens over to the storage network.
    Deposit {
        /// Which.
        token: Token,
        /// How many.
        amount: u64,
    },
    /// Operator: post the root of an epoch that has closed, with the signatures of these operators.
    PostRoot {
        /// Of which token.
        token: Token,
        /// Who is asked to sign.
        signers: Vec<PartyId>,
        /// Whether it is another root than the epoch's.
        forged: bool,
    },
    /// Anybody: claim what an address has withdrawn.
    Claim {
        /// Which token.
        token: Token,
        /// Whose first wallet is paid.
        of: PartyId,
        /// Whether what was claimed before is claimed once more.
        again: bool,
    },
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
        /// What the document says.
        findings: Findings,
    },
    /// Issuer: look at a user's face, and write which person it is. Source: idos-facts 1.3.
    Recognise {
        /// The user.
        user: PartyId,
        /// Id of the credential.
        credential: CredentialId,
    },
    /// Issuer: rewrite the notes of an issued credential with this status.
    SetStatus {
        /// The credential.
        credential: CredentialId,
        /// `revoked`, `approved`.
        status: String,
    },
    /// Issuer: declare on its own page that its key is invalid.
    DeclareKeyInvalid {
        /// First second of what is not to be believed, UNIX seconds.
        from: i64,
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
        /// Who gets the paper.
        carrier: PartyId,
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
    /// User: approve an answer to a consumer's question. Source: idos-facts 5.13.
    Answer {
        /// The question.
        question: u32,
        /// Who asked.
        consumer: PartyId,
        /// The credential it is answered from.
        credential: CredentialId,
        /// Whether it may be answered again until it expires.
        repeated: bool,
    },
    /// User: refuse a request that waits in the enclave.
    Forbid {
        /// What letters call it.
        request: u32,
        /// Who asked.
        consumer: PartyId,
    },
    /// User: refuse to have a question answered.
    DenyQuestion {
        /// The question.
        question: u32,
        /// Who asked.
        consumer: PartyId,
    },
    /// User: take an approval back.
    WithdrawAnswer {
        /// The question.
        question: u32,
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
        /// Which of its wallets, from 0.
        wallet: u8,
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
    /// Anybody: find out from refusals whether somebody else's copy and grant exist. Source: READ-04.
    Pry {
        /// The grant, and with it the copy.
        grant: GrantRef,
    },
    /// Anybody: have a user's enclave say which credentials are of use. Source: idos-facts 5.2 step 3.
    Filter {
        /// The user.
        user: PartyId,
        /// What is of use.
        filter: Filter,
        /// Which credentials that should be.
        matches: Vec<CredentialId>,
    },
    /// Consumer: ask a user one question. Source: idos-facts 5.13.
    Ask {
        /// Names the question.
        question: u32,
        /// The user.
        user: PartyId,
        /// What it wants to know.
        predicate: Criterion,
        /// Last second in which an answer is of use, UNIX seconds.
        expires: i64,
    },
    /// Consumer: have a question answered once more.
    AskAgain {
        /// The question.
        question: u32,
    },
    /// Consumer: present an answer, to somebody else or to oneself again.
    PresentAnswer {
        /// The question it answers.
        question: u32,
        /// Who shall believe it.
        to: PartyId,
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
        /// What else it asks for.
        demands: Demands,
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

    /// Anybody with an EVM wallet: call a contract of the chain that holds the tokens.
    OnChain(ChainDeed),
    /// That chain: undo its last blocks, except those that are confirmed.
    Reorganise {
        /// How many at most.
        blocks: u32,
        /// Whether the calls in them are lost rather than put into later blocks.
        lose: bool,
    },

    /// Gateway: let somebody have a session of somebody else's.
    LeakSession {
        /// Whose.
        of: PartyId,
        /// To whom.
        to: PartyId,
    },
    /// Gateway: drop everything a party asks from now on, or take it again.
    TurnAway {
        /// The party.
        party: PartyId,
        /// Take it again.
        again: bool,
    },

    /// Database owner: found a club of obliged entities.
    FoundClub {
        /// The club.
        club: ClubId,
    },
    /// Database owner: register an obliged entity and make it a member.
    JoinClub {
        /// The club.
        club: ClubId,
        /// The entity.
        peer: PartyId,
    },
    /// Database owner: end a membership.
    LeaveClub {
        /// The club.
        club: ClubId,
        /// The entity.
        peer: PartyId,
    },
    /// User: store a copy that waits for a grant. Source: idos-facts 5.12 step 2.
    StoreCopy(Share),
    /// Obliged entity: have another one vouch for a copy, and rely on it.
    Rely {
        /// The owner's paper for the grant.
        dag: u32,
        /// The copy.
        copy: CredentialId,
        /// On whom.
        on: PartyId,
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
    /// Operator: vote from now on for what the other chain has confirmed. Source: idos-facts 5.16.
    WatchChain,
    /// Operator: vote for a deposit that never was.
    InventDeposit {
        /// Who is to be credited.
        of: PartyId,
        /// With which token.
        token: Token,
        /// With how much.
        amount: u64,
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
    /// Whatever node this gateway passes them on to.
    Gateway(PartyId),
}

macro_rules! oddities {
    ($($variant:ident $name:literal $text:literal;)+) => {
        /// What somebody's software does that no honest one would, besides what the order says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Oddity {
            $(#[doc = $text] $variant,)+
        }

        impl Oddity {
            /// All of them, in the order of [`Oddity::NAMES`].
            pub const ALL: &'static [Oddity] = &[$(Oddity::$variant),+];

            /// As a story writes them.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// As a story writes it.
            pub const fn name(self) -> &'static str {
                match self { $(Oddity::$variant => $name),+ }
            }
        }
    };
}

oddities! {
    OtherNetwork "for-another-network" "A paper, or else the transaction, is signed for another network.";
    NoNetwork "for-no-network" "The transaction is signed without a network's name.";
    Shouts "shouts" "The grantee is written in capitals.";
    Halfway "stops-halfway" "Of a registration only the first transaction is sent.";
    OtherProfile "proves-for-another-profile" "The wallet's proof names another profile.";
    ProvesElsewhere "proves-for-another-network" "The wallet's proof names another network.";
    ProvesLate "proves-too-late" "The wallet's proof was good until a second ago.";
    ProvesNothing "proves-nothing" "The wallet signs a greeting.";
    SameNotesId "with-a-used-notes-id" "The notes have the id of those the issuer made last.";
    NoNotesId "without-notes-id" "The notes an issuer states have no id.";
    NoStatement "without-its-signature" "The notes an issuer states carry neither its signature nor a date.";
    OldStatement "under-its-last-signature" "The notes an issuer states carry the date and the signature of those before.";
    FromIssuer "wrong-from-the-issuer-on" "Of a delegated write everything is wrong, the signing key first.";
    FromOwner "wrong-from-the-owner-on" "Of a delegated write the owner is nobody, and all that is checked later is wrong.";
    FromDates "wrong-from-the-dates-on" "Of a delegated write an instant is none, and all that is checked later is wrong.";
    FromWindow "wrong-from-the-window-on" "Of a delegated write the window is reversed, and all that is checked later is wrong.";
    FromTime "wrong-from-the-time-on" "Of a delegated write the window is over, and all that is checked later is wrong.";
    FromSignature "wrong-from-the-signature-on" "Of a delegated write no signature is right, the owner's first.";
    FromOriginal "wrong-from-the-original-on" "Of a delegated write the signatures under original and copy are wrong.";
    FromCopy "wrong-at-the-copy" "Of a delegated write the signature under the copy is wrong.";
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
    /// What is wrong with how it is done, on purpose.
    pub oddity: Option<Oddity>,
}

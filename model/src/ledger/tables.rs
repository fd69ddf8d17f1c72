//! The tables of the `main` namespace, with a journal that undoes and a digest that sums them up.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::index::{Index, Indexed};
use crate::bridge::{Address, Amount, Hash, Token};
use crate::crypto::Identity;
use crate::id::{
    AccessRequestId, AttributeId, ClubId, CredentialId, GrantId, Height, InserterId, PeerId,
    ResolutionId, TablesDigest, Text, UserId, WalletId, WriteGrantId,
};
use crate::time::BlockTime;
use crate::wire::{ParameterUpdate, VotableEvent};

/// The base64 text of a credential's `content`, digested once so that no node hashes it again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content {
    text: Text,
    digest: [u8; 32],
}

impl Content {
    /// Takes the text as it is; nothing is checked here.
    pub fn new(text: impl Into<Text>) -> Content {
        let text = text.into();
        let digest = *blake3::hash(text.as_bytes()).as_bytes();
        Content { text, digest }
    }

    /// The text as stored.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// A digest of the text, for telling two contents apart cheaply.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Content({}.., {} bytes)",
            hex::encode(&self.digest[..4]),
            self.text.len()
        )
    }
}

// Rows and observations are hashed often, and a content's digest says all that its text would. A dump of the
// tables, which somebody else has to read, is in a human-readable form.
impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&self.text);
        }
        serializer.serialize_bytes(&self.digest)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Content, D::Error> {
        Text::deserialize(from).map(Content::new)
    }
}

/// The five wallet types. Source: idos-facts 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum WalletType {
    EVM,
    NEAR,
    XRPL,
    Stellar,
    FaceSign,
}

impl WalletType {
    /// The value of the `wallet_type` column.
    pub const fn name(self) -> &'static str {
        match self {
            WalletType::EVM => "EVM",
            WalletType::NEAR => "NEAR",
            WalletType::XRPL => "XRPL",
            WalletType::Stellar => "Stellar",
            WalletType::FaceSign => "FaceSign",
        }
    }

    /// The type of this name, in exactly this spelling.
    pub fn parse(name: &str) -> Option<WalletType> {
        use WalletType::{EVM, FaceSign, NEAR, Stellar, XRPL};
        [EVM, NEAR, XRPL, Stellar, FaceSign]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A row of `users`. Source: idos-facts 2.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// X25519 public key, base64 by convention.
    pub recipient_encryption_public_key: Text,
    /// `user` or `mpc`.
    pub encryption_password_store: Text,
    /// Name of the inserter that created the profile.
    pub inserter: Text,
    /// Free gas that is left, in base units of IDOS; never refilled.
    pub gas_allowance: Amount,
}

/// A profile whose first wallet has not arrived; only under `atomic-profile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedUser(
    /// The row that will appear together with the wallet.
    pub User,
);

/// A row of `wallets`. Source: idos-facts 2.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Wallet {
    pub user_id: UserId,
    pub address: Text,
    pub public_key: Option<Text>,
    pub wallet_type: WalletType,
    pub message: Option<Text>,
    pub signature: Option<Text>,
    pub inserter: Option<Text>,
}

/// A row of `credentials`, original or copy. Source: idos-facts 2.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The owner.
    pub user_id: UserId,
    /// `verifiable_credential_id`: the id inside the notes at insert or owner edit.
    pub notes_id: Option<Text>,
    /// Clear metadata; empty on copies.
    pub public_notes: Text,
    /// base64(nonce ‖ box) by convention.
    pub content: Content,
    /// One-time X25519 public key of the sender, base64.
    pub encryptor_public_key: Text,
    /// Ed25519 public key that signed notes and content, hex.
    pub issuer_auth_public_key: Text,
    /// Nothing when the user stored the row, else the inserter's name.
    pub inserter: Option<Text>,
    /// What a grantee pays its issuer, in base units of USDC; 0 for nothing.
    pub issuer_fee: Amount,
    /// Who gets it. Not in the deployed schema (`settable-issuer-fee`).
    pub issuer_wallet: Option<Address>,
}

/// A row of `shared_credentials`: this copy was made of this original. Source: idos-facts 2.4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyLink;

/// The last notes of an original that is gone, for the grantees of a copy that is not; only under
/// `orphans-stay-usable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RetainedNotes {
    pub issuer_auth_public_key: Text,
    pub notes_id: Option<Text>,
    pub public_notes: Text,
}

/// What an issuer last stated about a credential of its; only under `sticky-status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusStatement(
    /// The notes as the issuer wrote them.
    pub Text,
);

/// A row of `user_attributes`, original or copy: clear text. Source: idos-facts 2.4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Attribute {
    pub user_id: UserId,
    pub attribute_key: Text,
    pub value: Text,
    /// Nothing when the user stored the row, else the inserter's name.
    pub inserter: Option<Text>,
}

/// A row of `shared_user_attributes`: this copy was made of this original. Source: idos-facts 2.4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeLink;

/// A row of `consumed_write_grants`: what a dWG was used for, as it was signed; empty once it names nobody
/// any more. Source: idos-facts 2.5.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ConsumedWriteGrant {
    pub owner: Text,
    pub grantee: Text,
    pub issuer_public_key: Text,
    /// Nothing once the row is gone.
    pub original: Option<CredentialId>,
    /// Nothing once the row is gone.
    pub copy: Option<CredentialId>,
    pub access_grant_timelock: Text,
    pub not_usable_before: Text,
    pub not_usable_after: Text,
}

impl ConsumedWriteGrant {
    /// Whether it says who was party to the paper.
    pub fn names_somebody(&self) -> bool {
        !(self.owner.is_empty() && self.grantee.is_empty())
    }
}

/// A row of `inserters`: its name. Source: idos-facts 2.5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inserter(
    /// Unique name.
    pub Text,
);

/// A row of `delegates`: the inserter whose key this is. Source: idos-facts 2.5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegate(
    /// The organisation.
    pub InserterId,
);

/// A row of `passporting_clubs`. Source: idos-facts 2.7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassportingClub(
    /// Its name.
    pub Text,
);

/// A row of `passporting_peers`. Source: idos-facts 2.7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PassportingPeer {
    pub name: Text,
    /// Caller identity of the entity; unique.
    pub issuer_public_key: Text,
    pub server_url_base: Text,
}

/// A row of `passporting_club_memberships`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClubMembership;

/// How a grant came to be. Source: idos-facts 9.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GrantInserter {
    /// The owner shared.
    User,
    /// Somebody transmitted a dAG.
    DagMessage,
    /// Somebody transmitted a dWG.
    DelegatedWriteGrant,
}

/// A row of `access_grants`. Source: idos-facts 2.6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessGrant {
    /// `ag_owner_user_id`.
    pub owner: UserId,
    /// `ag_grantee_wallet_identifier`.
    pub grantee: Text,
    /// `data_id`, a credential.
    pub data: CredentialId,
    /// Last second of the lock, UNIX seconds; 0 for none.
    pub locked_until: i64,
    /// SHA-256 of the plaintext, lower-case hex.
    pub content_hash: Option<Text>,
    /// Height of creation; orders listings.
    pub height: Height,
    /// `inserter_type`.
    pub inserter_type: GrantInserter,
    /// `inserter_id`: the caller that inserted it, or the dWG's id.
    pub inserter_id: Text,
    /// How far it goes; no limits, as in the deployed schema, unless `grant-terms` is kept.
    pub terms: GrantTerms,
}

/// What a user has of a token, in the storage network. Source: idos-facts 2.7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserBalance(
    /// Above or at zero.
    pub Amount,
);

/// What the network owns of a token: what was locked, and not issued since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkBalance(
    /// Above or at zero.
    pub Amount,
);

/// A span of withdrawals of one token, by the height it began at. Source: idos-facts 5.16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Chain time of the block it began with, in seconds.
    pub start_time: i64,
    /// How it was closed; nothing while it collects.
    pub end: Option<EpochEnd>,
    /// Whether the other chain has taken its root.
    pub confirmed: bool,
}

/// How an epoch was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochEnd {
    /// Height of the block that closed it.
    pub height: Height,
    /// Hash of that block.
    pub block: Hash,
    /// Root of the tree of its rewards.
    pub root: Hash,
    /// Sum of its rewards.
    pub total: Amount,
}

/// What a recipient may claim of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochReward(
    /// Above zero.
    pub Amount,
);

/// An event of the other chain that has had its effect, so that it has none again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgedEvent;

/// A grantee has paid for a copy; only under `paid-grants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeePayment(
    /// What it paid, mark-up included.
    pub Amount,
);

/// How far a grant goes besides its lock, which says nothing about its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantTerms {
    /// The request it answers.
    pub request: Option<AccessRequestId>,
    /// Last second in which it gives access, UNIX seconds.
    pub expires_at: Option<i64>,
    /// Uses that are left.
    pub uses_left: Option<i64>,
    /// Last second in which the last use that was made lets the grantee read, UNIX seconds.
    pub open_until: Option<i64>,
    /// The fields in the copy, separated by commas; none for all of them.
    pub fields: Option<Text>,
}

/// That a grant on a copy has ended by itself, for whoever reads it afterwards; keyed by copy and grantee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedGrant(
    /// Whose data it was.
    pub UserId,
);

/// How far a request for access has come. That it was fulfilled, the grant says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RequestState {
    /// It waits for the owner.
    Submitted,
    /// The owner has shared a copy for it.
    Approved,
    /// The owner has refused it.
    Denied,
    /// Nobody decided while it stood.
    Expired,
    /// The consumer has taken it back.
    Withdrawn,
}

impl RequestState {
    /// The value of the `state` column.
    pub const fn name(self) -> &'static str {
        match self {
            RequestState::Submitted => "submitted",
            RequestState::Approved => "approved",
            RequestState::Denied => "denied",
            RequestState::Expired => "expired",
            RequestState::Withdrawn => "withdrawn",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<RequestState> {
        use RequestState::{Approved, Denied, Expired, Submitted, Withdrawn};
        [Submitted, Approved, Denied, Expired, Withdrawn]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A row of `access_requests`: what a consumer asks an owner for; only under `recorded-requests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequest {
    /// Caller identity of who asks.
    pub consumer: Text,
    /// Who is asked.
    pub owner: UserId,
    /// The credential asked for, where one is named.
    pub credential: Option<CredentialId>,
    /// The kind of data asked for, where one is named.
    pub kind: Option<Text>,
    /// The fields asked for, separated by commas; none for all of them.
    pub fields: Option<Text>,
    /// What the data is for.
    pub purpose: Text,
    /// Last second of the lock wanted, UNIX seconds; 0 for none.
    pub locked_until: i64,
    /// Last second in which it can be approved, UNIX seconds.
    pub stands_until: i64,
    /// Until when the data is wanted; none for as long as the owner lets it.
    pub expires_at: Option<i64>,
    /// How often the data will be used; none for as often as the owner lets it.
    pub uses: Option<i64>,
    /// How far it has come.
    pub state: RequestState,
    /// The copy made for it.
    pub copy: Option<CredentialId>,
    /// Height of creation; orders listings.
    pub height: Height,
}

/// What a row of the audit record says was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum AuditEvent {
    Requested,
    RequestWithdrawn,
    RequestDenied,
    RequestApproved,
    RequestExpired,
    Granted,
    Used,
    Revoked,
    Rescinded,
    /// The grant went with the data it was on.
    Removed,
    /// The grant's time or uses were over.
    Ended,
}

impl AuditEvent {
    const ALL: [AuditEvent; 11] = [
        AuditEvent::Requested,
        AuditEvent::RequestWithdrawn,
        AuditEvent::RequestDenied,
        AuditEvent::RequestApproved,
        AuditEvent::RequestExpired,
        AuditEvent::Granted,
        AuditEvent::Used,
        AuditEvent::Revoked,
        AuditEvent::Rescinded,
        AuditEvent::Removed,
        AuditEvent::Ended,
    ];

    /// The value of the `event` column.
    pub const fn name(self) -> &'static str {
        match self {
            AuditEvent::Requested => "requested",
            AuditEvent::RequestWithdrawn => "request withdrawn",
            AuditEvent::RequestDenied => "request denied",
            AuditEvent::RequestApproved => "request approved",
            AuditEvent::RequestExpired => "request expired",
            AuditEvent::Granted => "granted",
            AuditEvent::Used => "used",
            AuditEvent::Revoked => "revoked",
            AuditEvent::Rescinded => "rescinded",
            AuditEvent::Removed => "removed",
            AuditEvent::Ended => "ended",
        }
    }

    /// The event of this name.
    pub fn parse(name: &str) -> Option<AuditEvent> {
        AuditEvent::ALL
            .into_iter()
            .find(|event| event.name() == name)
    }
}

/// A row of `audit_records`: what was done, when, and about whom; only under `audit-record`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// What was done.
    pub event: AuditEvent,
    /// Chain time of the block.
    pub time: BlockTime,
    /// Height of the block.
    pub height: Height,
    /// Whom and what it is about; nothing once the owner's profile is erased.
    pub about: Option<AuditSubject>,
}

/// Whom and what a row of the audit record is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditSubject {
    /// Whose data.
    pub owner: UserId,
    /// Who asked for it, or holds the grant.
    pub party: Text,
    /// The request, where there is one.
    pub request: Option<AccessRequestId>,
    /// The grant, where there is one.
    pub grant: Option<GrantId>,
    /// The data, where it is known.
    pub data: Option<CredentialId>,
}

/// That an own credential goes as soon as no lock keeps it any more; only under `remainders-removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueRemoval;

/// A paper its owner has cancelled, keyed as [`ConsumedPaper`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledPaper;

/// A signed paper that is good for one use: dAG, ownership proof. Keyed by the digest of its text, so
/// that what stays behind identifies nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumedPaper;

/// Last used nonce of a sender; state of the engine, outside `main`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account(
    /// The next transaction must carry this plus one.
    pub u64,
);

/// A node that votes, as the engine keeps it: outside `main`. Source: idos-facts 2.7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validator {
    /// Its weight in resolutions. Blocks count heads.
    pub power: u64,
}

/// Something validators vote on that is not decided yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What is proposed.
    pub event: VotableEvent,
    /// Who proposed it.
    pub proposer: Identity,
    /// From this second on it is over, UNIX seconds.
    pub expires_at: i64,
}

/// A validator's approval of a resolution. There is no vote against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval;

/// A resolution that is over and may not come again: what was seen once happens once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processed;

/// A parameter of the network, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter(
    /// Its value.
    pub ParameterUpdate,
);

/// A line of the public log of changes; only under `governance-log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The block that made it.
    pub height: Height,
    /// What kind of change.
    pub what: Text,
    /// Whom or what it is about.
    pub subject: Text,
}

/// What an action was replaced with, by the name of what it keeps or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedAction {
    /// Whether it keeps it now.
    pub on: bool,
    /// The block that replaced it.
    pub since: Height,
}

/// Who owns the database, once it has been given away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership(
    /// Caller identity.
    pub Text,
);

/// A kind of row that lives in [`Tables`].
pub trait Row: Serialize + DeserializeOwned + Sized {
    /// Primary key.
    type Key: Ord + Clone + Serialize + DeserializeOwned;
    /// Distinguishes equal rows of different tables in digests.
    const TABLE: u8;
    #[doc(hidden)]
    fn rows(tables: &Tables) -> &BTreeMap<Self::Key, Arc<Self>>;
    #[doc(hidden)]
    fn rows_mut(tables: &mut Tables) -> (&mut BTreeMap<Self::Key, Arc<Self>>, &mut Index);
    #[doc(hidden)]
    fn undo(key: Self::Key, before: Option<Arc<Self>>) -> Undo;
}

macro_rules! tables {
    ($($table:ident: $key:ty => $row:ident;)+) => {
        /// All rows, each table ordered by its primary key.
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)]
        pub struct Tables {
            $(pub $table: BTreeMap<$key, Arc<$row>>,)+
            pub(super) index: Index,
        }

        #[doc(hidden)]
        #[derive(Clone, Debug)]
        pub enum Undo {
            $($row($key, Option<Arc<$row>>),)+
        }

        /// Numbers the tables for digests.
        #[allow(non_camel_case_types, clippy::enum_variant_names)]
        enum TableNumber { $($table,)+ }

        $(impl Row for $row {
            type Key = $key;
            const TABLE: u8 = TableNumber::$table as u8;
            fn rows(tables: &Tables) -> &BTreeMap<$key, Arc<$row>> { &tables.$table }
            fn rows_mut(tables: &mut Tables) -> (&mut BTreeMap<$key, Arc<$row>>, &mut Index) {
                (&mut tables.$table, &mut tables.index)
            }
            fn undo(key: $key, before: Option<Arc<$row>>) -> Undo { Undo::$row(key, before) }
        })+

        /// Every row of every table, as a dump has them.
        #[derive(Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Dump {
            $($table: Vec<($key, Arc<$row>)>,)+
        }

        impl Dump {
            fn of(tables: &Tables) -> Dump {
                Dump {
                    $($table: tables.$table.iter().map(|(key, row)| (key.clone(), row.clone())).collect(),)+
                }
            }
        }

        impl State {
            fn load(dump: Dump) -> State {
                let mut state = State::default();
                $(for (key, row) in dump.$table {
                    state.change::<$row>(key, Some(row));
                })+
                state.seal();
                state
            }

            /// Digest of every row in the order of tables and keys, accounts included: what a snapshot of
            /// this state has to come to.
            pub fn checkpoint(&self) -> [u8; 32] {
                let mut whole = blake3::Hasher::new();
                let mut scratch = Vec::new();
                $(for (key, row) in &self.tables.$table {
                    whole.update(&row_hash::<$row>(&mut scratch, key, row));
                })+
                *whole.finalize().as_bytes()
            }

            /// Sets a row to what the entry says and returns the entry that undoes this.
            fn revert(&mut self, undo: Undo) -> Undo {
                match undo {
                    $(Undo::$row(key, row) => {
                        let (replaced, _) = self.replace::<$row>(key.clone(), row);
                        Undo::$row(key, replaced)
                    })+
                }
            }
        }
    };
}

tables! {
    users: UserId => User;
    reserved_users: UserId => ReservedUser;
    wallets: WalletId => Wallet;
    credentials: CredentialId => Credential;
    copy_links: (CredentialId, CredentialId) => CopyLink;
    retained_notes: CredentialId => RetainedNotes;
    status_statements: (Text, Text) => StatusStatement;
    inserters: InserterId => Inserter;
    delegates: Text => Delegate;
    access_grants: GrantId => AccessGrant;
    user_attributes: AttributeId => Attribute;
    attribute_links: (AttributeId, AttributeId) => AttributeLink;
    consumed_write_grants: WriteGrantId => ConsumedWriteGrant;
    consumed_papers: [u8; 32] => ConsumedPaper;
    user_balances: (Token, Address) => UserBalance;
    network_balances: Token => NetworkBalance;
    epochs: (Token, Height) => Epoch;
    epoch_rewards: (Token, Height, Address) => EpochReward;
    bridged_events: Hash => BridgedEvent;
    fee_payments: (CredentialId, Text) => FeePayment;
    cancelled_papers: [u8; 32] => CancelledPaper;
    access_requests: AccessRequestId => AccessRequest;
    ended_grants: (CredentialId, Text) => EndedGrant;
    due_removals: CredentialId => DueRemoval;
    audit_records: u64 => AuditRecord;
    validators: Identity => Validator;
    resolutions: ResolutionId => Resolution;
    approvals: (ResolutionId, Identity) => Approval;
    processed: ResolutionId => Processed;
    parameters: Text => Parameter;
    governance_log: u64 => Change;
    replaced_actions: Text => ReplacedAction;
    ownership: Text => Ownership;
    accounts: Identity => Account;
    passporting_clubs: ClubId => PassportingClub;
    passporting_peers: PeerId => PassportingPeer;
    club_memberships: (ClubId, PeerId) => ClubMembership;
}

/// The tables, and what it takes to undo and to sum up changes to them.
#[derive(Clone, Debug, Default)]
pub struct State {
    tables: Tables,
    digest: [u8; 32],
    journal: Vec<Undo>,
    changes: blake3::Hasher,
    scratch: Vec<u8>,
}

/// Changes that were taken back, in the order they were made, and what they had come to in hashes.
#[derive(Clone, Debug, Default)]
pub struct Redo {
    rows: Vec<Undo>,
    changes: blake3::Hasher,
}

/// A point to which [`State::rollback`] can return.
#[derive(Clone, Debug)]
pub struct Savepoint {
    journal: usize,
    changes: blake3::Hasher,
}

impl State {
    /// The rows, to read.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Inserts or overwrites a row.
    pub fn put<R: Indexed>(&mut self, key: R::Key, row: R) {
        self.change::<R>(key, Some(Arc::new(row)));
    }

    /// Adds a row to a table whose rows are numbered from 1.
    pub fn append<R: Indexed + Row<Key = u64>>(&mut self, row: R) {
        let last = R::rows(&self.tables).last_key_value();
        let next = last.map_or(1, |(number, _)| number + 1);
        self.put(next, row);
    }

    /// Deletes a row; returns what was there.
    pub fn delete<R: Indexed>(&mut self, key: &R::Key) -> Option<Arc<R>> {
        if !R::rows(&self.tables).contains_key(key) {
            return None;
        }
        self.change::<R>(key.clone(), None)
    }

    /// Every row, for another node to read.
    pub fn dump(&self) -> Vec<u8> {
        serde_json::to_vec(&Dump::of(&self.tables))
            .expect("rows hold nothing that cannot be written")
    }

    /// The state a dump is of. What it holds is believed; [`State::checkpoint`] says whether it is right.
    ///
    /// Errors: what is wrong with the dump, in words.
    pub fn read(dump: &[u8]) -> Result<State, String> {
        let dump = serde_json::from_slice(dump).map_err(|error| error.to_string())?;
        Ok(State::load(dump))
    }

    /// Changes a user's encryption key as somebody could who has the disk: no digest and no change set
    /// follows.
    pub(crate) fn alter_user(&mut self, id: UserId) {
        if let Some(user) = self.tables.users.get_mut(&id) {
            let mut altered = (**user).clone();
            altered.recipient_encryption_public_key = "altered".into();
            *user = Arc::new(altered);
        }
    }

    /// Marks the present state.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint {
            journal: self.journal.len(),
            changes: self.changes.clone(),
        }
    }

    /// Takes back everything since the savepoint. What was taken back can be done again with
    /// [`State::redo`], which is how a block is executed before and shown only after its commit.
    pub fn rollback(&mut self, to: Savepoint) -> Redo {
        let mut redo = Vec::with_capacity(self.journal.len() - to.journal);
        while self.journal.len() > to.journal {
            let undo = self
                .journal
                .pop()
                .expect("the journal is longer than the savepoint");
            redo.push(self.revert(undo));
        }
        redo.reverse();
        Redo {
            rows: redo,
            changes: std::mem::replace(&mut self.changes, to.changes),
        }
    }

    /// Does again what [`State::rollback`] took back, from the state it was rolled back to.
    pub fn redo(&mut self, redo: Redo) {
        for change in redo.rows {
            let undo = self.revert(change);
            self.journal.push(undo);
        }
        self.changes = redo.changes;
    }

    /// Forgets how to undo, and returns the hash of all changes since the last time: one block's
    /// change set, as full old and new rows. Source: idos-facts 6.2.
    pub fn seal(&mut self) -> [u8; 32] {
        self.journal.clear();
        let changes = std::mem::take(&mut self.changes);
        *changes.finalize().as_bytes()
    }

    /// Hash of the changes that [`State::seal`] would return, without sealing.
    pub fn change_set(&self) -> [u8; 32] {
        *self.changes.finalize().as_bytes()
    }

    /// Digest of every row except the accounts: the exclusive-or of the rows' hashes, so that it
    /// follows each change at the cost of that change.
    pub fn digest(&self) -> TablesDigest {
        TablesDigest(self.digest)
    }

    fn change<R: Indexed>(&mut self, key: R::Key, after: Option<Arc<R>>) -> Option<Arc<R>> {
        let (before, hashes) = self.replace::<R>(key.clone(), after);
        for hash in hashes {
            self.changes.update(&hash);
        }
        self.journal.push(R::undo(key, before.clone()));
        before
    }

    fn replace<R: Indexed>(
        &mut self,
        key: R::Key,
        after: Option<Arc<R>>,
    ) -> (Option<Arc<R>>, [[u8; 32]; 2]) {
        let new = self.row_hash(&key, after.as_deref());
        let (rows, index) = R::rows_mut(&mut self.tables);
        let next = after.clone();
        let before = match after {
            Some(row) => rows.insert(key.clone(), row),
            None => rows.remove(&key),
        };
        if let Some(row) = &before {
            row.index(&key, index, false);
        }
        if let Some(row) = &next {
            row.index(&key, index, true);
        }
        let old = self.row_hash(&key, before.as_deref());
        if R::TABLE != Account::TABLE {
            for (digest, (old, new)) in self.digest.iter_mut().zip(old.iter().zip(&new)) {
                *digest ^= old ^ new;
            }
        }
        (before, [old, new])
    }

    /// Hash of table, key and row; zero for an absent row.
    fn row_hash<R: Row>(&mut self, key: &R::Key, row: Option<&R>) -> [u8; 32] {
        let Some(row) = row else { return [0; 32] };
        row_hash(&mut self.scratch, key, row)
    }
}

/// Hash of table, key and row.
fn row_hash<R: Row>(scratch: &mut Vec<u8>, key: &R::Key, row: &R) -> [u8; 32] {
    let mut buffer = std::mem::take(scratch);
    buffer.clear();
    let buffer = postcard::to_extend(&(R::TABLE, key, row), buffer)
        .expect("rows hold nothing that cannot be encoded");
    let hash = *blake3::hash(&buffer).as_bytes();
    *scratch = buffer;
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Identity;

    fn inserter(n: u128) -> InserterId {
        InserterId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_rollback_restores_rows_digest_and_change_set() {
        let mut state = State::default();
        state.put(inserter(1), Inserter("one".into()));
        let (digest, changes) = (state.digest(), state.change_set());
        let savepoint = state.savepoint();
        state.put(inserter(1), Inserter("other".into()));
        state.put(inserter(2), Inserter("two".into()));
        state.delete::<Inserter>(&inserter(1));
        assert_ne!(state.digest(), digest);
        let after = (state.digest(), state.change_set());
        let redo = state.rollback(savepoint);
        assert_eq!((state.digest(), state.change_set()), (digest, changes));
        let mut again = state.clone();
        again.redo(redo);
        assert_eq!((again.digest(), again.change_set()), after);
        assert_eq!(*state.tables().inserters[&inserter(1)].0, *"one");
        assert_eq!(state.tables().inserters.len(), 1);
    }

    #[test]
    fn equal_tables_have_equal_digests_whatever_the_way_there() {
        let mut one = State::default();
        one.put(inserter(1), Inserter("a".into()));
        one.put(inserter(2), Inserter("b".into()));
        let mut other = State::default();
        other.put(inserter(2), Inserter("x".into()));
        other.put(inserter(2), Inserter("b".into()));
        other.put(inserter(1), Inserter("a".into()));
        assert_eq!(one.digest(), other.digest());
        assert_ne!(one.change_set(), other.change_set());
    }

    #[test]
    fn a_dump_reads_as_the_state_it_is_of_and_damaged_ones_do_not() {
        let mut state = State::default();
        state.put(inserter(1), Inserter("one".into()));
        state.put(Identity::Ed25519([1; 32]), Account(3));
        state.put(
            CredentialId(uuid::Uuid::from_u128(7)),
            Credential {
                user_id: UserId(uuid::Uuid::from_u128(9)),
                notes_id: None,
                public_notes: "".into(),
                content: Content::new("sealed"),
                encryptor_public_key: "key".into(),
                issuer_auth_public_key: "issuer".into(),
                inserter: None,
                issuer_fee: Amount(5),
                issuer_wallet: Some(Address([3; 20])),
            },
        );
        state.put(
            (Token::Usdc, Address([4; 20])),
            UserBalance(Amount(i128::MAX)),
        );
        let closed = Epoch {
            start_time: 1,
            end: Some(EpochEnd {
                height: Height(2),
                block: Hash([5; 32]),
                root: Hash([6; 32]),
                total: Amount(7),
            }),
            confirmed: true,
        };
        state.put((Token::Idos, Height(1)), closed);
        state.put(Hash([8; 32]), BridgedEvent);
        let dump = state.dump();
        let read = State::read(&dump).expect("it was dumped");
        assert_eq!(
            (read.digest(), read.checkpoint()),
            (state.digest(), state.checkpoint())
        );
        assert_eq!(read.dump(), dump);
        let text = String::from_utf8(dump).unwrap();
        let other = State::read(text.replace("sealed", "opened").as_bytes()).unwrap();
        assert_ne!(other.checkpoint(), state.checkpoint());
        assert!(State::read(b"{}").is_err());
    }

    #[test]
    fn nonces_are_no_part_of_the_tables_digest() {
        let mut state = State::default();
        state.put(Identity::Ed25519([1; 32]), Account(1));
        assert_eq!(state.digest(), TablesDigest::default());
    }
}

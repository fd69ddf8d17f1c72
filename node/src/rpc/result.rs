//! What the node answers, in the form clients read. Source: kwil-rpc 2.1, 3 and 6.

use assay_model::bridge::{CHAIN, Hash};
use assay_model::id::{Height, TxId};
use assay_model::ledger::{
    AccessRequestRow, Answer, AttributeRow, AuditRow, BridgeInfo, ChangeRow, ClaimRow,
    CredentialDetail, CredentialSummary, Engine, EpochRow, GrantInserter, GrantRow, GrantTermsRow,
    Invalid, Outcome, PeerRow, Query, Refusal, RemainderRow, SharedCredential, UserRow, WalletRow,
};
use assay_model::node::{ClaimProblem, Rejected, TxStatus};
use assay_model::wire::SignedTransaction;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::encoding::{DataType, display, hash};
use super::envelope::RpcError;
use super::method::AccountId;
use super::transaction::{self, transaction_json};

/// Rows of a view. Without any row the node has seen no columns either, and all three are null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct QueryResult {
    pub column_names: Option<Vec<&'static str>>,
    pub column_types: Option<Vec<DataType>>,
    /// Each row in the order of the columns.
    pub values: Option<Vec<Vec<Json>>>,
}

/// The result of `user.call`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallResult {
    /// Empty when the action refused.
    pub query_result: QueryResult,
    /// What the action noticed; the views here notice nothing.
    pub logs: String,
    /// What the action refused with.
    pub error: Option<String>,
    /// Height of the state it was read from, under `fresh-answers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
}

pub(super) type Column = (&'static str, &'static str);

const USER: &[Column] = &[
    ("id", "uuid"),
    ("recipient_encryption_public_key", "text"),
    ("encryption_password_store", "text"),
];
const USER_AS_INSERTER: &[Column] = &[
    ("id", "uuid"),
    ("recipient_encryption_public_key", "text"),
    ("encryption_password_store", "text"),
    ("inserter", "text"),
];
const WALLETS: &[Column] = &[
    ("id", "uuid"),
    ("user_id", "uuid"),
    ("address", "text"),
    ("public_key", "text"),
    ("wallet_type", "text"),
    ("message", "text"),
    ("signature", "text"),
    ("inserter", "text"),
];
const CREDENTIALS: &[Column] = &[
    ("id", "uuid"),
    ("user_id", "uuid"),
    ("public_notes", "text"),
    ("issuer_auth_public_key", "text"),
    ("inserter", "text"),
    ("original_id", "uuid"),
];
const CREDENTIAL: &[Column] = &[
    ("id", "uuid"),
    ("user_id", "uuid"),
    ("public_notes", "text"),
    ("content", "text"),
    ("encryptor_public_key", "text"),
    ("issuer_auth_public_key", "text"),
    ("inserter", "text"),
];
const GRANTS: &[Column] = &[
    ("id", "uuid"),
    ("ag_owner_user_id", "uuid"),
    ("ag_grantee_wallet_identifier", "text"),
    ("data_id", "uuid"),
    ("locked_until", "int8"),
    ("content_hash", "text"),
    ("inserter_type", "text"),
    ("inserter_id", "text"),
];

const ATTRIBUTES: &[Column] = &[
    ("id", "uuid"),
    ("user_id", "uuid"),
    ("attribute_key", "text"),
    ("value", "text"),
    ("original_id", "uuid"),
];

const EPOCHS: &[Column] = &[
    ("id", "uuid"),
    ("start_height", "int8"),
    ("start_timestamp", "int8"),
    ("end_height", "int8"),
    ("reward_root", "bytea"),
    ("reward_amount", "numeric"),
    ("end_block_hash", "bytea"),
    ("confirmed", "bool"),
    ("voters", "text[]"),
    ("vote_nonces", "int8[]"),
    ("voter_signatures", "bytea[]"),
];
const INFO: &[Column] = &[
    ("chain", "text"),
    ("escrow", "text"),
    ("epoch_period", "text"),
    ("erc20", "text"),
    ("decimals", "int8"),
    ("balance", "numeric"),
    ("synced", "bool"),
    ("synced_at", "int8"),
    ("enabled", "bool"),
];
const CLAIMS: &[Column] = &[
    ("chain", "text"),
    ("chain_id", "text"),
    ("contract", "text"),
    ("created_at", "int8"),
    ("param_recipient", "text"),
    ("param_amount", "numeric"),
    ("param_block_hash", "bytea"),
    ("param_root", "bytea"),
    ("param_proofs", "bytea[]"),
];
const REQUESTS: &[Column] = &[
    ("id", "uuid"),
    ("consumer", "text"),
    ("user_id", "uuid"),
    ("credential_id", "uuid"),
    ("kind", "text"),
    ("fields", "text"),
    ("purpose", "text"),
    ("locked_until", "int8"),
    ("stands_until", "int8"),
    ("expires_at", "int8"),
    ("uses", "int8"),
    ("state", "text"),
    ("copy_id", "uuid"),
];
const GRANT_TERMS: &[Column] = &[
    ("id", "uuid"),
    ("request_id", "uuid"),
    ("expires_at", "int8"),
    ("uses_left", "int8"),
    ("open_until", "int8"),
    ("fields", "text"),
];
const AUDIT_RECORDS: &[Column] = &[
    ("event", "text"),
    ("time", "int8"),
    ("height", "int8"),
    ("user_id", "uuid"),
    ("party", "text"),
    ("request_id", "uuid"),
    ("grant_id", "uuid"),
    ("data_id", "uuid"),
];
const REMAINDERS: &[Column] = &[("id", "uuid"), ("locked_until", "int8"), ("due", "bool")];
const PEERS: &[Column] = &[
    ("id", "uuid"),
    ("name", "text"),
    ("issuer_public_key", "text"),
    ("server_url_base", "text"),
];

/// The columns a view declares, in the schema's order. Source: idos-facts 2, 3.6 and 3.8, and the names
/// in idos-schema where those do not give them.
pub(super) const fn columns(query: &Query) -> &'static [Column] {
    match query {
        Query::GetUser { .. } => USER,
        Query::GetUserAsInserter { .. } => USER_AS_INSERTER,
        Query::GetWallets { .. } => WALLETS,
        Query::GetCredentials { .. } | Query::GetCredentialsSharedByUser { .. } => CREDENTIALS,
        Query::GetCredentialOwned { .. } | Query::GetCredentialShared { .. } => CREDENTIAL,
        Query::GetSiblingCredentialId { .. } => &[("id", "uuid")],
        Query::CredentialExistAsInserter { .. } => &[("credential_exist", "bool")],
        Query::GetAccessGrantsOwned { .. }
        | Query::GetAccessGrantsGranted { .. }
        | Query::GetAccessGrantsForCredential { .. } => GRANTS,
        Query::GetAccessGrantsGrantedCount { .. } => &[("count", "int8")],
        Query::HasLockedAccessGrants { .. } => &[("has", "bool")],
        Query::GetAttributes { .. } => ATTRIBUTES,
        Query::GetPassportingPeers { .. } => PEERS,
        Query::GetGovernanceLog { .. } => &[
            ("id", "int8"),
            ("height", "int8"),
            ("change", "text"),
            ("subject", "text"),
        ],
        Query::DagMessage { .. } | Query::DwgMessage { .. } => &[("message", "text")],
        Query::GetAccessRequestsReceived { .. } | Query::GetAccessRequestsMade { .. } => REQUESTS,
        Query::GetAccessGrantTerms { .. } => GRANT_TERMS,
        Query::GetAuditRecords { .. } => AUDIT_RECORDS,
        Query::GetLockedRemainders { .. } => REMAINDERS,
        Query::HasProfile { .. } => &[("has_profile", "bool")],
        Query::CheckBalance { .. } | Query::Balance { .. } => &[("balance", "numeric")],
        Query::GetWalletWithBalance { .. } => &[("wallet", "text")],
        Query::GetAllowance { .. } => &[("gas_allowance", "numeric")],
        Query::GetIssuerFee { .. } => &[("issuer_fee", "numeric")],
        Query::Info { .. } => INFO,
        Query::ListEpochs { .. } => EPOCHS,
        Query::GetEpochRewards { .. } => &[("recipient", "text"), ("amount", "text")],
        Query::ListWalletRewards { .. } => CLAIMS,
    }
}

/// How long an epoch collects, as Go writes durations.
const PERIOD: &str = "10m0s";
/// The other chain's number. Source: Arbitrum One.
const CHAIN_ID: &str = "42161";

fn bytea(hash: &Hash) -> Json {
    json!(BASE64.encode(hash.0))
}

// What the ledger does not know is what every synced instance of the bridge says, or null.
fn info(row: &BridgeInfo) -> Vec<Json> {
    vec![
        json!(CHAIN),
        json!(row.escrow),
        json!(PERIOD),
        Json::Null,
        int8(row.decimals.into()),
        json!(row.balance),
        json!(true),
        Json::Null,
        json!(true),
    ]
}

fn epoch(row: &EpochRow) -> Vec<Json> {
    vec![
        json!(row.id),
        height(row.start_height),
        int8(row.start_time),
        height(row.end_height),
        bytea(&row.root),
        json!(row.total),
        bytea(&row.block),
        json!(row.confirmed),
        Json::Null,
        Json::Null,
        Json::Null,
    ]
}

fn claim(row: &ClaimRow) -> Vec<Json> {
    vec![
        json!(CHAIN),
        json!(CHAIN_ID),
        json!(row.escrow),
        height(row.created_at),
        json!(row.recipient),
        json!(row.amount),
        bytea(&row.block),
        bytea(&row.root),
        row.proof.iter().map(bytea).collect(),
    ]
}

fn height(height: Height) -> Json {
    json!(height.0.to_string())
}

/// An int8 of any column: JavaScript has no room for 64 bits.
fn int8(number: i64) -> Json {
    Json::from(number.to_string())
}

fn user(row: &UserRow, for_inserter: bool) -> Vec<Json> {
    let mut values = vec![
        json!(row.id),
        json!(row.recipient_encryption_public_key),
        json!(row.encryption_password_store),
    ];
    if for_inserter {
        values.push(json!(row.inserter));
    }
    values
}

fn wallet(row: &WalletRow) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.user_id),
        json!(row.address),
        json!(row.public_key),
        json!(row.wallet_type.name()),
        json!(row.message),
        json!(row.signature),
        json!(row.inserter),
    ]
}

fn change(row: &ChangeRow) -> Vec<Json> {
    vec![
        int8(row.number),
        int8(row.height),
        json!(row.what),
        json!(row.subject),
    ]
}

fn attribute(row: &AttributeRow) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.user_id),
        json!(row.attribute_key),
        json!(row.value),
        json!(row.original_id),
    ]
}

fn summary(row: &CredentialSummary) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.user_id),
        json!(row.public_notes),
        json!(row.issuer_auth_public_key),
        json!(row.inserter),
        json!(row.original_id),
    ]
}

fn detail(row: &CredentialDetail) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.user_id),
        json!(row.public_notes),
        json!(row.content.text()),
        json!(row.encryptor_public_key),
        json!(row.issuer_auth_public_key),
        json!(row.inserter),
    ]
}

// The model does not tell a grantee who inserted a copy; copies that users make have no inserter.
fn shared(row: &SharedCredential) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.user_id),
        json!(row.public_notes),
        json!(row.content.text()),
        json!(row.encryptor_public_key),
        json!(row.issuer_auth_public_key),
        Json::Null,
    ]
}

fn grant(row: &GrantRow) -> Vec<Json> {
    let inserter_type = match row.inserter_type {
        GrantInserter::User => "user",
        GrantInserter::DagMessage => "dag_message",
        GrantInserter::DelegatedWriteGrant => "delegated_write_grant",
    };
    vec![
        json!(row.id),
        json!(row.owner),
        json!(row.grantee),
        json!(row.data),
        int8(row.locked_until),
        json!(row.content_hash),
        json!(inserter_type),
        json!(row.inserter_id),
    ]
}

fn request(row: &AccessRequestRow) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.consumer),
        json!(row.owner),
        json!(row.credential),
        json!(row.kind),
        json!(row.fields),
        json!(row.purpose),
        int8(row.locked_until),
        int8(row.stands_until),
        json!(row.expires_at.map(int8)),
        json!(row.uses.map(int8)),
        json!(row.state.name()),
        json!(row.copy),
    ]
}

fn terms(row: &GrantTermsRow) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.request),
        json!(row.expires_at.map(int8)),
        json!(row.uses_left.map(int8)),
        json!(row.open_until.map(int8)),
        json!(row.fields),
    ]
}

fn record(row: &AuditRow) -> Vec<Json> {
    vec![
        json!(row.event.name()),
        int8(row.time),
        int8(row.height),
        json!(row.owner),
        json!(row.party),
        json!(row.request),
        json!(row.grant),
        json!(row.data),
    ]
}

fn remainder(row: &RemainderRow) -> Vec<Json> {
    vec![json!(row.id), int8(row.locked_until), json!(row.due)]
}

fn peer(row: &PeerRow) -> Vec<Json> {
    vec![
        json!(row.id),
        json!(row.name),
        json!(row.issuer_public_key),
        json!(row.server_url_base),
    ]
}

/// The rows of an answer to a query.
pub fn query_result(query: &Query, answer: &Answer) -> QueryResult {
    let for_inserter = matches!(query, Query::GetUserAsInserter { .. });
    let values: Vec<Vec<Json>> = match answer {
        Answer::User(row) => row.iter().map(|row| user(row, for_inserter)).collect(),
        Answer::Wallets(rows) => rows.iter().map(wallet).collect(),
        Answer::Credentials(rows) => rows.iter().map(summary).collect(),
        Answer::Owned(row) => row.iter().map(detail).collect(),
        Answer::Shared(row) => vec![shared(row)],
        Answer::CredentialId(id) => id.iter().map(|id| vec![json!(id)]).collect(),
        Answer::Grants(rows) => rows.iter().map(grant).collect(),
        Answer::Attributes(rows) => rows.iter().map(attribute).collect(),
        Answer::Requests(rows) => rows.iter().map(request).collect(),
        Answer::Terms(row) => vec![terms(row)],
        Answer::Records(rows) => rows.iter().map(record).collect(),
        Answer::Remainders(rows) => rows.iter().map(remainder).collect(),
        Answer::Peers(rows) => rows.iter().map(peer).collect(),
        Answer::Changes(rows) => rows.iter().map(change).collect(),
        Answer::Count(count) => vec![vec![int8(*count)]],
        Answer::Truth(truth) => vec![vec![json!(truth)]],
        Answer::Text(text) => vec![vec![json!(text)]],
        Answer::Amount(amount) => vec![vec![json!(amount)]],
        Answer::Allowance(amount) => amount.iter().map(|amount| vec![json!(amount)]).collect(),
        Answer::Address(address) => vec![vec![json!(address)]],
        Answer::Info(row) => vec![info(row)],
        Answer::Epochs(rows) => rows.iter().map(epoch).collect(),
        Answer::Rewards(rows) => rows
            .iter()
            .map(|row| vec![json!(row.recipient), json!(row.amount)])
            .collect(),
        Answer::Claims(rows) => rows.iter().map(claim).collect(),
    };
    if values.is_empty() {
        return QueryResult::default();
    }
    let columns = columns(query);
    let types = columns.iter().map(|(_, kind)| DataType::named(kind));
    QueryResult {
        column_names: Some(columns.iter().map(|(name, _)| *name).collect()),
        column_types: Some(types.collect()),
        values: Some(values),
    }
}

/// The result of a view. What an action says itself, and what the database's constraints say, is part of a
/// result; what the engine says is an error of the call. Source: kwil-rpc 3.
pub fn view_result(
    query: &Query,
    result: &Result<Answer, Refusal>,
) -> Result<CallResult, RpcError> {
    match result {
        Ok(answer) => Ok(CallResult {
            query_result: query_result(query, answer),
            ..CallResult::default()
        }),
        // A subquery of several rows is SQLSTATE 21000, which is not among the classes that are caught.
        Err(Refusal::Engine(
            engine @ (Engine::SeveralProfiles | Engine::OwnerOnly(_) | Engine::UnknownAction(_)),
        )) => Err(RpcError::new(-300, engine.to_string())),
        Err(refusal) => Ok(CallResult {
            error: Some(refusal.to_string()),
            ..CallResult::default()
        }),
    }
}

/// A claim the node does not accept. Source: kwil-rpc 3.
pub fn claim_refused(problem: ClaimProblem) -> RpcError {
    match problem {
        ClaimProblem::Unsigned => {
            RpcError::new(-1_001, "signed call message with challenge required")
        }
        ClaimProblem::UnknownChallenge => RpcError::new(-1_001, "incorrect challenge"),
        ClaimProblem::ExpiredChallenge => RpcError::new(-1_003, "challenge expired"),
        ClaimProblem::WrongSignature => RpcError::new(-1_004, "invalid signature on call message"),
    }
}

/// The data of a -201.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BroadcastRefusal {
    /// Transaction code.
    pub code: u32,
    /// Of the transaction, 64 hex digits.
    #[serde(serialize_with = "display")]
    pub hash: TxId,
    /// For people.
    pub message: String,
}

/// A transaction that was not taken, for a reason of its own.
pub fn broadcast_error(hash: TxId, code: u32, message: impl Into<String>) -> RpcError {
    let refusal = BroadcastRefusal {
        code,
        hash,
        message: message.into(),
    };
    RpcError {
        data: Some(json!(refusal)),
        ..RpcError::new(-201, "broadcast error")
    }
}

/// A transaction that the mempool did not take. Source: kwil-rpc 3.
pub fn rejected(transaction: &SignedTransaction, rejected: Rejected) -> RpcError {
    let (code, message) = match rejected {
        Rejected::Invalid(Invalid::BadSignature) => (
            65_535,
            "failed to verify the transaction: invalid signature".to_owned(),
        ),
        Rejected::Invalid(Invalid::WrongChain) => {
            (5, format!("wrong chain ID: {}", transaction.chain_id))
        }
        // A promise that no node keeps yet has no code of its own.
        Rejected::Invalid(Invalid::ContentNotSealed) => {
            (65_535, Refusal::ContentNotSealed.to_string())
        }
        Rejected::Invalid(Invalid::WrongNonce { got, expected }) => {
            let sender = hex::encode(&transaction.sender);
            let told =
                format!("invalid nonce for account {sender}: got {got}, expected {expected}");
            (4, told)
        }
        Rejected::AlreadyExists => (65_535, "transaction already exists".to_owned()),
        Rejected::TooLarge => (65_535, "transaction size limit exceeded".to_owned()),
        Rejected::Full => (11, "mempool is full".to_owned()),
        Rejected::CatchingUp => (
            65_535,
            "node is catching up, cannot process transactions right now".to_owned(),
        ),
    };
    broadcast_error(transaction.id(), code, message)
}

/// A transaction that was taken and is in no block yet; it may still get into one.
pub fn timed_out(hash: TxId) -> RpcError {
    let told = "timed out waiting for tx to be included in a block";
    broadcast_error(hash, 10, told)
}

/// What a halted node says to whoever asks it. Source: kwil-rpc 3, transaction code 201.
pub const HALTED: &str = "network halted";

/// What a node says to readers that may be behind, under `fresh-answers`: the words of the mempool, about reads.
pub const BEHIND: &str = "node is catching up, cannot answer reads right now";

/// A read asked of a node that may be behind.
pub fn behind() -> RpcError {
    RpcError::new(-700, BEHIND)
}

/// A transaction sent to a halted node.
pub fn broadcast_halted(hash: TxId) -> RpcError {
    broadcast_error(hash, 201, HALTED)
}

/// Anything else sent to a halted node.
pub fn halted() -> RpcError {
    RpcError::new(-700, HALTED)
}

/// What became of a transaction in its block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxResult {
    /// 0 for success.
    pub code: u32,
    /// Always 0 where fees are disabled.
    #[serde(default)]
    pub gas: i64,
    /// `ERROR: ` and the refusal; left out when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log: String,
}

/// The log of a transaction that should not have been in its block.
pub(super) const INVALID: &str = "ERROR: invalid transaction";

impl TxResult {
    /// The ledger's own code, which is the one that enters the app hash. What is wrong with a payload that
    /// cannot be read is worked out from the transaction again.
    pub fn new(outcome: Outcome, sent: Option<&SignedTransaction>) -> TxResult {
        let log = match outcome {
            Outcome::Accepted => String::new(),
            Outcome::Refused(refusal @ Refusal::Unreadable(_)) => {
                let told = sent.and_then(|sent| transaction::payload(sent).err());
                let told = told.map_or_else(|| refusal.to_string(), |why| why.to_string());
                format!("ERROR: {told}")
            }
            Outcome::Refused(refusal) => format!("ERROR: {refusal}"),
            Outcome::Invalid => INVALID.to_owned(),
        };
        TxResult {
            code: outcome.code(),
            gas: 0,
            log,
        }
    }
}

/// The result of `user.broadcast`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broadcast {
    /// Of the transaction, 64 hex digits.
    #[serde(serialize_with = "display")]
    pub tx_hash: TxId,
    /// Only for those who wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<TxResult>,
}

/// The result of `user.tx_query`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TxQuery {
    /// Of the transaction, 64 hex digits.
    #[serde(serialize_with = "display")]
    pub tx_hash: TxId,
    /// -1 while it waits in the mempool.
    pub height: i64,
    /// The whole transaction.
    #[serde(serialize_with = "whole")]
    pub tx: Option<SignedTransaction>,
    /// Null while it waits.
    pub tx_result: Option<TxResult>,
}

fn whole<S: Serializer>(tx: &Option<SignedTransaction>, to: S) -> Result<S::Ok, S::Error> {
    tx.as_ref().map(transaction_json).serialize(to)
}

/// What a node knows of a transaction, with the transaction itself where the caller has it.
pub fn tx_status(
    tx_hash: TxId,
    status: TxStatus,
    tx: Option<SignedTransaction>,
) -> Result<TxQuery, RpcError> {
    let (height, tx_result) = match status {
        TxStatus::Included { height, outcome } => {
            (signed(height), Some(TxResult::new(outcome, tx.as_ref())))
        }
        TxStatus::Pending => (-1, None),
        TxStatus::Unknown => return Err(RpcError::new(-202, "transaction not found")),
    };
    Ok(TxQuery {
        tx_hash,
        height,
        tx,
        tx_result,
    })
}

pub(super) fn signed(height: Height) -> i64 {
    i64::try_from(height.0).unwrap_or(i64::MAX)
}

/// The result of `user.health`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Health {
    pub chain_id: String,
    pub block_height: i64,
    #[serde(with = "hash")]
    pub block_hash: [u8; 32],
    /// Always false; see [`ChainInfo`].
    pub gas: bool,
    pub healthy: bool,
    pub version: String,
    /// Milliseconds, UNIX.
    pub block_time: i64,
    /// Milliseconds.
    pub block_age: i64,
    pub syncing: bool,
    pub height: i64,
    #[serde(with = "hash")]
    pub app_hash: [u8; 32],
    pub peer_count: u32,
    /// See [`super::Mode::name`].
    pub mode: String,
    /// `hooked` where somebody outside may set the node's clock; left out by real nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
}

/// The result of `user.chain_info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ChainInfo {
    pub chain_id: String,
    pub block_height: u64,
    #[serde(with = "hash")]
    pub block_hash: [u8; 32],
    /// Whether fees are taken.
    pub gas: bool,
}

/// The result of `user.version`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Version {
    pub service: String,
    /// `0.2.0`; idOS's own build says `0.3.0`.
    pub api_ver: String,
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
    pub kwil_ver: String,
}

/// The result of `user.account`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Left out for an account that nobody has used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<AccountId>,
    /// Decimal; nobody has a balance where fees are disabled.
    pub balance: String,
    /// The last one used.
    pub nonce: u64,
}

impl Account {
    /// An account without balance.
    pub fn new(id: AccountId, nonce: u64) -> Account {
        Account {
            id: (nonce > 0).then_some(id),
            balance: "0".to_owned(),
            nonce,
        }
    }
}

/// The result of `user.estimate_price`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
    /// Decimal; `0` where fees are disabled.
    pub price: String,
}

/// The result of `user.challenge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Challenge {
    /// Good for one call.
    #[serde(with = "hash")]
    pub challenge: [u8; 32],
}

/// The result of `user.ping`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ping {
    /// `pong`, whatever was sent.
    pub message: &'static str,
}

impl Default for Ping {
    fn default() -> Ping {
        Ping { message: "pong" }
    }
}

#[cfg(test)]
mod tests {
    use assay_model::id::{CredentialId, GrantId, UserId, WalletId};
    use assay_model::ledger::{Content, WalletType};

    use super::*;

    const NIL: &str = "00000000-0000-0000-0000-000000000000";

    fn user_id() -> UserId {
        UserId(Default::default())
    }

    fn credential() -> CredentialId {
        CredentialId(Default::default())
    }

    fn check_rows(query: Query, answer: Answer, columns: &[&str], values: Json) {
        let result = query_result(&query, &answer);
        assert_eq!(result.column_names.as_deref(), Some(columns), "{query:?}");
        assert_eq!(json!(result.values), values, "{query:?}");
        let types = result.column_types.unwrap();
        for row in result.values.unwrap() {
            assert_eq!((row.len(), types.len()), (columns.len(), columns.len()));
            for (value, kind) in row.iter().zip(&types) {
                let fits = match kind.name.as_str() {
                    "bool" => value.is_boolean(),
                    "text" | "uuid" | "int8" => value.is_string() || value.is_null(),
                    other => panic!("{other}"),
                };
                assert!(fits && !kind.is_array, "{query:?}: {value} is no {kind:?}");
            }
        }
    }

    #[test]
    fn profiles_and_wallets_in_the_schemas_columns() {
        let row = |inserter: Option<&str>| UserRow {
            id: user_id(),
            recipient_encryption_public_key: "key".into(),
            encryption_password_store: "user".into(),
            inserter: inserter.map(Into::into),
        };
        let own = [
            "id",
            "recipient_encryption_public_key",
            "encryption_password_store",
        ];
        check_rows(
            Query::GetUser {},
            Answer::User(Some(row(None))),
            &own,
            json!([[NIL, "key", "user"]]),
        );
        check_rows(
            Query::GetUserAsInserter { id: user_id() },
            Answer::User(Some(row(Some("kyc-co")))),
            &[&own[..], &["inserter"]].concat(),
            json!([[NIL, "key", "user", "kyc-co"]]),
        );
        let wallet = WalletRow {
            id: WalletId(Default::default()),
            user_id: user_id(),
            address: "0xAb".into(),
            public_key: None,
            wallet_type: WalletType::EVM,
            message: Some("proof".into()),
            signature: None,
            inserter: Some("kyc-co".into()),
        };
        check_rows(
            Query::GetWallets {},
            Answer::Wallets(vec![wallet]),
            &[
                "id",
                "user_id",
                "address",
                "public_key",
                "wallet_type",
                "message",
                "signature",
                "inserter",
            ],
            json!([[NIL, NIL, "0xAb", null, "EVM", "proof", null, "kyc-co"]]),
        );
    }

    #[test]
    fn credentials_in_the_schemas_columns() {
        let summary = CredentialSummary {
            id: credential(),
            user_id: user_id(),
            public_notes: "notes".into(),
            issuer_auth_public_key: "issuer".into(),
            inserter: None,
            original_id: Some(credential()),
        };
        let columns = [
            "id",
            "user_id",
            "public_notes",
            "issuer_auth_public_key",
            "inserter",
            "original_id",
        ];
        let values = json!([[NIL, NIL, "notes", "issuer", null, NIL]]);
        let answer = Answer::Credentials(vec![summary]);
        check_rows(
            Query::GetCredentials {},
            answer.clone(),
            &columns,
            values.clone(),
        );
        let by_user = Query::GetCredentialsSharedByUser {
            user_id: user_id(),
            original_issuer_auth_public_key: None,
        };
        check_rows(by_user, answer, &columns, values);

        let columns = [
            "id",
            "user_id",
            "public_notes",
            "content",
            "encryptor_public_key",
            "issuer_auth_public_key",
            "inserter",
        ];
        let owned = CredentialDetail {
            id: credential(),
            user_id: user_id(),
            public_notes: "notes".into(),
            content: Content::new("sealed"),
            encryptor_public_key: "key".into(),
            issuer_auth_public_key: "issuer".into(),
            inserter: Some("kyc-co".into()),
        };
        check_rows(
            Query::GetCredentialOwned { id: credential() },
            Answer::Owned(Some(owned)),
            &columns,
            json!([[NIL, NIL, "notes", "sealed", "key", "issuer", "kyc-co"]]),
        );
        let shared = SharedCredential {
            id: credential(),
            user_id: user_id(),
            public_notes: None,
            content: Content::new("sealed"),
            encryptor_public_key: "key".into(),
            issuer_auth_public_key: "issuer".into(),
        };
        check_rows(
            Query::GetCredentialShared { id: credential() },
            Answer::Shared(shared),
            &columns,
            json!([[NIL, NIL, null, "sealed", "key", "issuer", null]]),
        );
    }

    #[test]
    fn grants_in_the_schemas_columns() {
        let row = |inserter_type| GrantRow {
            id: GrantId(Default::default()),
            owner: user_id(),
            grantee: "0xAb".into(),
            data: credential(),
            locked_until: i64::MAX,
            content_hash: None,
            inserter_type,
            inserter_id: "caller".into(),
        };
        let rows = vec![row(GrantInserter::User), row(GrantInserter::DagMessage)];
        // Beyond what a JavaScript number holds, so it has to be text.
        let lock = "9223372036854775807";
        let values = json!([
            [NIL, NIL, "0xAb", NIL, lock, null, "user", "caller"],
            [NIL, NIL, "0xAb", NIL, lock, null, "dag_message", "caller"],
        ]);
        let columns = [
            "id",
            "ag_owner_user_id",
            "ag_grantee_wallet_identifier",
            "data_id",
            "locked_until",
            "content_hash",
            "inserter_type",
            "inserter_id",
        ];
        let queries = [
            Query::GetAccessGrantsOwned {},
            Query::GetAccessGrantsGranted {
                user_id: None,
                page: None,
                size: None,
            },
            Query::GetAccessGrantsForCredential {
                credential_id: credential(),
            },
        ];
        for query in queries {
            check_rows(
                query,
                Answer::Grants(rows.clone()),
                &columns,
                values.clone(),
            );
        }
    }

    #[test]
    fn single_values_have_a_row_and_nothing_found_has_no_columns() {
        let count = Query::GetAccessGrantsGrantedCount { user_id: None };
        check_rows(count, Answer::Count(-3), &["count"], json!([["-3"]]));
        let address = "0xAb".into();
        let profile = Query::HasProfile { address };
        check_rows(
            profile,
            Answer::Truth(false),
            &["has_profile"],
            json!([[false]]),
        );
        let locked = Query::HasLockedAccessGrants { id: credential() };
        check_rows(locked, Answer::Truth(true), &["has"], json!([[true]]));
        let exists = Query::CredentialExistAsInserter { id: credential() };
        check_rows(
            exists,
            Answer::Truth(true),
            &["credential_exist"],
            json!([[true]]),
        );
        let content_hash = "h".into();
        let sibling = Query::GetSiblingCredentialId { content_hash };
        let found = Answer::CredentialId(Some(credential()));
        check_rows(sibling.clone(), found, &["id"], json!([[NIL]]));

        let nothing = r#"{"column_names":null,"column_types":null,"values":null}"#;
        let empty = [
            (Query::GetUser {}, Answer::User(None)),
            (Query::GetWallets {}, Answer::Wallets(Vec::new())),
            (Query::GetCredentials {}, Answer::Credentials(Vec::new())),
            (Query::GetAccessGrantsOwned {}, Answer::Grants(Vec::new())),
            (sibling, Answer::CredentialId(None)),
        ];
        for (query, answer) in empty {
            let result = query_result(&query, &answer);
            assert_eq!(
                serde_json::to_string(&result).unwrap(),
                nothing,
                "{query:?}"
            );
        }
    }

    #[test]
    fn refusals_are_results_and_engine_errors_are_not() {
        let told = |refusal| {
            let result = view_result(&Query::GetUser {}, &Err(refusal));
            result.map(|result| result.error.unwrap())
        };
        let table = [
            (
                Refusal::NotShared,
                "the credential is not shared with the caller",
            ),
            (Refusal::GrantLocked { until: 7 }, "the grant is locked"),
            (
                Refusal::Engine(Engine::NotNull("user_id")),
                "null value in column \"user_id\" violates not-null constraint",
            ),
        ];
        for (refusal, text) in table {
            assert_eq!(told(refusal), Ok(text.to_owned()));
        }
        let engine = [
            Engine::SeveralProfiles,
            Engine::OwnerOnly("a"),
            Engine::UnknownAction("a"),
        ];
        for engine in engine {
            let error = told(engine.into()).unwrap_err();
            assert_eq!((error.code, error.message), (-300, engine.to_string()));
        }
    }

    fn transaction() -> SignedTransaction {
        SignedTransaction {
            description: String::new(),
            payload: Vec::new(),
            payload_type: "execute".to_owned(),
            fee: Some("0".to_owned()),
            nonce: 5,
            chain_id: "other".to_owned(),
            serialization: "concat".to_owned(),
            sender: vec![0x19; 20],
            signature: Vec::new(),
            signature_type: "secp256k1_ep".to_owned(),
        }
    }

    #[test]
    fn transactions_that_are_not_taken_say_why() {
        let nonce = format!(
            "invalid nonce for account {}: got 5, expected 1",
            "19".repeat(20)
        );
        let wrong_nonce = Invalid::WrongNonce {
            got: 5,
            expected: 1,
        };
        let table = [
            (Rejected::Invalid(wrong_nonce), 4, nonce.as_str()),
            (
                Rejected::Invalid(Invalid::WrongChain),
                5,
                "wrong chain ID: other",
            ),
            (
                Rejected::Invalid(Invalid::BadSignature),
                65_535,
                "failed to verify the transaction: invalid signature",
            ),
            (
                Rejected::Invalid(Invalid::ContentNotSealed),
                65_535,
                "the content is not a sealed box",
            ),
            (
                Rejected::AlreadyExists,
                65_535,
                "transaction already exists",
            ),
            (
                Rejected::TooLarge,
                65_535,
                "transaction size limit exceeded",
            ),
            (Rejected::Full, 11, "mempool is full"),
            (
                Rejected::CatchingUp,
                65_535,
                "node is catching up, cannot process transactions right now",
            ),
        ];
        let hash = transaction().id().to_string();
        for (why, code, message) in table {
            let error = rejected(&transaction(), why);
            assert_eq!(
                (error.code, error.message.as_str()),
                (-201, "broadcast error")
            );
            let data = json!({ "code": code, "hash": hash, "message": message });
            assert_eq!(error.data, Some(data));
        }
        let late = timed_out(transaction().id()).data.unwrap();
        assert_eq!(late["code"], 10);
    }

    #[test]
    fn what_became_of_a_transaction() {
        let id = transaction().id();
        let written = |outcome| {
            let broadcast = Broadcast {
                tx_hash: TxId([1; 32]),
                result: Some(TxResult::new(outcome, None)),
            };
            serde_json::to_string(&broadcast).unwrap()
        };
        let hash = "01".repeat(32);
        assert_eq!(
            written(Outcome::Accepted),
            format!(r#"{{"tx_hash":"{hash}","result":{{"code":0,"gas":0}}}}"#)
        );
        assert_eq!(
            written(Outcome::Refused(Refusal::UnauthorizedInserter)),
            format!(
                r#"{{"tx_hash":"{hash}","result":{{"code":65535,"gas":0,"log":"ERROR: Unauthorized inserter"}}}}"#
            )
        );
        let included = TxStatus::Included {
            height: Height(9),
            outcome: Outcome::Accepted,
        };
        let found = tx_status(id, included, Some(transaction())).unwrap();
        assert_eq!(
            (found.height, found.tx_result),
            (9, Some(TxResult::default()))
        );
        let waiting = tx_status(id, TxStatus::Pending, None).unwrap();
        assert_eq!((waiting.height, waiting.tx_result), (-1, None));
        let unknown = tx_status(id, TxStatus::Unknown, None).unwrap_err();
        assert_eq!(unknown.code, -202);
    }

    #[test]
    fn an_account_nobody_has_used_has_no_id() {
        let account = |nonce| serde_json::to_string(&Account::new(AccountId::default(), nonce));
        assert_eq!(account(0).unwrap(), r#"{"balance":"0","nonce":0}"#);
        assert_eq!(
            account(3).unwrap(),
            r#"{"id":{"identifier":"","key_type":""},"balance":"0","nonce":3}"#
        );
    }
}

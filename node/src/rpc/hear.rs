//! The client's side: what an outsider asks of a node, and what it makes of the answer.
//!
//! [`ask`] writes a body, [`hear`] reads what came back. Whatever a node sends is either understood or
//! [`Heard::Malformed`], with a sentence that says where. Source: kwil-rpc 1 to 6.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use assay_model::bridge::{Address, Amount, Hash};
use assay_model::id::{AppHash, BlockId, Height, NodeId, Text};
use assay_model::ledger::{
    AccessRequestRow, Answer, AttributeRow, AuditEvent, AuditRow, BridgeInfo, ChangeRow, ClaimRow,
    Content, CredentialDetail, CredentialSummary, EpochRow, GrantInserter, GrantRow, GrantTermsRow,
    Invalid, Outcome, PeerRow, Query, Refusal, RemainderRow, RequestState, RewardRow,
    SharedCredential, Transaction, Unreadable, UserRow, WalletRow, WalletType,
};
use assay_model::node::{
    Ballot, Block, Claim, ClaimProblem, Committed, Rejected, Request as Ask, Vote,
};
use assay_model::time::{BlockTime, WallMillis};
use assay_model::wire::SignedTransaction;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::call::{CallMessage, Mode};
use super::chain::{BlockResult, ChainBlock, Unconfirmed, Validators};
use super::encoding::{DataType, decode_hash, nullable};
use super::method::AccountId;
use super::result::{BEHIND, ChainInfo, Column, HALTED, Health, INVALID, TxResult, columns};
use super::transaction::{from_block, identity, parse_transaction, transaction_json};

fn body(method: &str, params: Json, id: u64) -> Vec<u8> {
    let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    request.to_string().into_bytes()
}

/// The body of a client's request. In open mode nobody looks at signatures under views, and none is
/// sent; the id must not be 0.
pub fn ask(request: &Ask, mode: Mode, id: u64) -> Vec<u8> {
    match request {
        Ask::Health => ask_health(id),
        Ask::Account(identity) => {
            let params = json!({ "id": AccountId::new(identity), "status": 0 });
            body("user.account", params, id)
        }
        Ask::Broadcast(transaction) => {
            let params = json!({ "tx": transaction_json(transaction.sent()), "sync": 1 });
            body("user.broadcast", params, id)
        }
        Ask::Submit(transaction) => {
            let params = json!({ "tx": transaction_json(transaction.sent()) });
            body("user.broadcast", params, id)
        }
        Ask::TxStatus(hash) => {
            let params = json!({ "tx_hash": hash.to_string() });
            body("user.tx_query", params, id)
        }
        Ask::Challenge => body("user.challenge", json!({}), id),
        Ask::View { claim, query } => {
            let stated = match (mode, claim) {
                (Mode::Open, Claim::Signed { identity, .. }) => Claim::Stated(*identity),
                _ => claim.clone(),
            };
            let params = CallMessage::new(&stated, query).to_json();
            body("user.call", params, id)
        }
    }
}

/// Asks for `user.health`.
pub fn ask_health(id: u64) -> Vec<u8> {
    body("user.health", json!({}), id)
}

/// Asks for `user.chain_info`.
pub fn ask_chain_info(id: u64) -> Vec<u8> {
    body("user.chain_info", json!({}), id)
}

/// Asks for the block of a height, which is not 0: that stands for the last one.
pub fn ask_block(height: Height, id: u64) -> Vec<u8> {
    body("chain.block", json!({ "height": height }), id)
}

/// Asks what became of the transactions of a block.
pub fn ask_results(height: Height, id: u64) -> Vec<u8> {
    body("chain.block_result", json!({ "height": height }), id)
}

/// Asks for what waits for a block, the first `limit` of it.
pub fn ask_unconfirmed(limit: usize, id: u64) -> Vec<u8> {
    body("chain.unconfirmed_txs", json!({ "limit": limit }), id)
}

/// The body of `chain.validators`.
pub fn ask_validators(id: u64) -> Vec<u8> {
    body("chain.validators", json!({}), id)
}

/// What a node's answer says, as far as an outsider can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// To a question about the node's health.
    Health {
        /// Last committed height.
        height: Height,
        /// Chain time of that block, −1 while the node catches up.
        time: BlockTime,
        /// Whether the node knows itself behind.
        syncing: bool,
    },
    /// The last committed nonce.
    Account {
        /// 0 for an account nobody has used.
        nonce: u64,
    },
    /// The transaction waits for a block.
    Submitted,
    /// The transaction is in a block; see [`outcome`].
    Included {
        /// Transaction code.
        code: u32,
        /// As the node tells it.
        log: String,
    },
    /// The transaction was not taken.
    Rejected(Rejected),
    /// Not in a block yet; it still may get into one.
    TimedOut,
    /// What became of a transaction.
    TxStatus(Standing),
    /// Good for one call.
    Challenge([u8; 32]),
    /// What a view returned, or the text it was refused with; see [`Refusal::parse`].
    View(Result<Answer, String>),
    /// The reader was not believed, and nothing was read.
    ClaimRefused(ClaimProblem),
    /// The node may be behind, and has read nothing.
    Behind,
    /// The node has halted.
    Halted,
    /// The node did not come to it: too many requests, too slow, or about to end.
    Busy(String),
    /// An answer that makes no sense, and where.
    Malformed(String),
}

/// What a node knows of a transaction, as an outsider hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In a block.
    Included {
        /// Of the block.
        height: Height,
        /// Transaction code.
        code: u32,
        /// As the node tells it.
        log: String,
    },
    /// In the mempool.
    Pending,
    /// Never heard of.
    Unknown,
}

/// The error member of an answer.
#[derive(Clone, Debug, Deserialize)]
struct ErrorJson {
    code: i64,
    #[serde(default, deserialize_with = "nullable")]
    message: String,
    #[serde(default)]
    data: Json,
}

#[derive(Deserialize)]
struct EnvelopeJson {
    jsonrpc: String,
    #[serde(default)]
    result: Option<Json>,
    #[serde(default)]
    error: Option<ErrorJson>,
}

impl fmt::Display for ErrorJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}: {}", self.code, self.message)
    }
}

/// Takes the envelope off.
fn open(bytes: &[u8]) -> Result<Result<Json, ErrorJson>, String> {
    let envelope: EnvelopeJson = serde_json::from_slice(bytes)
        .map_err(|error| format!("the body is no JSON-RPC answer: {error}"))?;
    if envelope.jsonrpc != "2.0" {
        let version = envelope.jsonrpc;
        return Err(format!(
            "the answer is of JSON-RPC version {version:?}, expected \"2.0\""
        ));
    }
    match (envelope.result, envelope.error) {
        (Some(result), None) => Ok(Ok(result)),
        (None, Some(error)) => Ok(Err(error)),
        (Some(_), Some(_)) => Err("the answer has both a result and an error".to_owned()),
        (None, None) => Err("the answer has neither result nor error".to_owned()),
    }
}

/// Reads a result's members.
fn member<T: DeserializeOwned>(what: &str, result: Json) -> Result<T, String> {
    if !result.is_object() {
        return Err(format!("{what} is no object"));
    }
    serde_json::from_value(result).map_err(|error| format!("{what}: {error}"))
}

/// Reads what a node answered to a request. Never panics, whatever the bytes.
pub fn hear(request: &Ask, status: u16, body: &[u8]) -> Heard {
    if status == 503 {
        return Heard::Busy("HTTP 503".to_owned());
    }
    let heard = open(body).and_then(|answer| match answer {
        Ok(result) if status == 200 => hear_result(request, result),
        Ok(_) => Err(format!("a result under HTTP {status}, expected 200")),
        Err(error) => hear_error(request, &error),
    });
    heard.unwrap_or_else(Heard::Malformed)
}

/// The height a node says the result of a view is from, if it says one. Never panics, whatever the bytes.
pub fn height_told(body: &[u8]) -> Option<Height> {
    let result = open(body).ok()?.ok()?;
    result.get("height")?.as_u64().map(Height)
}

/// What of a node's health cannot be missing.
#[derive(Deserialize)]
struct HealthJson {
    block_height: i64,
    block_time: i64,
    syncing: bool,
}

#[derive(Deserialize)]
struct AccountJson {
    nonce: u64,
}

#[derive(Deserialize)]
struct BroadcastJson {
    tx_hash: String,
    #[serde(default)]
    result: Option<TxResult>,
}

#[derive(Deserialize)]
struct TxQueryJson {
    height: i64,
    #[serde(default)]
    tx_result: Option<TxResult>,
}

#[derive(Deserialize)]
struct ChallengeJson {
    challenge: String,
}

fn hear_result(request: &Ask, result: Json) -> Result<Heard, String> {
    Ok(match request {
        Ask::Health => {
            let health: HealthJson = member("health", result)?;
            let height = u64::try_from(health.block_height);
            let seconds = health.block_time.div_euclid(1_000);
            Heard::Health {
                height: Height(height.map_err(|_| "health: block_height is negative")?),
                time: BlockTime(if health.syncing { -1 } else { seconds }),
                syncing: health.syncing,
            }
        }
        Ask::Account(_) => {
            let AccountJson { nonce } = member("account", result)?;
            Heard::Account { nonce }
        }
        Ask::Broadcast(transaction) => {
            let answer: BroadcastJson = member("broadcast", result)?;
            check_hash(transaction, &answer.tx_hash)?;
            let result = answer.result;
            let TxResult { code, log, .. } =
                result.ok_or("broadcast: no result, though it was to be waited for")?;
            Heard::Included { code, log }
        }
        Ask::Submit(transaction) => {
            let answer: BroadcastJson = member("broadcast", result)?;
            check_hash(transaction, &answer.tx_hash)?;
            Heard::Submitted
        }
        Ask::TxStatus(_) => {
            let TxQueryJson { height, tx_result } = member("tx_query", result)?;
            Heard::TxStatus(standing(height, tx_result)?)
        }
        Ask::Challenge => {
            let ChallengeJson { challenge } = member("challenge", result)?;
            let bytes = decode_hash(&challenge).map_err(|why| format!("challenge: {why}"))?;
            Heard::Challenge(bytes)
        }
        Ask::View { query, .. } => Heard::View(hear_view(query, result)?),
    })
}

fn check_hash(transaction: &Transaction, told: &str) -> Result<(), String> {
    let id = transaction.id.to_string();
    if told == id {
        Ok(())
    } else {
        Err(format!("broadcast: tx_hash is {told}, expected {id}"))
    }
}

fn standing(height: i64, result: Option<TxResult>) -> Result<Standing, String> {
    match (u64::try_from(height), result) {
        (Err(_), None) => Ok(Standing::Pending),
        (Ok(height), Some(TxResult { code, log, .. })) => Ok(Standing::Included {
            height: Height(height),
            code,
            log,
        }),
        (Err(_), Some(_)) => Err(format!("tx_query: a result at height {height}")),
        (Ok(_), None) => Err(format!("tx_query: no result at height {height}")),
    }
}

#[derive(Deserialize)]
struct RefusedJson {
    code: u32,
    #[serde(default, deserialize_with = "nullable")]
    message: String,
}

fn hear_error(request: &Ask, error: &ErrorJson) -> Result<Heard, String> {
    match (error.code, request) {
        (-32_001 | -32_603 | -1_006, _) => Ok(Heard::Busy(error.to_string())),
        (-700, _) if error.message == HALTED => Ok(Heard::Halted),
        (-700, Ask::View { .. }) if error.message == BEHIND => Ok(Heard::Behind),
        (-201, Ask::Broadcast(_) | Ask::Submit(_)) => {
            let RefusedJson { code, message } = member("broadcast error data", error.data.clone())?;
            hear_refused(code, &message).ok_or_else(|| format!("{error}: code {code}, {message}"))
        }
        (-202, Ask::TxStatus(_)) => Ok(Heard::TxStatus(Standing::Unknown)),
        (-300, Ask::View { .. }) => Ok(Heard::View(Err(error.message.clone()))),
        (code, Ask::View { claim, .. }) => {
            let problem = claim_problem(code, &error.message, claim);
            problem.map(Heard::ClaimRefused).ok_or(error.to_string())
        }
        _ => Err(error.to_string()),
    }
}

/// What a transaction code at the broadcast stands for. Source: kwil-rpc 3.
fn hear_refused(code: u32, message: &str) -> Option<Heard> {
    let rejected = match code {
        3 => Rejected::Invalid(Invalid::BadSignature),
        4 => wrong_nonce(message).map(Rejected::Invalid)?,
        5 => Rejected::Invalid(Invalid::WrongChain),
        10 => return Some(Heard::TimedOut),
        11 => Rejected::Full,
        201 => return Some(Heard::Halted),
        65_535 if message.starts_with("failed to verify the transaction") => {
            Rejected::Invalid(Invalid::BadSignature)
        }
        65_535 if message == "transaction already exists" => Rejected::AlreadyExists,
        65_535 if message.starts_with("transaction size limit exceeded") => Rejected::TooLarge,
        65_535 if message.starts_with("node is catching up") => Rejected::CatchingUp,
        65_535 if message == Refusal::ContentNotSealed.to_string() => {
            Rejected::Invalid(Invalid::ContentNotSealed)
        }
        _ => return None,
    };
    Some(Heard::Rejected(rejected))
}

/// `... got N, expected M`.
fn wrong_nonce(message: &str) -> Option<Invalid> {
    let (_, numbers) = message.rsplit_once(": got ")?;
    let (got, expected) = numbers.split_once(", expected ")?;
    Some(Invalid::WrongNonce {
        got: got.parse().ok()?,
        expected: expected.parse().ok()?,
    })
}

/// One code stands for a missing signature and for an unknown challenge; the text tells them apart, and
/// where it does not, whether there was a signature. Source: kwil-rpc 3.
fn claim_problem(code: i64, message: &str, claim: &Claim) -> Option<ClaimProblem> {
    let signed = matches!(claim, Claim::Signed { .. });
    match code {
        -1_001 if message == "incorrect challenge" || signed => {
            Some(ClaimProblem::UnknownChallenge)
        }
        -1_001 => Some(ClaimProblem::Unsigned),
        -1_002 => Some(ClaimProblem::UnknownChallenge),
        -1_003 => Some(ClaimProblem::ExpiredChallenge),
        -1_004 => Some(ClaimProblem::WrongSignature),
        _ => None,
    }
}

/// What became of a transaction, from code and log: the inverse of [`TxResult::new`]. The log does not
/// say when a lock ends, so `until` is 0 in a refusal for it; see [`Refusal::parse`].
pub fn outcome(code: u32, log: &str) -> Result<Outcome, String> {
    let refusal = || log.strip_prefix("ERROR: ").and_then(Refusal::parse);
    match code {
        0 => Ok(Outcome::Accepted),
        1 => Ok(Outcome::Refused(Refusal::Unreadable(Unreadable::Payload))),
        65_535 if log == INVALID => Ok(Outcome::Invalid),
        code => match refusal() {
            Some(refusal) if refusal.result_code() == code => Ok(Outcome::Refused(refusal)),
            Some(_) => Err(format!("{log:?} does not go with code {code}")),
            None => Err(format!("no refusal of the ledger says {log:?}")),
        },
    }
}

#[derive(Deserialize)]
struct CallJson {
    query_result: Option<RowsJson>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Default, Deserialize)]
struct RowsJson {
    #[serde(default)]
    column_names: Option<Vec<String>>,
    #[serde(default)]
    column_types: Option<Vec<DataType>>,
    #[serde(default)]
    values: Option<Vec<Vec<Json>>>,
}

fn hear_view(query: &Query, result: Json) -> Result<Result<Answer, String>, String> {
    let CallJson {
        query_result,
        error,
    } = member("call", result)?;
    if let Some(text) = error {
        return Ok(Err(text));
    }
    let rows = query_result.ok_or("call: neither query_result nor error")?;
    answer(query, rows).map(Ok)
}

/// The rows of an answer, once the columns are the view's own.
fn rows(query: &Query, heard: RowsJson) -> Result<Vec<Row>, String> {
    let (view, expected) = (query.name(), columns(query));
    let values = heard.values.unwrap_or_default();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let names = heard.column_names.unwrap_or_default();
    if !names.iter().eq(expected.iter().map(|(name, _)| name)) {
        let expected: Vec<_> = expected.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "{view}: columns are {names:?}, expected {expected:?}"
        ));
    }
    let types = heard.column_types.unwrap_or_default();
    let typed = |(kind, (_, declared)): (&DataType, &Column)| {
        let declared = DataType::named(declared);
        (&kind.name, kind.is_array) == (&declared.name, declared.is_array)
    };
    if types.len() != expected.len() || !types.iter().zip(expected).all(typed) {
        let types: Vec<_> = types.iter().map(|kind| kind.name.as_str()).collect();
        let expected: Vec<_> = expected.iter().map(|(_, kind)| *kind).collect();
        return Err(format!(
            "{view}: column types are {types:?}, expected {expected:?}"
        ));
    }
    let row = |(at, cells): (usize, Vec<Json>)| {
        if cells.len() != expected.len() {
            let (got, expected) = (cells.len(), expected.len());
            return Err(format!(
                "{view}, row {at}: {got} values, expected {expected}"
            ));
        }
        Ok(Row {
            view,
            at,
            columns: expected.iter(),
            cells: cells.into_iter(),
        })
    };
    values.into_iter().enumerate().map(row).collect()
}

/// A row whose values are taken one after the other.
struct Row {
    view: &'static str,
    at: usize,
    columns: std::slice::Iter<'static, Column>,
    cells: std::vec::IntoIter<Json>,
}

impl Row {
    fn next<T>(
        &mut self,
        expected: &str,
        take: impl FnOnce(Json) -> Option<T>,
    ) -> Result<T, String> {
        let (column, _) = self.columns.next().copied().unwrap_or_default();
        let cell = self.cells.next().unwrap_or_default();
        let told = shortened(&cell);
        let Row { view, at, .. } = self;
        take(cell).ok_or_else(|| format!("{view}, row {at}, {column}: {told}, expected {expected}"))
    }

    fn text(&mut self) -> Result<Text, String> {
        self.next("a text", text)
    }

    fn maybe_text(&mut self) -> Result<Option<Text>, String> {
        self.next("a text or null", maybe(text))
    }

    fn id<T: FromStr + fmt::Display>(&mut self) -> Result<T, String> {
        self.next("a uuid", uuid)
    }

    fn maybe_id<T: FromStr + fmt::Display>(&mut self) -> Result<Option<T>, String> {
        self.next("a uuid or null", maybe(uuid))
    }

    fn int8(&mut self) -> Result<i64, String> {
        self.next("a decimal number as text", int8)
    }

    fn maybe_int8(&mut self) -> Result<Option<i64>, String> {
        self.next("a decimal number as text or null", maybe(int8))
    }

    fn height(&mut self) -> Result<Height, String> {
        self.next("a height as text", |cell| {
            let number: u64 = cell.as_str()?.parse().ok()?;
            (cell.as_str() == Some(&number.to_string())).then_some(Height(number))
        })
    }

    fn amount(&mut self) -> Result<Amount, String> {
        self.next("a whole number as text", |cell| {
            let number: i128 = cell.as_str()?.parse().ok()?;
            (cell.as_str() == Some(&number.to_string())).then_some(Amount(number))
        })
    }

    fn address(&mut self) -> Result<Address, String> {
        self.next("an address", address)
    }

    fn hash(&mut self) -> Result<Hash, String> {
        self.next("32 bytes in base64", hash_of)
    }

    fn truth(&mut self) -> Result<bool, String> {
        self.next("true or false", |cell| cell.as_bool())
    }
}

fn text(cell: Json) -> Option<Text> {
    cell.as_str().map(Text::from)
}

/// A number in the one spelling nodes write.
fn int8(cell: Json) -> Option<i64> {
    let number: i64 = cell.as_str()?.parse().ok()?;
    (cell.as_str() == Some(&number.to_string())).then_some(number)
}

/// A uuid in the one spelling nodes write.
fn uuid<T: FromStr + fmt::Display>(cell: Json) -> Option<T> {
    let id: T = cell.as_str()?.parse().ok()?;
    (cell.as_str() == Some(&id.to_string())).then_some(id)
}

/// An address in the letters its checksum asks for.
fn address(cell: Json) -> Option<Address> {
    let address = Address::parse(cell.as_str()?)?;
    (cell.as_str() == Some(&address.to_string())).then_some(address)
}

fn hash_of(cell: Json) -> Option<Hash> {
    let bytes = BASE64.decode(cell.as_str()?).ok()?;
    bytes.try_into().map(Hash).ok()
}

fn maybe<T>(take: impl FnOnce(Json) -> Option<T>) -> impl FnOnce(Json) -> Option<Option<T>> {
    |cell| match cell {
        Json::Null => Some(None),
        cell => take(cell).map(Some),
    }
}

/// A value as a sentence can hold it.
fn shortened(cell: &Json) -> String {
    let told = cell.to_string();
    match told.char_indices().nth(60) {
        Some((end, _)) => format!("{}..", &told[..end]),
        None => told,
    }
}

/// The typed answer behind the rows of a view: the inverse of [`super::query_result`].
fn answer(query: &Query, heard: RowsJson) -> Result<Answer, String> {
    let view = query.name();
    let rows = rows(query, heard)?;
    let count = rows.len();
    let several = || format!("{view}: {count} rows, expected one at most");
    let missing = || format!("{view}: {count} rows, expected one");
    let first = |rows: Vec<Row>| {
        let mut rows = rows.into_iter();
        match (rows.next(), rows.next()) {
            (row, None) => Ok(row),
            _ => Err(several()),
        }
    };
    let only = |rows| first(rows)?.ok_or_else(missing);
    Ok(match query {
        Query::GetUser {} => Answer::User(first(rows)?.map(|row| user(row, false)).transpose()?),
        Query::GetUserAsInserter { .. } => {
            Answer::User(first(rows)?.map(|row| user(row, true)).transpose()?)
        }
        Query::GetWallets {} => Answer::Wallets(each(rows, wallet)?),
        Query::GetCredentials {} | Query::GetCredentialsSharedByUser { .. } => {
            Answer::Credentials(each(rows, summary)?)
        }
        Query::GetCredentialOwned { .. } => Answer::Owned(first(rows)?.map(detail).transpose()?),
        Query::GetCredentialShared { .. } => Answer::Shared(shared(only(rows)?)?),
        Query::GetSiblingCredentialId { .. } => {
            Answer::CredentialId(first(rows)?.map(|mut row| row.id()).transpose()?)
        }
        Query::GetAccessGrantsOwned {}
        | Query::GetAccessGrantsGranted { .. }
        | Query::GetAccessGrantsForCredential { .. } => Answer::Grants(each(rows, grant)?),
        Query::GetAccessGrantsGrantedCount { .. } => Answer::Count(only(rows)?.int8()?),
        Query::CredentialExistAsInserter { .. }
        | Query::HasLockedAccessGrants { .. }
        | Query::HasProfile { .. } => Answer::Truth(only(rows)?.truth()?),
        Query::GetAttributes {} => Answer::Attributes(each(rows, attribute)?),
        Query::CheckBalance { .. } | Query::Balance { .. } | Query::GetIssuerFee { .. } => {
            Answer::Amount(only(rows)?.amount()?)
        }
        Query::GetAllowance {} => {
            Answer::Allowance(first(rows)?.map(|mut row| row.amount()).transpose()?)
        }
        Query::GetWalletWithBalance { .. } => {
            Answer::Address(only(rows)?.next("an address or null", maybe(address))?)
        }
        Query::Info { .. } => Answer::Info(info(only(rows)?)?),
        Query::ListEpochs { .. } => Answer::Epochs(each(rows, epoch)?),
        Query::GetEpochRewards { .. } => Answer::Rewards(each(rows, reward)?),
        Query::ListWalletRewards { .. } => Answer::Claims(each(rows, claim)?),
        Query::GetAccessRequestsReceived { .. } | Query::GetAccessRequestsMade { .. } => {
            Answer::Requests(each(rows, request)?)
        }
        Query::GetAccessGrantTerms { .. } => Answer::Terms(terms(only(rows)?)?),
        Query::GetAuditRecords { .. } => Answer::Records(each(rows, record)?),
        Query::GetLockedRemainders {} => Answer::Remainders(each(rows, remainder)?),
        Query::GetPassportingPeers {} => Answer::Peers(each(rows, peer)?),
        Query::GetGovernanceLog { .. } => Answer::Changes(each(rows, change)?),
        Query::DagMessage { .. } | Query::DwgMessage { .. } => {
            Answer::Text(only(rows)?.text()?.to_string())
        }
    })
}

fn info(mut row: Row) -> Result<BridgeInfo, String> {
    row.text()?; // chain
    let escrow = row.address()?;
    row.text()?; // period
    row.maybe_text()?; // token contract
    let decimals = u32::try_from(row.int8()?).map_err(|_| "info: decimals".to_owned())?;
    Ok(BridgeInfo {
        escrow,
        decimals,
        balance: row.amount()?,
    })
}

fn epoch(mut row: Row) -> Result<EpochRow, String> {
    Ok(EpochRow {
        id: row.id()?,
        start_height: row.height()?,
        start_time: row.int8()?,
        end_height: row.height()?,
        root: row.hash()?,
        total: row.amount()?,
        block: row.hash()?,
        confirmed: row.truth()?,
    })
}

fn reward(mut row: Row) -> Result<RewardRow, String> {
    Ok(RewardRow {
        recipient: row.address()?,
        amount: row.amount()?,
    })
}

fn claim(mut row: Row) -> Result<ClaimRow, String> {
    row.text()?; // chain
    row.text()?; // its number
    Ok(ClaimRow {
        escrow: row.address()?,
        created_at: row.height()?,
        recipient: row.address()?,
        amount: row.amount()?,
        block: row.hash()?,
        root: row.hash()?,
        proof: row.next("a list of hashes", |cell| {
            cell.as_array()?.iter().cloned().map(hash_of).collect()
        })?,
    })
}

fn each<T>(rows: Vec<Row>, read: fn(Row) -> Result<T, String>) -> Result<Vec<T>, String> {
    rows.into_iter().map(read).collect()
}

fn user(mut row: Row, for_inserter: bool) -> Result<UserRow, String> {
    Ok(UserRow {
        id: row.id()?,
        recipient_encryption_public_key: row.text()?,
        encryption_password_store: row.text()?,
        inserter: if for_inserter {
            row.maybe_text()?
        } else {
            None
        },
    })
}

fn wallet(mut row: Row) -> Result<WalletRow, String> {
    Ok(WalletRow {
        id: row.id()?,
        user_id: row.id()?,
        address: row.text()?,
        public_key: row.maybe_text()?,
        wallet_type: row.next("a wallet type", |cell| WalletType::parse(cell.as_str()?))?,
        message: row.maybe_text()?,
        signature: row.maybe_text()?,
        inserter: row.maybe_text()?,
    })
}

fn peer(mut row: Row) -> Result<PeerRow, String> {
    Ok(PeerRow {
        id: row.id()?,
        name: row.text()?,
        issuer_public_key: row.text()?,
        server_url_base: row.text()?,
    })
}

fn change(mut row: Row) -> Result<ChangeRow, String> {
    Ok(ChangeRow {
        number: row.int8()?,
        height: row.int8()?,
        what: row.text()?,
        subject: row.text()?,
    })
}

fn attribute(mut row: Row) -> Result<AttributeRow, String> {
    Ok(AttributeRow {
        id: row.id()?,
        user_id: row.id()?,
        attribute_key: row.text()?,
        value: row.text()?,
        original_id: row.maybe_id()?,
    })
}

fn summary(mut row: Row) -> Result<CredentialSummary, String> {
    Ok(CredentialSummary {
        id: row.id()?,
        user_id: row.id()?,
        public_notes: row.text()?,
        issuer_auth_public_key: row.text()?,
        inserter: row.maybe_text()?,
        original_id: row.maybe_id()?,
    })
}

fn detail(mut row: Row) -> Result<CredentialDetail, String> {
    Ok(CredentialDetail {
        id: row.id()?,
        user_id: row.id()?,
        public_notes: row.text()?,
        content: Content::new(row.text()?),
        encryptor_public_key: row.text()?,
        issuer_auth_public_key: row.text()?,
        inserter: row.maybe_text()?,
    })
}

fn shared(mut row: Row) -> Result<SharedCredential, String> {
    let shared = SharedCredential {
        id: row.id()?,
        user_id: row.id()?,
        public_notes: row.maybe_text()?,
        content: Content::new(row.text()?),
        encryptor_public_key: row.text()?,
        issuer_auth_public_key: row.text()?,
    };
    // The model keeps no inserter of a copy.
    row.maybe_text()?;
    Ok(shared)
}

fn grant(mut row: Row) -> Result<GrantRow, String> {
    let inserter_type = |cell: Json| match cell.as_str()? {
        "user" => Some(GrantInserter::User),
        "dag_message" => Some(GrantInserter::DagMessage),
        "delegated_write_grant" => Some(GrantInserter::DelegatedWriteGrant),
        _ => None,
    };
    Ok(GrantRow {
        id: row.id()?,
        owner: row.id()?,
        grantee: row.text()?,
        data: row.id()?,
        locked_until: row.int8()?,
        content_hash: row.maybe_text()?,
        inserter_type: row.next("\"user\" or \"dag_message\"", inserter_type)?,
        inserter_id: row.text()?,
    })
}

fn request(mut row: Row) -> Result<AccessRequestRow, String> {
    Ok(AccessRequestRow {
        id: row.id()?,
        consumer: row.text()?,
        owner: row.id()?,
        credential: row.maybe_id()?,
        kind: row.maybe_text()?,
        fields: row.maybe_text()?,
        purpose: row.text()?,
        locked_until: row.int8()?,
        stands_until: row.int8()?,
        expires_at: row.maybe_int8()?,
        uses: row.maybe_int8()?,
        state: row.next("the state of a request", |cell| {
            RequestState::parse(cell.as_str()?)
        })?,
        copy: row.maybe_id()?,
    })
}

fn terms(mut row: Row) -> Result<GrantTermsRow, String> {
    Ok(GrantTermsRow {
        id: row.id()?,
        request: row.maybe_id()?,
        expires_at: row.maybe_int8()?,
        uses_left: row.maybe_int8()?,
        open_until: row.maybe_int8()?,
        fields: row.maybe_text()?,
    })
}

fn record(mut row: Row) -> Result<AuditRow, String> {
    Ok(AuditRow {
        event: row.next("an event", |cell| AuditEvent::parse(cell.as_str()?))?,
        time: row.int8()?,
        height: row.int8()?,
        owner: row.id()?,
        party: row.text()?,
        request: row.maybe_id()?,
        grant: row.maybe_id()?,
        data: row.maybe_id()?,
    })
}

fn remainder(mut row: Row) -> Result<RemainderRow, String> {
    Ok(RemainderRow {
        id: row.id()?,
        locked_until: row.int8()?,
        due: row.truth()?,
    })
}

/// A result that may be missing: none for "block not found".
fn found<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<Option<T>, String> {
    match open(body)? {
        Ok(result) => member(what, result).map(Some),
        Err(error) if error.code == -204 => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn told<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, String> {
    found(what, body)?.ok_or_else(|| format!("{what}: error -204: block not found"))
}

/// Reads `user.chain_info`.
pub fn hear_chain_info(body: &[u8]) -> Result<ChainInfo, String> {
    told("chain_info", body)
}

/// Reads `user.health` with everything in it; what is missing is empty or 0.
pub fn hear_health(body: &[u8]) -> Result<Health, String> {
    told("health", body)
}

/// Reads what became of a block's transactions, code and log of each; none when there is no such block.
pub fn hear_results(body: &[u8]) -> Result<Option<Vec<(u32, String)>>, String> {
    let results: Option<BlockResult> = found("block_result", body)?;
    let pair = |TxResult { code, log, .. }| (code, log);
    Ok(results.map(|results| results.tx_results.into_iter().map(pair).collect()))
}

/// Reads what waits for a block.
pub fn hear_unconfirmed(body: &[u8]) -> Result<Vec<SignedTransaction>, String> {
    let Unconfirmed { txs, .. } = told("unconfirmed_txs", body)?;
    let txs = txs.unwrap_or_default().into_iter().enumerate();
    txs.map(|(at, waiting)| {
        let place = || format!("unconfirmed_txs, transaction {at}");
        let tx = parse_transaction(&waiting.tx).map_err(|why| format!("{}: {why}", place()))?;
        tx.ok_or_else(|| format!("{}: no body", place()))
    })
    .collect()
}

/// Reads the public keys of the validators, in the node's order.
pub fn hear_validators(body: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let Validators { validators, .. } = told("validators", body)?;
    Ok(validators.into_iter().map(|one| one.pubkey).collect())
}

/// Reads a block with its votes; none when there is no such block.
///
/// The block is named as the node names it, since another implementation hashes otherwise. Validators are
/// those given, by their public keys; a node that does not say who proposed a block is taken to mean the
/// first.
pub fn hear_block(body: &[u8], validators: &[Vec<u8>]) -> Result<Option<Arc<Committed>>, String> {
    let heard: Option<ChainBlock> = found("block", body)?;
    heard.map(|heard| committed(heard, validators)).transpose()
}

fn committed(heard: ChainBlock, validators: &[Vec<u8>]) -> Result<Arc<Committed>, String> {
    let block = heard.block.ok_or("block: no member \"block\"")?;
    let commit = heard
        .commit_info
        .ok_or("block: no member \"commit_info\"")?;
    let header = block.header;
    let by_key = |key: &[u8]| {
        let place = validators.iter().position(|one| one == key);
        let node = place.map(|place| NodeId(place as u16));
        node.ok_or_else(|| format!("block: {} is no validator", hex::encode(key)))
    };
    let proposer = match header.proposer.as_slice() {
        [] => NodeId(0),
        key => by_key(key)?,
    };
    let place =
        |at: usize, why: String| format!("block {}, transaction {at}: {why}", header.height);
    let transactions = block
        .txns
        .iter()
        .enumerate()
        .map(|(at, bytes)| transaction(&bytes.0).map_err(|why| place(at, why)))
        .collect::<Result<Vec<_>, _>>()?;
    if transactions.len() != header.num_txns as usize {
        let (told, got) = (header.num_txns, transactions.len());
        return Err(format!("block: num_txns is {told}, but {got} are there"));
    }
    let votes = commit.votes.into_iter().map(|vote| {
        Ok(Vote {
            validator: by_key(&vote.validator)?,
            ballot: Ballot {
                term: vote.term,
                round: vote.round,
            },
            block: BlockId(vote.block),
            app_hash: AppHash(vote.app_hash),
            signature: vote.signature,
        })
    });
    let votes = votes.collect::<Result<Vec<_>, String>>()?;
    Ok(Arc::new(Committed {
        block: Arc::new(Block {
            height: Height(header.height),
            previous: BlockId(header.prev_hash),
            previous_app_hash: AppHash(header.prev_app_hash),
            time: WallMillis(header.stamp_ms),
            proposer,
            transactions: transactions.into(),
            id: BlockId(heard.hash),
            signature: block.signature,
        }),
        app_hash: AppHash(commit.app_hash),
        votes,
    }))
}

/// A transaction as a block holds it. Its id is worked out here.
fn transaction(bytes: &[u8]) -> Result<Arc<Transaction>, String> {
    let sent = SignedTransaction::decode(bytes).map_err(|error| error.to_string())?;
    let sender =
        identity(&sent.signature_type, &sent.sender).map_err(|nobody| nobody.to_string())?;
    from_block(sent, sender).map_err(|why| why.to_string())
}

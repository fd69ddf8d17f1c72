//! The `chain` service: blocks and what became of them, for anybody who asks. Source: kwil-rpc 2.2 and 7.
//!
//! Members are named as the node's own. Where blocks here say more than a real node's, who proposed one
//! and for which proposal a vote was cast, they have members of their own.

use assay_model::crypto::Identity;
use assay_model::id::{BlockId, Height, NodeId, TxId};
use assay_model::ledger::{Outcome, Parameters, Transaction};
use assay_model::node::{Committed, Genesis, Vote};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::encoding::{base64_bytes, hash, hex_bytes, nullable};
use super::method::{AccountId, Failure, decode_tx_hash, members, read};
use super::result::{TxResult, signed};
use super::transaction::transaction_json;

/// Waiting transactions shown to whoever names no number.
const UNCONFIRMED: usize = 100;

/// Which block is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The last one.
    Tip,
    /// The one of this height.
    Height(Height),
    /// The one with this hash.
    Block(BlockId),
}

/// One request to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ChainMethod {
    Version,
    Health,
    Block {
        at: At,
        /// Whether the block's bytes alone are wanted.
        raw: bool,
    },
    BlockResult {
        at: At,
    },
    Tx {
        hash: TxId,
    },
    Genesis,
    ConsensusParams,
    Validators {
        at: At,
    },
    UnconfirmedTxs {
        limit: usize,
    },
}

#[derive(Default, Deserialize)]
struct BlockParams {
    #[serde(default, deserialize_with = "nullable")]
    height: i64,
    #[serde(default, deserialize_with = "nullable")]
    hash: String,
    #[serde(default, deserialize_with = "nullable")]
    raw: bool,
}

impl BlockParams {
    /// A hash goes before a height; neither means the last block.
    fn at(&self) -> Result<At, Failure> {
        if !self.hash.is_empty() {
            return Ok(At::Block(BlockId(decode_tx_hash(&self.hash)?.0)));
        }
        Ok(match u64::try_from(self.height) {
            Ok(0) | Err(_) => At::Tip,
            Ok(height) => At::Height(Height(height)),
        })
    }
}

#[derive(Default, Deserialize)]
struct TxParams {
    #[serde(default, deserialize_with = "nullable")]
    hash: String,
}

#[derive(Default, Deserialize)]
struct LimitParams {
    #[serde(default, deserialize_with = "nullable")]
    limit: i64,
}

impl ChainMethod {
    /// Every method of the service.
    pub const NAMES: &'static [&'static str] = &[
        "chain.version",
        "chain.health",
        "chain.block",
        "chain.block_result",
        "chain.tx",
        "chain.genesis",
        "chain.consensus_params",
        "chain.validators",
        "chain.unconfirmed_txs",
    ];

    /// Reads a method of the service. Names are compared letter by letter.
    pub fn parse(name: &str, params: &Json) -> Result<ChainMethod, Failure> {
        if !ChainMethod::NAMES.contains(&name) {
            return Err(Failure::UnknownMethod);
        }
        let params = members(params)?;
        Ok(match name {
            "chain.version" => ChainMethod::Version,
            "chain.health" => ChainMethod::Health,
            "chain.block" => {
                let params: BlockParams = read(params)?;
                let (at, raw) = (params.at()?, params.raw);
                ChainMethod::Block { at, raw }
            }
            "chain.block_result" => {
                let at = read::<BlockParams>(params)?.at()?;
                ChainMethod::BlockResult { at }
            }
            "chain.tx" => {
                let TxParams { hash } = read(params)?;
                let hash = decode_tx_hash(&hash)?;
                ChainMethod::Tx { hash }
            }
            "chain.genesis" => ChainMethod::Genesis,
            "chain.consensus_params" => ChainMethod::ConsensusParams,
            "chain.validators" => {
                let at = read::<BlockParams>(params)?.at()?;
                ChainMethod::Validators { at }
            }
            _ => {
                let LimitParams { limit } = read(params)?;
                let limit = match usize::try_from(limit) {
                    Ok(0) | Err(_) => UNCONFIRMED,
                    Ok(limit) => limit,
                };
                ChainMethod::UnconfirmedTxs { limit }
            }
        })
    }
}

/// The result of `chain.health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct ChainHealth {
    pub chain_id: String,
    pub height: u64,
    pub healthy: bool,
}

/// The result of `chain.block`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainBlock {
    /// The block's name.
    #[serde(with = "hash")]
    pub hash: [u8; 32],
    /// Left out where the bytes alone were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockJson>,
    /// The block as bytes, in the published layout; a real node hashes its header.
    #[serde(default, with = "base64_bytes")]
    pub raw_block: Vec<u8>,
    /// Who committed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_info: Option<CommitInfo>,
}

/// A block with its transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct BlockJson {
    pub header: HeaderJson,
    /// Each as nodes store it; null where there are none.
    #[serde(
        default,
        deserialize_with = "nullable",
        serialize_with = "some_or_null"
    )]
    pub txns: Vec<Bytes>,
    /// The proposer's.
    #[serde(rename = "sig", alias = "signature", with = "base64_bytes")]
    pub signature: Vec<u8>,
}

fn some_or_null<S: Serializer>(txns: &[Bytes], to: S) -> Result<S::Ok, S::Error> {
    (!txns.is_empty()).then_some(txns).serialize(to)
}

/// Bytes as base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(with = "base64_bytes")] pub Vec<u8>);

/// What a block says before its transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct HeaderJson {
    pub version: u16,
    pub height: u64,
    pub num_txns: u32,
    #[serde(with = "hash")]
    pub prev_hash: [u8; 32],
    #[serde(with = "hash")]
    pub prev_app_hash: [u8; 32],
    /// The proposer's clock, milliseconds.
    pub stamp_ms: u64,
    #[serde(with = "hash")]
    pub merkle_root: [u8; 32],
    #[serde(with = "hash")]
    pub vals_hash: [u8; 32],
    /// Zero: parameters here never change.
    #[serde(with = "hash")]
    pub params_hash: [u8; 32],
    /// Public key of the proposer. Real nodes leave it out.
    #[serde(default, with = "hex_bytes", skip_serializing_if = "Vec::is_empty")]
    pub proposer: Vec<u8>,
}

/// What made a block final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CommitInfo {
    #[serde(with = "hash")]
    pub app_hash: [u8; 32],
    pub votes: Vec<VoteJson>,
}

/// One validator's word for a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct VoteJson {
    /// Its public key.
    #[serde(with = "hex_bytes")]
    pub validator: Vec<u8>,
    #[serde(with = "hash")]
    pub block: [u8; 32],
    pub term: u32,
    pub round: u32,
    #[serde(with = "hash")]
    pub app_hash: [u8; 32],
    #[serde(with = "base64_bytes")]
    pub signature: Vec<u8>,
}

fn public_key(validators: &[Identity], node: NodeId) -> Vec<u8> {
    let key = validators.get(node.index());
    key.map(|key| key.bytes().to_vec()).unwrap_or_default()
}

impl ChainBlock {
    /// A final block as it is shown to anybody.
    pub fn new(genesis: &Genesis, committed: &Committed, raw: bool) -> ChainBlock {
        let block = &committed.block;
        let txns: Vec<Bytes> = block
            .transactions
            .iter()
            .map(|transaction| Bytes(transaction.sent().bytes()))
            .collect();
        let json = BlockJson {
            header: header(genesis, committed),
            txns,
            signature: block.signature.clone(),
        };
        let raw_block = json.bytes();
        let vote = |vote: &Vote| VoteJson {
            validator: public_key(&genesis.nodes, vote.validator),
            block: vote.block.0,
            term: vote.ballot.term,
            round: vote.ballot.round,
            app_hash: vote.app_hash.0,
            signature: vote.signature.clone(),
        };
        let commit_info = CommitInfo {
            app_hash: committed.app_hash.0,
            votes: committed.votes.iter().map(vote).collect(),
        };
        ChainBlock {
            hash: block.id.0,
            block: (!raw).then_some(json),
            raw_block,
            commit_info: (!raw).then_some(commit_info),
        }
    }
}

fn header(genesis: &Genesis, committed: &Committed) -> HeaderJson {
    let block = &committed.block;
    let mut validators = Sha256::new();
    for validator in &genesis.nodes {
        validators.update(validator.bytes());
    }
    let ids = block
        .transactions
        .iter()
        .map(|transaction| transaction.id.0);
    HeaderJson {
        version: 0,
        height: block.height.0,
        num_txns: block.transactions.len() as u32,
        prev_hash: block.previous.0,
        prev_app_hash: block.previous_app_hash.0,
        stamp_ms: block.time.0,
        merkle_root: merkle_root(ids.collect()),
        vals_hash: validators.finalize().into(),
        params_hash: [0; 32],
        proposer: public_key(&genesis.nodes, block.proposer),
    }
}

/// Pairs are hashed together level by level; a last one without partner is paired with itself.
fn merkle_root(mut level: Vec<[u8; 32]>) -> [u8; 32] {
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| {
                let mut hash = Sha256::new();
                hash.update(pair[0]);
                hash.update(pair[pair.len() - 1]);
                hash.finalize().into()
            })
            .collect();
    }
    level.first().copied().unwrap_or_default()
}

impl BlockJson {
    /// Header, signature, transactions. Source: kwil-rpc 7.
    pub fn bytes(&self) -> Vec<u8> {
        let header = &self.header;
        let mut out = Vec::new();
        out.extend(header.version.to_le_bytes());
        out.extend(header.height.to_le_bytes());
        out.extend(header.num_txns.to_le_bytes());
        out.extend(header.prev_hash);
        out.extend(header.prev_app_hash);
        out.extend(header.vals_hash);
        out.extend(header.params_hash);
        out.extend(header.stamp_ms.to_le_bytes());
        out.extend(header.merkle_root);
        out.push(0); // no new leader
        for part in [&self.signature].into_iter().chain(self.parts()) {
            put_length(&mut out, part.len());
            out.extend(part);
        }
        out
    }

    fn parts(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.txns.iter().map(|Bytes(bytes)| bytes)
    }
}

/// An unsigned number in groups of seven bits, the lowest first.
fn put_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// The result of `chain.block_result`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct BlockResult {
    #[serde(default)]
    pub height: u64,
    /// One per transaction, in order.
    pub tx_results: Vec<TxResult>,
}

impl BlockResult {
    /// What became of a block's transactions.
    pub fn new(committed: &Committed, outcomes: &[Outcome]) -> BlockResult {
        let transactions = committed.block.transactions.iter();
        let result = |(transaction, outcome): (&std::sync::Arc<Transaction>, &Outcome)| {
            TxResult::new(*outcome, Some(transaction.sent()))
        };
        BlockResult {
            height: committed.block.height.0,
            tx_results: transactions.zip(outcomes).map(result).collect(),
        }
    }
}

/// The result of `chain.tx`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct ChainTx {
    #[serde(with = "hash")]
    pub hash: [u8; 32],
    /// -1 while it waits.
    pub height: i64,
    /// Place in its block.
    pub index: u32,
    pub tx: Json,
    pub tx_result: Option<TxResult>,
}

impl ChainTx {
    /// A transaction, with height, place and outcome once it is in a block.
    pub fn new(transaction: &Transaction, included: Option<(Height, usize, Outcome)>) -> ChainTx {
        let sent = transaction.sent();
        let (height, index, tx_result) = match included {
            Some((height, index, outcome)) => {
                let result = TxResult::new(outcome, Some(sent));
                (signed(height), index as u32, Some(result))
            }
            None => (-1, 0, None),
        };
        ChainTx {
            hash: transaction.id.0,
            height,
            index,
            tx: transaction_json(sent),
            tx_result,
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct KeyJson {
    #[serde(rename = "type")]
    pub key_type: String,
    #[serde(with = "hex_bytes")]
    pub key: Vec<u8>,
}

impl KeyJson {
    fn new(identity: &Identity) -> KeyJson {
        let AccountId {
            identifier: key,
            key_type,
        } = AccountId::new(identity);
        KeyJson { key_type, key }
    }
}

/// A member of the validator set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ValidatorJson {
    #[serde(with = "hex_bytes")]
    pub pubkey: Vec<u8>,
    #[serde(rename = "type")]
    pub key_type: String,
    /// Counts in resolutions; blocks count heads.
    pub power: u64,
}

fn validators(set: &[(Identity, u64)]) -> Vec<ValidatorJson> {
    let json = |(identity, power): &(Identity, u64)| {
        let KeyJson { key_type, key } = KeyJson::new(identity);
        ValidatorJson {
            pubkey: key,
            key_type,
            power: *power,
        }
    };
    set.iter().map(json).collect()
}

/// The result of `chain.validators`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Validators {
    pub height: u64,
    pub validators: Vec<ValidatorJson>,
}

impl Validators {
    /// Who votes on the block after this height.
    pub fn new(height: Height, set: &[(Identity, u64)]) -> Validators {
        Validators {
            height: height.0,
            validators: validators(set),
        }
    }
}

/// The result of `chain.consensus_params`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct ConsensusParams {
    pub leader: Option<KeyJson>,
    pub max_block_size: i64,
    pub join_expiry: String,
    pub disabled_gas_costs: bool,
    pub max_votes_per_tx: i64,
    pub migration_status: &'static str,
}

impl ConsensusParams {
    /// The network's, with whoever leads now.
    pub fn new(parameters: &Parameters, leader: Option<&Identity>) -> ConsensusParams {
        ConsensusParams {
            leader: leader.map(KeyJson::new),
            max_block_size: parameters.max_block_size,
            join_expiry: go_duration(parameters.join_expiry),
            disabled_gas_costs: parameters.disabled_gas_costs,
            max_votes_per_tx: parameters.max_votes_per_tx,
            migration_status: "NoActiveMigration",
        }
    }
}

/// Seconds as Go writes a duration.
fn go_duration(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// The result of `chain.genesis`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct GenesisInfo {
    pub chain_id: String,
    pub initial_height: u64,
    pub db_owner: String,
    pub validators: Vec<ValidatorJson>,
    #[serde(flatten)]
    pub params: ConsensusParams,
}

impl GenesisInfo {
    /// What every node knows from the start.
    pub fn new(genesis: &Genesis) -> GenesisInfo {
        GenesisInfo {
            chain_id: genesis.chain_id.to_string(),
            initial_height: 1,
            db_owner: genesis.db_owner.to_string(),
            validators: validators(&genesis.validators()),
            params: ConsensusParams::new(
                &Parameters::default(),
                genesis.nodes.get(genesis.leader.index()),
            ),
        }
    }
}

/// The result of `chain.unconfirmed_txs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unconfirmed {
    /// How many wait in all.
    #[serde(default)]
    pub total: u64,
    /// The first of them.
    #[serde(default)]
    pub txs: Option<Vec<Waiting>>,
}

/// A transaction that waits for a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Waiting {
    #[serde(with = "hash")]
    pub hash: [u8; 32],
    pub tx: Json,
}

impl Unconfirmed {
    /// The first of what waits.
    pub fn new<'a>(
        pending: impl Iterator<Item = &'a std::sync::Arc<Transaction>>,
        limit: usize,
    ) -> Unconfirmed {
        let mut shown = Unconfirmed::default();
        let mut txs = Vec::new();
        for transaction in pending {
            shown.total += 1;
            if txs.len() < limit {
                txs.push(Waiting {
                    hash: transaction.id.0,
                    tx: transaction_json(transaction.sent()),
                });
            }
        }
        shown.txs = Some(txs);
        shown
    }
}

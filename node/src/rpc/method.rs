//! The methods of the `user` service with their parameters. Source: kwil-rpc 2.1.

use std::collections::BTreeMap;

use assay_model::crypto::{Identity, Scheme, XrplKey};
use assay_model::id::TxId;
use assay_model::wire::SignedTransaction;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use super::call::CallMessage;
use super::encoding::{EncodedValue, base64_bytes, decode_hash, hex_bytes, nullable, object};
use super::envelope::{Id, Response, RpcError};
use super::transaction::parse_transaction;

/// Names an account: whose transactions share a nonce.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountId {
    /// A wallet's 20-byte address, or a public key.
    #[serde(default, with = "hex_bytes")]
    pub identifier: Vec<u8>,
    /// `secp256k1` or `ed25519`.
    #[serde(default, deserialize_with = "nullable")]
    pub key_type: String,
}

impl AccountId {
    /// The account of an identity. An Ed25519 key has one account whatever type of wallet it signs for.
    pub fn new(identity: &Identity) -> AccountId {
        let key_type = match identity.scheme() {
            Scheme::Evm | Scheme::XrplSecp256k1 => "secp256k1",
            Scheme::Ed25519 | Scheme::Nep413 | Scheme::XrplEd25519 => "ed25519",
        };
        AccountId {
            identifier: identity.bytes().to_vec(),
            key_type: key_type.to_owned(),
        }
    }

    /// The identity whose nonce it is, as [`Identity::account`] gives it; nothing when there can be none. A
    /// node's own key looks like an XRPL wallet's, and never sends here.
    pub fn identity(&self) -> Option<Identity> {
        let bytes = self.identifier.as_slice();
        let identity = match bytes.len() {
            20 => Identity::Evm(bytes.try_into().ok()?),
            32 => Identity::Ed25519(bytes.try_into().ok()?),
            _ => Identity::Xrpl(XrplKey::new(bytes)?),
        };
        (AccountId::new(&identity).key_type == self.key_type).then_some(identity)
    }
}

/// A parameter of an authenticated query. Its capital letters are the node's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct NamedValue {
    /// Without the `$`.
    #[serde(rename = "Name", default, deserialize_with = "nullable")]
    pub name: String,
    /// What it stands for.
    #[serde(rename = "Value", default, deserialize_with = "object")]
    pub value: Option<EncodedValue>,
}

/// One request, typed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    Version,
    Health,
    Ping {
        message: String,
    },
    ChainInfo,
    Account {
        id: AccountId,
        /// Whether transactions that wait in the mempool count as well.
        pending: bool,
    },
    NumAccounts,
    Broadcast {
        tx: Box<SignedTransaction>,
        /// Whether to answer only when it is in a block.
        wait: bool,
    },
    Call(CallMessage),
    Query {
        query: String,
        params: BTreeMap<String, EncodedValue>,
    },
    AuthenticatedQuery {
        statement: String,
        parameters: Vec<NamedValue>,
        challenge: Vec<u8>,
        auth_type: String,
        sender: Vec<u8>,
        signature: Vec<u8>,
    },
    EstimatePrice {
        /// May be unsigned.
        tx: Box<SignedTransaction>,
    },
    TxQuery {
        hash: TxId,
    },
    Challenge,
    ListMigrations,
    MigrationStatus,
    MigrationMetadata,
    MigrationGenesisChunk {
        height: u64,
        chunk_index: u32,
    },
    Changeset {
        height: i64,
        index: i64,
    },
    ChangesetMetadata {
        height: i64,
    },
    ListUpdateProposals,
    UpdateProposalStatus {
        proposal_id: String,
    },
}

/// Why there is no typed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such method. `user.databases` and `user.schema` are none either.
    UnknownMethod,
    /// Parameters that do not decode; clients should not compare the text.
    Params(String),
    /// Parameters that decode, but leave out what the node's handler relies on.
    Handler,
}

impl Failure {
    /// The whole answer.
    pub fn response(&self, id: &Id) -> Response {
        match self {
            Failure::UnknownMethod => Response::error(id, RpcError::new(-32_601, "unknown method")),
            Failure::Params(told) => Response::error(id, RpcError::new(-32_602, told)),
            Failure::Handler => Response::handler_failure(),
        }
    }
}

#[derive(Default, Deserialize)]
struct PingParams {
    #[serde(default, deserialize_with = "nullable")]
    message: String,
}

#[derive(Default, Deserialize)]
struct AccountParams {
    #[serde(default, deserialize_with = "object")]
    id: Option<AccountId>,
    #[serde(default, deserialize_with = "flag")]
    status: bool,
}

#[derive(Default, Deserialize)]
struct TxParams {
    #[serde(default)]
    tx: Json,
    #[serde(default, deserialize_with = "flag")]
    sync: bool,
}

#[derive(Default, Deserialize)]
struct QueryParams {
    #[serde(default, deserialize_with = "nullable")]
    query: String,
    #[serde(default, deserialize_with = "nullable")]
    params: BTreeMap<String, EncodedValue>,
}

#[derive(Default, Deserialize)]
struct StatementJson {
    #[serde(rename = "Statement", default, deserialize_with = "nullable")]
    statement: String,
    #[serde(rename = "Parameters", default, deserialize_with = "nullable")]
    parameters: Vec<NamedValue>,
}

#[derive(Default, Deserialize)]
struct AuthenticatedQueryParams {
    #[serde(default, deserialize_with = "object")]
    body: Option<StatementJson>,
    #[serde(rename = "Challenge", default, with = "base64_bytes")]
    challenge: Vec<u8>,
    #[serde(default, deserialize_with = "nullable")]
    auth_type: String,
    #[serde(default, with = "hex_bytes")]
    sender: Vec<u8>,
    #[serde(default, with = "base64_bytes")]
    signature: Vec<u8>,
}

#[derive(Default, Deserialize)]
struct TxQueryParams {
    #[serde(default, deserialize_with = "nullable")]
    tx_hash: String,
}

#[derive(Default, Deserialize)]
struct PlaceParams {
    #[serde(default, deserialize_with = "nullable")]
    height: i64,
    #[serde(default, deserialize_with = "nullable")]
    index: i64,
}

#[derive(Default, Deserialize)]
struct ChunkParams {
    #[serde(default, deserialize_with = "nullable")]
    height: u64,
    #[serde(default, deserialize_with = "nullable")]
    chunk_index: u32,
}

#[derive(Default, Deserialize)]
struct ProposalParams {
    #[serde(default, deserialize_with = "nullable")]
    proposal_id: String,
}

/// 0, 1 or nothing.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match nullable::<_, u8>(from)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(D::Error::custom(format!("expected 0 or 1, got {other}"))),
    }
}

/// Parameters are an object, or nothing at all; positional ones are refused.
pub(super) fn members(params: &Json) -> Result<Json, Failure> {
    match params {
        Json::Null => Ok(Json::Object(Map::new())),
        Json::Object(_) => Ok(params.clone()),
        _ => Err(Failure::Params("params must be an object".to_owned())),
    }
}

pub(super) fn read<T: DeserializeOwned>(params: Json) -> Result<T, Failure> {
    serde_json::from_value(params).map_err(|error| Failure::Params(error.to_string()))
}

pub(super) fn decode_tx_hash(text: &str) -> Result<TxId, Failure> {
    decode_hash(text).map(TxId).map_err(Failure::Params)
}

fn tx(json: &Json) -> Result<Box<SignedTransaction>, Failure> {
    match parse_transaction(json) {
        Ok(Some(tx)) => Ok(Box::new(tx)),
        Ok(None) => Err(Failure::Handler),
        Err(told) => Err(Failure::Params(told)),
    }
}

impl Method {
    /// Reads a method of the `user` service. Names are compared letter by letter.
    pub fn parse(name: &str, params: &Json) -> Result<Method, Failure> {
        let Some(name) = name.strip_prefix("user.") else {
            return Err(Failure::UnknownMethod);
        };
        if !NAMES.contains(&name) {
            return Err(Failure::UnknownMethod);
        }
        let params = members(params)?;
        Ok(match name {
            "version" => Method::Version,
            "health" => Method::Health,
            "ping" => {
                let PingParams { message } = read(params)?;
                Method::Ping { message }
            }
            "chain_info" => Method::ChainInfo,
            "account" => {
                let AccountParams { id, status } = read(params)?;
                let id = id
                    .filter(|id| !id.identifier.is_empty())
                    .ok_or_else(|| Failure::Params("missing account identifier".to_owned()))?;
                Method::Account {
                    id,
                    pending: status,
                }
            }
            "num_accounts" => Method::NumAccounts,
            "broadcast" => {
                let params: TxParams = read(params)?;
                Method::Broadcast {
                    tx: tx(&params.tx)?,
                    wait: params.sync,
                }
            }
            "call" => match CallMessage::parse(&params) {
                Ok(Some(call)) => Method::Call(call),
                Ok(None) => return Err(Failure::Handler),
                Err(told) => return Err(Failure::Params(told)),
            },
            "query" => {
                let QueryParams { query, params } = read(params)?;
                Method::Query { query, params }
            }
            "authenticated_query" => {
                let params: AuthenticatedQueryParams = read(params)?;
                let body = params.body.ok_or(Failure::Handler)?;
                Method::AuthenticatedQuery {
                    statement: body.statement,
                    parameters: body.parameters,
                    challenge: params.challenge,
                    auth_type: params.auth_type,
                    sender: params.sender,
                    signature: params.signature,
                }
            }
            "estimate_price" => {
                let params: TxParams = read(params)?;
                Method::EstimatePrice {
                    tx: tx(&params.tx)?,
                }
            }
            "tx_query" => {
                let TxQueryParams { tx_hash } = read(params)?;
                let hash = decode_tx_hash(&tx_hash)?;
                Method::TxQuery { hash }
            }
            "challenge" => Method::Challenge,
            "list_migrations" => Method::ListMigrations,
            "migration_status" => Method::MigrationStatus,
            "migration_metadata" => Method::MigrationMetadata,
            "migration_genesis_chunk" => {
                let ChunkParams {
                    height,
                    chunk_index,
                } = read(params)?;
                Method::MigrationGenesisChunk {
                    height,
                    chunk_index,
                }
            }
            "changeset" => {
                let PlaceParams { height, index } = read(params)?;
                Method::Changeset { height, index }
            }
            "changeset_metadata" => {
                let PlaceParams { height, .. } = read(params)?;
                Method::ChangesetMetadata { height }
            }
            "list_update_proposals" => Method::ListUpdateProposals,
            "update_proposal_status" => {
                let ProposalParams { proposal_id } = read(params)?;
                Method::UpdateProposalStatus { proposal_id }
            }
            _ => return Err(Failure::UnknownMethod),
        })
    }
}

/// Every method that is registered. Parameters are looked at only behind a known name.
const NAMES: &[&str] = &[
    "version",
    "health",
    "ping",
    "chain_info",
    "account",
    "num_accounts",
    "broadcast",
    "call",
    "query",
    "authenticated_query",
    "estimate_price",
    "tx_query",
    "challenge",
    "list_migrations",
    "migration_status",
    "migration_metadata",
    "migration_genesis_chunk",
    "changeset",
    "changeset_metadata",
    "list_update_proposals",
    "update_proposal_status",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_params(name: &str, params: Json) {
        let failure = Method::parse(name, &params).unwrap_err();
        assert!(
            matches!(failure, Failure::Params(_)),
            "{name} {params}: {failure:?}"
        );
        let response = failure.response(&Id::Text("a".to_owned()));
        assert_eq!(response.status, 400);
        assert!(response.body.contains("-32602"), "{}", response.body);
    }

    #[test]
    fn names_that_are_no_method() {
        let names = [
            "ping",
            "user",
            "user.",
            "user.Ping",
            "user.ping ",
            "USER.ping",
            "user.databases",
            "user.schema",
            "user.listener_sync_status",
            "chain.tx",
            "admin.status",
        ];
        for name in names {
            // The name comes first: nobody looks at these parameters.
            let failure = Method::parse(name, &json!([])).unwrap_err();
            assert_eq!(failure, Failure::UnknownMethod, "{name}");
            let response = failure.response(&Id::Text("a".to_owned()));
            assert_eq!(response.status, 404);
        }
    }

    #[test]
    fn every_method_takes_an_object_or_nothing() {
        for name in NAMES {
            let name = format!("user.{name}");
            for params in [json!([]), json!(["x"]), json!("x"), json!(1), json!(true)] {
                check_params(&name, params);
            }
            let bare = Method::parse(&name, &Json::Null);
            assert_eq!(bare, Method::parse(&name, &json!({})), "{name}");
            match name.as_str() {
                "user.broadcast" | "user.call" | "user.estimate_price" => {
                    assert_eq!(bare, Err(Failure::Handler));
                }
                "user.authenticated_query" => assert_eq!(bare, Err(Failure::Handler)),
                "user.account" | "user.tx_query" => {
                    assert!(matches!(bare, Err(Failure::Params(_))));
                }
                _ => assert!(bare.is_ok(), "{name}: {bare:?}"),
            }
        }
        assert_eq!(NAMES.len(), 21);
    }

    #[test]
    fn parameters_of_another_type_are_refused() {
        let account = |id: Json| json!({ "id": id });
        let wallet = json!({ "identifier": "11".repeat(20), "key_type": "secp256k1" });
        check_params("user.ping", json!({ "message": 1 }));
        check_params("user.account", account(json!("11")));
        check_params("user.account", account(json!(["11", "ed25519"])));
        check_params("user.account", account(json!({ "identifier": "0x11" })));
        check_params("user.account", account(json!({ "identifier": "1" })));
        check_params("user.account", account(json!({ "identifier": "" })));
        check_params("user.account", json!({ "id": wallet, "status": 2 }));
        check_params("user.account", json!({ "id": wallet, "status": "0" }));
        check_params(
            "user.broadcast",
            json!({ "tx": { "body": {} }, "sync": -1 }),
        );
        check_params("user.broadcast", json!({ "tx": "00" }));
        check_params("user.estimate_price", json!({ "tx": [] }));
        check_params("user.tx_query", json!({ "tx_hash": "ab" }));
        check_params("user.tx_query", json!({ "tx_hash": "zz".repeat(32) }));
        check_params("user.tx_query", json!({ "tx_hash": 7 }));
        check_params("user.query", json!({ "query": "SELECT 1", "params": [] }));
        check_params(
            "user.query",
            json!({ "query": "SELECT $a", "params": { "$a": { "data": ["!"] } } }),
        );
        check_params("user.migration_genesis_chunk", json!({ "height": -1 }));
        check_params("user.changeset", json!({ "height": "1" }));
        check_params("user.authenticated_query", json!({ "body": "SELECT 1" }));
    }

    #[test]
    fn accounts_are_identities() {
        let point = XrplKey::new(&[3; 33]).unwrap();
        for identity in [
            Identity::Evm([1; 20]),
            Identity::Ed25519([2; 32]),
            Identity::Near([2; 32]),
            Identity::Xrpl(XrplKey::ed25519(&[2; 32])),
            Identity::Xrpl(point),
        ] {
            let id = AccountId::new(&identity);
            assert_eq!(id.identity(), Some(identity.account()));
            let params = json!({ "id": id, "status": 1 });
            let parsed = Method::parse("user.account", &params);
            assert_eq!(parsed, Ok(Method::Account { id, pending: true }));
        }
        let nobody = [
            (20, "ed25519"),
            (32, "secp256k1"),
            (33, "ed25519"),
            (33, ""),
            (0, "ed25519"),
        ];
        for (length, key_type) in nobody {
            let id = AccountId {
                identifier: vec![3; length],
                key_type: key_type.to_owned(),
            };
            assert_eq!(id.identity(), None, "{length} {key_type}");
        }
    }
}

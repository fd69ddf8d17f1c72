//! How clients speak to a node: kwil's JSON-RPC as pure functions over bytes and values.
//!
//! No socket is opened here and no clock read. A request body becomes a [`Request`], its method and
//! parameters a [`Method`], and what the node answers becomes a [`Response`] with its HTTP status.
//! Start with [`Request::parse`], then [`Method::parse`]. Source: kwil-rpc 1 to 6.

mod call;
mod chain;
mod encoding;
mod envelope;
mod hear;
mod method;
mod result;
mod transaction;

pub use call::{CallMessage, Mode};
pub use chain::{
    At, BlockJson, BlockResult, ChainBlock, ChainHealth, ChainMethod, ChainTx, ConsensusParams,
    GenesisInfo, Unconfirmed, Validators,
};
pub use encoding::{DataType, EncodedValue};
pub use envelope::{Id, MAX_REQUEST, Request, Response, RpcError};
pub use hear::{
    Heard, Standing, ask, ask_block, ask_chain_info, ask_health, ask_results, ask_unconfirmed,
    ask_validators, hear, hear_block, hear_chain_info, hear_health, hear_results, hear_unconfirmed,
    hear_validators, height_told, outcome,
};
pub use method::{AccountId, Failure, Method, NamedValue};
pub use result::{
    Account, BEHIND, Broadcast, BroadcastRefusal, CallResult, ChainInfo, Challenge, HALTED, Health,
    Ping, Price, QueryResult, TxQuery, TxResult, Version, behind, broadcast_error,
    broadcast_halted, claim_refused, halted, query_result, rejected, timed_out, tx_status,
    view_result,
};
pub use transaction::{
    NoIdentity, Unrunnable, Unusable, batch, parse_transaction, payload, to_ledger,
    transaction_json,
};

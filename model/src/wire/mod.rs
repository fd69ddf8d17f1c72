//! The bytes and texts idOS clients and nodes exchange: arguments, payloads, transactions, view calls.
//!
//! Writing trusts its input: sizes that do not fit their length field are errors of the harness and panic,
//! since a node refuses a transaction long before. Reading trusts nothing: any bytes give a value or an
//! error, and no more memory is used than they justify. Source: kwil-rpc 4, 5 and 6.

mod bridge;
mod bytes;
mod engine;
mod error;
mod numeric;
mod payload;
mod reader;
mod sign_in;
mod transaction;
mod value;
mod view_call;

#[cfg(test)]
mod tests;

pub use bridge::BRIDGE_EVENT;
pub use engine::{
    EnginePayload, KeyId, KeyKind, ParameterUpdate, ParameterUpdates, PowerUpdate, VotableEvent,
};
pub use error::{CallError, DecodeError, DecodeProblem};
pub use numeric::{Numeric, Shape};
pub use payload::{CallPayload, ExecutePayload, call_payload, execute_payload, payload_digest};
pub use sign_in::SignIn;
pub use transaction::{SignedTransaction, canonical_integer, signature_type};
pub use value::{Type, Value};
pub use view_call::call_text;

//! The bytes and texts idOS clients and nodes exchange: arguments, payloads, transactions, view calls.
//!
//! Only writing is here. Sizes that do not fit their length field are errors of the harness and panic; a
//! node refuses a transaction long before. Source: kwil-rpc 4, 5 and 6.

mod bytes;
mod payload;
mod transaction;
mod value;
mod view_call;

pub use payload::{call_payload, execute_payload, payload_digest};
pub use transaction::{TransactionBody, signature_type, transaction_bytes, transaction_id};
pub use value::Value;
pub use view_call::call_text;

//! Payloads: which action, with which arguments.

use sha2::{Digest, Sha256};

use super::Value;
use super::bytes::{put_bytes, put_count};

const VERSION: usize = 0;

/// Payload of an `execute` transaction: the action once per entry of `calls`, in order, all or nothing.
///
/// The name of the action is written in lower case, as the packages do. An empty list runs the action
/// once without arguments; the SDK sends one empty call instead. Source: kwil-rpc 4.
pub fn execute_payload(namespace: &str, action: &str, calls: &[Vec<Value>]) -> Vec<u8> {
    let mut out = header(namespace, action);
    put_count(&mut out, calls.len());
    for arguments in calls {
        put_arguments(&mut out, arguments);
    }
    out
}

/// Payload of a view call. Names as in [`execute_payload`]. Source: kwil-rpc 4.
pub fn call_payload(namespace: &str, action: &str, args: &[Value]) -> Vec<u8> {
    let mut out = header(namespace, action);
    put_arguments(&mut out, args);
    out
}

/// What a signed text says of its payload: the first 20 bytes of its SHA-256, as 40 hex digits.
/// Source: kwil-rpc 5.
pub fn payload_digest(payload: &[u8]) -> String {
    hex::encode(&Sha256::digest(payload)[..20])
}

fn header(namespace: &str, action: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_count(&mut out, VERSION);
    put_bytes(&mut out, namespace.as_bytes());
    put_bytes(&mut out, action.to_lowercase().as_bytes());
    out
}

fn put_arguments(out: &mut Vec<u8>, arguments: &[Value]) {
    put_count(out, arguments.len());
    for argument in arguments {
        put_bytes(out, &argument.encoded());
    }
}

//! Payloads: which action, with which arguments.

use sha2::{Digest, Sha256};

use super::Value;
use super::bytes::{put_bytes, put_count};
use super::error::DecodeError;
use super::reader::Reader;

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

/// An `execute` payload as it was sent: names as written, and possibly no call at all, which stands for
/// one without arguments. Source: kwil-rpc 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutePayload {
    /// Empty means `main`.
    pub namespace: String,
    /// In any case; the engine reads it in lower case.
    pub action: String,
    /// One list of arguments per call.
    pub calls: Vec<Vec<Value>>,
}

impl ExecutePayload {
    /// Reads what [`execute_payload`] writes; bytes after it are ignored, as nodes do.
    pub fn decode(bytes: &[u8]) -> Result<ExecutePayload, DecodeError> {
        let mut reader = Reader::new(bytes);
        let (namespace, action) = read_header(&mut reader)?;
        let mut calls = Vec::new();
        for _ in 0..reader.u16("number of calls")? {
            calls.push(read_arguments(&mut reader)?);
        }
        Ok(ExecutePayload {
            namespace,
            action,
            calls,
        })
    }
}

/// The payload of a view call as it was sent. Source: kwil-rpc 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPayload {
    /// Empty means `main`.
    pub namespace: String,
    /// In any case; the engine reads it in lower case.
    pub action: String,
    /// In order.
    pub arguments: Vec<Value>,
}

impl CallPayload {
    /// Reads what [`call_payload`] writes; bytes after it are ignored, as nodes do.
    pub fn decode(bytes: &[u8]) -> Result<CallPayload, DecodeError> {
        let mut reader = Reader::new(bytes);
        let (namespace, action) = read_header(&mut reader)?;
        let arguments = read_arguments(&mut reader)?;
        Ok(CallPayload {
            namespace,
            action,
            arguments,
        })
    }
}

fn read_header(reader: &mut Reader<'_>) -> Result<(String, String), DecodeError> {
    reader.version("payload")?;
    let namespace = reader.bytes("namespace")?.text("namespace")?.to_owned();
    let action = reader.bytes("action")?.text("action")?.to_owned();
    Ok((namespace, action))
}

// Every argument takes bytes of its own, so a large count with nothing behind it allocates nothing.
fn read_arguments(reader: &mut Reader<'_>) -> Result<Vec<Value>, DecodeError> {
    let mut arguments = Vec::new();
    for _ in 0..reader.u16("number of arguments")? {
        arguments.push(Value::read(&mut reader.bytes("argument")?)?);
    }
    Ok(arguments)
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

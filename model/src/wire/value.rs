//! Arguments of actions.

use uuid::Uuid;

use super::bytes::{put_bytes, put_count};
use crate::id::Text;

/// An argument of an action. `None` is a NULL that carries its type.
///
/// Not here yet: `numeric`, which the fee and bridge actions take, arrays, and decoding. An int8 is written
/// as declared, without the count of digits that the packages add to a type they had to guess.
/// Source: kwil-rpc 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A NULL without a type, fit for a parameter of any type.
    Null,
    /// UTF-8 as given: neither normalized nor checked for NUL, which only the database refuses.
    Text(Option<Text>),
    /// A signed 64-bit number.
    Int8(Option<i64>),
    /// A truth value.
    Bool(Option<bool>),
    /// A UUID of any version.
    Uuid(Option<Uuid>),
    /// Bytes as given.
    Bytea(Option<Vec<u8>>),
}

impl Value {
    /// The value as `EncodedValue`, in the form the JavaScript packages write: NULL is one empty element.
    pub fn encoded(&self) -> Vec<u8> {
        let (name, data) = match self {
            Value::Null => ("null", None),
            Value::Text(text) => ("text", text.as_ref().map(|text| text.as_bytes().to_vec())),
            Value::Int8(number) => ("int8", number.map(|number| number.to_be_bytes().to_vec())),
            Value::Bool(truth) => ("bool", truth.map(|truth| vec![u8::from(truth)])),
            Value::Uuid(id) => ("uuid", id.map(|id| id.as_bytes().to_vec())),
            Value::Bytea(bytes) => ("bytea", bytes.clone()),
        };
        let mut out = Vec::new();
        put_count(&mut out, VERSION);
        put_bytes(&mut out, &data_type(name));
        put_count(&mut out, 1);
        put_bytes(&mut out, &element(data));
        out
    }
}

const VERSION: usize = 0;

/// The description of a scalar without metadata; unlike all around it, this part is big-endian.
fn data_type(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(11 + name.len());
    out.extend([0; 2]); // version
    out.extend((name.len() as u32).to_be_bytes());
    out.extend(name.as_bytes());
    out.push(0); // not an array
    out.extend([0; 4]); // precision and scale
    out
}

fn element(data: Option<Vec<u8>>) -> Vec<u8> {
    match data {
        None => vec![0],
        Some(data) => [&[1], &data[..]].concat(),
    }
}

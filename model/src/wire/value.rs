//! Arguments of actions.

use uuid::Uuid;

use super::bytes::{put_bytes, put_count};
use super::error::{DecodeError, DecodeProblem};
use super::reader::Reader;
use crate::id::Text;

/// An argument of an action. `None` is a NULL that carries its type.
///
/// Not here yet: `numeric`, which the fee and bridge actions take, and arrays. An int8 is written as
/// declared, without the count of digits that the packages add to a type they had to guess.
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
    /// The type's name, in the spelling this model writes; `null` for a NULL without a type.
    pub const fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Text(_) => "text",
            Value::Int8(_) => "int8",
            Value::Bool(_) => "bool",
            Value::Uuid(_) => "uuid",
            Value::Bytea(_) => "bytea",
        }
    }

    /// Whether this is a NULL of whatever type. Nodes forget the type of a NULL as they read it.
    pub const fn is_null(&self) -> bool {
        matches!(
            self,
            Value::Null
                | Value::Text(None)
                | Value::Int8(None)
                | Value::Bool(None)
                | Value::Uuid(None)
                | Value::Bytea(None)
        )
    }

    /// The value as `EncodedValue`, in the form the JavaScript packages write: NULL is one empty element.
    pub fn encoded(&self) -> Vec<u8> {
        let data = match self {
            Value::Null => None,
            Value::Text(text) => text.as_ref().map(|text| text.as_bytes().to_vec()),
            Value::Int8(number) => number.map(|number| number.to_be_bytes().to_vec()),
            Value::Bool(truth) => truth.map(|truth| vec![u8::from(truth)]),
            Value::Uuid(id) => id.map(|id| id.as_bytes().to_vec()),
            Value::Bytea(bytes) => bytes.clone(),
        };
        let mut out = Vec::new();
        put_count(&mut out, VERSION);
        put_bytes(&mut out, &data_type(self.kind()));
        put_count(&mut out, 1);
        put_bytes(&mut out, &element(data));
        out
    }

    /// Reads an `EncodedValue`; bytes after it are ignored, as nodes do. Metadata is ignored too, which for
    /// the types held here means nothing. Source: kwil-rpc 4.
    ///
    /// Errors: whatever a node refuses, and three things it does not: `numeric` and arrays, which are not
    /// held here yet, and text that is no UTF-8, which a node refuses when it runs the action.
    pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
        Value::read(&mut Reader::new(bytes))
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Value, DecodeError> {
        reader.version("value")?;
        let kind = Kind::read(&mut reader.bytes("type")?)?;
        let start = reader.clone();
        let elements = reader.u16("number of elements")?;
        // Go writes no element for an untyped NULL, and reads none when there is one.
        if kind == Kind::Null && elements == 0 {
            return Ok(Value::Null);
        }
        if elements != 1 {
            return Err(start.error("value", DecodeProblem::Elements(elements)));
        }
        let element = reader.bytes("element")?;
        if kind == Kind::Null && element.is_empty() {
            return Ok(Value::Null);
        }
        kind.element(element)
    }
}

/// The types a scalar argument can have here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Text,
    Int8,
    Bool,
    Uuid,
    Bytea,
}

impl Kind {
    fn read(reader: &mut Reader<'_>) -> Result<Kind, DecodeError> {
        let start = reader.clone();
        let version = reader.big_u16("type")?;
        if version != 0 {
            return Err(start.error("type", DecodeProblem::Version(version)));
        }
        let place = reader.clone();
        let name = reader.big_bytes("type name")?.text("type name")?;
        let is_array = reader.u8("array flag")? != 0;
        reader.big_u16("precision")?;
        reader.big_u16("scale")?;
        let refused = |problem| Err(place.error("type name", problem));
        let kind = match name {
            "text" | "string" => Kind::Text,
            "int8" | "int" | "integer" | "bigint" => Kind::Int8,
            "bool" | "boolean" => Kind::Bool,
            "bytea" | "blob" => Kind::Bytea,
            "uuid" => Kind::Uuid,
            "null" => Kind::Null,
            "numeric" | "decimal" => return refused(DecodeProblem::Unsupported("numeric")),
            other => return refused(DecodeProblem::UnknownType(other.to_owned())),
        };
        if is_array {
            return refused(DecodeProblem::Unsupported("array"));
        }
        Ok(kind)
    }

    fn element(self, mut element: Reader<'_>) -> Result<Value, DecodeError> {
        let start = element.clone();
        let refused = |problem| Err(start.error("element", problem));
        if element.is_empty() {
            return refused(DecodeProblem::EmptyElement);
        }
        match element.u8("element")? {
            0 if element.is_empty() => return Ok(self.null()),
            0 => return refused(DecodeProblem::NullWithData),
            1 => {}
            other => return refused(DecodeProblem::Marker(other)),
        }
        let width = |kind, expected| DecodeProblem::Width { kind, expected };
        let data = element.clone().raw();
        Ok(match self {
            Kind::Null => return refused(width("null", 0)),
            Kind::Text => Value::Text(Some(element.text("text")?.into())),
            Kind::Int8 => match data.try_into() {
                Ok(bytes) => Value::Int8(Some(i64::from_be_bytes(bytes))),
                Err(_) => return refused(width("int", 8)),
            },
            // Nodes look at the first byte only, and at nothing but 1 in it.
            Kind::Bool => match data.first() {
                Some(first) => Value::Bool(Some(*first == 1)),
                None => return refused(width("bool", 1)),
            },
            Kind::Uuid => match data.try_into() {
                Ok(bytes) => Value::Uuid(Some(Uuid::from_bytes(bytes))),
                Err(_) => return refused(width("uuid", 16)),
            },
            Kind::Bytea => Value::Bytea(Some(data.to_vec())),
        })
    }

    const fn null(self) -> Value {
        match self {
            Kind::Null => Value::Null,
            Kind::Text => Value::Text(None),
            Kind::Int8 => Value::Int8(None),
            Kind::Bool => Value::Bool(None),
            Kind::Uuid => Value::Uuid(None),
            Kind::Bytea => Value::Bytea(None),
        }
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

//! Arguments of actions.

use std::fmt;

use uuid::Uuid;

use super::bytes::{put_bytes, put_count};
use super::error::{DecodeError, DecodeProblem};
use super::numeric::{Numeric, Shape};
use super::reader::Reader;
use crate::id::Text;

/// An argument of an action. `None` is a NULL that carries its type.
///
/// An int8 is written as declared, without the count of digits that the packages add to a type they had to
/// guess. Source: kwil-rpc 4.
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
    /// A decimal number; a NULL keeps the shape it was declared with.
    Numeric(Shape, Option<Numeric>),
    /// A list of values of one type, NULLs among them; such a NULL is of the list's type too.
    Array(Type, Vec<Value>),
}

/// The types a scalar can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Type {
    Null,
    Text,
    Int8,
    Bool,
    Uuid,
    Bytea,
    Numeric(Shape),
}

/// As the node names types when it compares them.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Numeric(Shape { precision, scale }) => write!(f, "numeric({precision},{scale})"),
            other => f.write_str(other.name()),
        }
    }
}

impl Value {
    /// The type; of an array, that of its elements.
    pub const fn kind(&self) -> Type {
        match self {
            Value::Null => Type::Null,
            Value::Text(_) => Type::Text,
            Value::Int8(_) => Type::Int8,
            Value::Bool(_) => Type::Bool,
            Value::Uuid(_) => Type::Uuid,
            Value::Bytea(_) => Type::Bytea,
            Value::Numeric(shape, _) => Type::Numeric(*shape),
            Value::Array(kind, _) => *kind,
        }
    }

    /// The type as the node names it when it compares types.
    pub fn type_name(&self) -> String {
        match self {
            Value::Array(kind, _) => format!("{kind}[]"),
            other => other.kind().to_string(),
        }
    }

    /// A whole number in the shape of token amounts.
    pub fn amount(number: i128) -> Value {
        Value::Numeric(Shape::UINT256, Some(Numeric::whole(number)))
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
                | Value::Numeric(_, None)
        )
    }

    /// The value as `EncodedValue`, in the form the JavaScript packages write: NULL is one empty element.
    pub fn encoded(&self) -> Vec<u8> {
        let (is_array, elements) = match self {
            Value::Array(_, values) => (true, values.iter().map(Value::element).collect()),
            scalar => (false, vec![scalar.element()]),
        };
        let mut out = Vec::new();
        put_count(&mut out, VERSION);
        put_bytes(&mut out, &self.kind().encoded(is_array));
        put_count(&mut out, elements.len());
        for element in elements {
            put_bytes(&mut out, &element);
        }
        out
    }

    /// Marker and data; an array inside an array is not a value, and is written as NULL.
    fn element(&self) -> Vec<u8> {
        let data = match self {
            Value::Null | Value::Array(..) => None,
            Value::Text(text) => text.as_ref().map(|text| text.as_bytes().to_vec()),
            Value::Int8(number) => number.map(|number| number.to_be_bytes().to_vec()),
            Value::Bool(truth) => truth.map(|truth| vec![u8::from(truth)]),
            Value::Uuid(id) => id.map(|id| id.as_bytes().to_vec()),
            Value::Bytea(bytes) => bytes.clone(),
            Value::Numeric(_, number) => number
                .as_ref()
                .map(|number| number.text().as_bytes().to_vec()),
        };
        match data {
            None => vec![0],
            Some(data) => [&[1], &data[..]].concat(),
        }
    }

    /// Reads an `EncodedValue`; bytes after it are ignored, as nodes do. Metadata is ignored too where it
    /// means nothing, which is everywhere but with numerics. Source: kwil-rpc 4.
    ///
    /// Errors: whatever a node refuses, and text that is no UTF-8, which a node refuses when it runs the
    /// action.
    pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
        Value::read(&mut Reader::new(bytes))
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Value, DecodeError> {
        reader.version("value")?;
        let Declared { kind, is_array } = Declared::read(&mut reader.bytes("type")?)?;
        let start = reader.clone();
        let elements = reader.u16("number of elements")?;
        if is_array {
            let mut values = Vec::new();
            for _ in 0..elements {
                values.push(kind.element(reader.bytes("element")?)?);
            }
            return Ok(Value::Array(kind, values));
        }
        // Go writes no element for an untyped NULL, and reads none when there is one.
        if kind == Type::Null && elements == 0 {
            return Ok(Value::Null);
        }
        if elements != 1 {
            return Err(start.error("value", DecodeProblem::Elements(elements)));
        }
        let element = reader.bytes("element")?;
        if kind == Type::Null && element.is_empty() {
            return Ok(Value::Null);
        }
        kind.element(element)
    }
}

/// A type as an argument declares it.
struct Declared {
    kind: Type,
    is_array: bool,
}

impl Declared {
    fn read(reader: &mut Reader<'_>) -> Result<Declared, DecodeError> {
        let start = reader.clone();
        let version = reader.big_u16("type")?;
        if version != 0 {
            return Err(start.error("type", DecodeProblem::Version(version)));
        }
        let place = reader.clone();
        let name = reader.big_bytes("type name")?.text("type name")?;
        let is_array = reader.u8("array flag")? != 0;
        let shape = Shape {
            precision: reader.big_u16("precision")?,
            scale: reader.big_u16("scale")?,
        };
        let refused = |problem| place.error("type name", problem);
        let kind = match name {
            "text" | "string" => Type::Text,
            "int8" | "int" | "integer" | "bigint" => Type::Int8,
            "bool" | "boolean" => Type::Bool,
            "bytea" | "blob" => Type::Bytea,
            "uuid" => Type::Uuid,
            "null" => Type::Null,
            "numeric" | "decimal" => Type::Numeric(shape.checked().map_err(refused)?),
            other => return Err(refused(DecodeProblem::UnknownType(other.to_owned()))),
        };
        Ok(Declared { kind, is_array })
    }
}

impl Type {
    /// The name in the spelling this model writes.
    const fn name(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Text => "text",
            Type::Int8 => "int8",
            Type::Bool => "bool",
            Type::Uuid => "uuid",
            Type::Bytea => "bytea",
            Type::Numeric(_) => "numeric",
        }
    }

    /// The description of a type; unlike all around it, this part is big-endian.
    fn encoded(self, is_array: bool) -> Vec<u8> {
        let Shape { precision, scale } = match self {
            Type::Numeric(shape) => shape,
            // Metadata of other types means nothing.
            _ => Shape {
                precision: 0,
                scale: 0,
            },
        };
        let name = self.name();
        let mut out = Vec::with_capacity(11 + name.len());
        out.extend([0; 2]); // version
        out.extend((name.len() as u32).to_be_bytes());
        out.extend(name.as_bytes());
        out.push(u8::from(is_array));
        out.extend(precision.to_be_bytes());
        out.extend(scale.to_be_bytes());
        out
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
            Type::Null => return refused(width("null", 0)),
            Type::Text => Value::Text(Some(element.text("text")?.into())),
            Type::Int8 => match data.try_into() {
                Ok(bytes) => Value::Int8(Some(i64::from_be_bytes(bytes))),
                Err(_) => return refused(width("int", 8)),
            },
            // Nodes look at the first byte only, and at nothing but 1 in it.
            Type::Bool => match data.first() {
                Some(first) => Value::Bool(Some(*first == 1)),
                None => return refused(width("bool", 1)),
            },
            Type::Uuid => match data.try_into() {
                Ok(bytes) => Value::Uuid(Some(Uuid::from_bytes(bytes))),
                Err(_) => return refused(width("uuid", 16)),
            },
            Type::Bytea => Value::Bytea(Some(data.to_vec())),
            Type::Numeric(shape) => match Numeric::parse(element.text("numeric")?, shape) {
                Ok(number) => Value::Numeric(shape, Some(number)),
                Err(problem) => return refused(problem),
            },
        })
    }

    const fn null(self) -> Value {
        match self {
            Type::Null => Value::Null,
            Type::Text => Value::Text(None),
            Type::Int8 => Value::Int8(None),
            Type::Bool => Value::Bool(None),
            Type::Uuid => Value::Uuid(None),
            Type::Bytea => Value::Bytea(None),
            Type::Numeric(shape) => Value::Numeric(shape, None),
        }
    }
}

const VERSION: usize = 0;

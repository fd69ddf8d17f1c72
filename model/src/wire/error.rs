//! Why bytes or arguments were not understood.

use thiserror::Error;

/// Bytes that do not decode. The texts of problems a node reports itself are the node's own.
/// Source: kwil-rpc 4 and the verdicts of `encoded_values.json`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("byte {at}: {what}: {problem}")]
pub struct DecodeError {
    /// Offset, in the bytes handed in, of the part that could not be read.
    pub at: usize,
    /// What was expected there.
    pub what: &'static str,
    /// What is wrong with it.
    pub problem: DecodeProblem,
}

/// What is wrong with a part.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeProblem {
    /// The part is longer than what remains.
    #[error("encoded length {needed} is longer than data length {left}")]
    Truncated {
        /// Bytes the part claims.
        needed: u64,
        /// Bytes that remain.
        left: usize,
    },
    /// Only version 0 exists.
    #[error("unknown version {0}")]
    Version(u16),
    /// A type name that nodes do not know; upper case is unknown too.
    #[error("unknown type \"{0}\"")]
    UnknownType(String),
    /// A scalar has exactly one element.
    #[error("expected 1 element, got {0}")]
    Elements(u16),
    /// An element has at least its marker.
    #[error("empty byte slice")]
    EmptyElement,
    /// An element starts with 0 for NULL or 1 for a value.
    #[error("expected 0 or 1 for first byte, got {0}")]
    Marker(u8),
    /// NULL has no data.
    #[error("null byte must be only byte")]
    NullWithData,
    /// A type of fixed width has another one.
    #[error("{kind} must be {expected} bytes")]
    Width {
        /// The type, as nodes call it here.
        kind: &'static str,
        /// Its width.
        expected: usize,
    },
    /// Text that no database would take. Nodes find out later, when they run the action.
    #[error("invalid UTF-8")]
    Utf8,
    /// A numeric says how many digits it has.
    #[error("precision must be at least 1: {0}")]
    NoPrecision(u16),
    /// A numeric with more digits than nodes hold, or more of them behind the point than in all.
    #[error("precision {precision} and scale {scale} are out of range")]
    Shape {
        /// Digits in all.
        precision: u16,
        /// Digits behind the point.
        scale: u16,
    },
    /// A numeric that is no number.
    #[error("parse mantissa: {0}")]
    Mantissa(String),
    /// A numeric with more digits before the point than its type has room for.
    #[error("invalid operation")]
    Overflow,
    /// A number of variable length that does not end, or exceeds 64 bits.
    #[error("varint overflows 64 bits")]
    Varint,
    /// A length below -1, which stands for nil.
    #[error("negative length {0}")]
    NegativeLength(i64),
    /// A big number is absent (0) or present (1).
    #[error("expected 0 or 1 before a big number, got {0}")]
    Presence(u8),
    /// A fee that is no decimal integer.
    #[error("could not parse fee: \"{0}\"")]
    Integer(String),
    /// A key that is neither of the two kinds.
    #[error("invalid key type {0}")]
    KeyType(String),
    /// A parameter that networks do not have.
    #[error("unknown parameter name: {0}")]
    Parameter(String),
    /// A token without a ledger.
    #[error("unknown token \"{0}\"")]
    Token(String),
    /// Something of the other chain that concerns no ledger.
    #[error("unknown kind of event {0}")]
    EventKind(u8),
    /// Bytes that belong to nothing, where they are not ignored.
    #[error("{0} extra bytes")]
    Trailing(usize),
}

/// Arguments that do not fit an action, in the node's words where it has any.
///
/// Nodes check the name, then the count, then the types in order, and only then whether the action may be
/// called at all. Arguments are counted from 0, as the node's own code does. Source: kwil-rpc 3 and the
/// call path of kwil-db's interpreter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// No action of this name, or none that this model has.
    #[error("unknown action: action \"{action}\" does not exist in namespace \"{namespace}\"")]
    UnknownAction {
        /// In lower case, as the engine sees it.
        action: String,
        /// Where it was looked for.
        namespace: String,
    },
    /// No such namespace, or none that this model has.
    #[error("namespace \"{0}\" does not exist")]
    UnknownNamespace(String),
    /// Too few or too many arguments.
    #[error(
        "action invocation error: action \"{action}\" expected {expected} arguments, but got {got}"
    )]
    WrongCount {
        /// Its name.
        action: &'static str,
        /// How many the schema declares.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// A value of another type. NULL fits every type, whichever it carries.
    #[error(
        "type error: action \"{action}\" expected argument {argument} to be of type {expected}, but got {got}"
    )]
    WrongType {
        /// Its name.
        action: &'static str,
        /// Place of the argument, from 0.
        argument: usize,
        /// The declared type.
        expected: String,
        /// The type that came.
        got: String,
    },
    /// NULL where this model needs a value. The engine itself lets it pass, and a constraint of the
    /// database stops it where it would be stored; the text is that constraint's.
    #[error("null value in column \"{parameter}\" violates not-null constraint")]
    Null {
        /// Its name.
        action: &'static str,
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// Only the node itself and the schema's own actions may call it.
    #[error("action is system-only: action \"{action}\" cannot be called from outside")]
    SystemOnly {
        /// Its name.
        action: &'static str,
    },
    /// Only other actions may call it.
    #[error("action is private: action \"{action}\" cannot be called from outside")]
    Private {
        /// Its name.
        action: &'static str,
    },
    /// A mutating action in a view call.
    #[error(
        "connection is read-only and cannot mutate state: action \"{action}\" requires a writer connection"
    )]
    ReadOnly {
        /// Its name.
        action: &'static str,
    },
    /// A view in a transaction. Nodes run it to no effect; this model has no such transactions.
    #[error("action \"{action}\" is a view, and views in transactions are not supported yet")]
    ViewInTransaction {
        /// Its name.
        action: &'static str,
    },
}

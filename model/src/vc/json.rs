//! JSON read so that only one understanding is possible, and its canonical bytes (RFC 8785).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

use super::VcError;

/// JSON text as a value. A member that occurs twice is refused, because readers differ in which of the
/// two they keep and a signature covers only one; so is a number no double holds, because
/// canonicalisation would round it. Errors: `NotJson`, `AmbiguousJson`.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, VcError> {
    let text = std::str::from_utf8(bytes).map_err(|error| VcError::NotJson(error.to_string()))?;
    let Unambiguous(value) =
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => VcError::AmbiguousJson(error.to_string()),
            Category::Io | Category::Syntax | Category::Eof => VcError::NotJson(error.to_string()),
        })?;
    Ok(value)
}

/// The one byte string every reader gets from this value, which must be JSON: a [`Value`] or members of
/// one.
pub(super) fn canonical(value: &impl serde::Serialize) -> Vec<u8> {
    // Never empty bytes instead: two documents would then share a digest.
    serde_json_canonicalizer::to_vec(value).expect(
        "finite numbers and text keys have a canonical form, and JSON values hold nothing else",
    )
}

/// SHA-256 of the canonical bytes.
pub(super) fn digest(value: &impl serde::Serialize) -> [u8; 32] {
    Sha256::digest(canonical(value)).into()
}

struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(UnambiguousVisitor)
            .map(Unambiguous)
    }
}

struct UnambiguousVisitor;

/// Doubles hold every whole number up to here.
const EXACT_MAX: u64 = 1 << 53;

impl<'de> Visitor<'de> for UnambiguousVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("json that has one meaning")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > EXACT_MAX {
            return Err(E::custom("a number is too large to be exact"));
        }
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if value > EXACT_MAX {
            return Err(E::custom("a number is too large to be exact"));
        }
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unambiguous(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "member `{name}` occurs twice"
                )));
            }
            let Unambiguous(value) = access.next_value()?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_laws::laws;
    use proptest::prelude::*;

    #[test]
    fn json_with_two_meanings_is_refused() {
        let table = [
            (r#"{"a":1,"b":{"c":null,"d":[true,"x",1.5]}}"#, "ok"),
            (r#"{"a":1,"a":2}"#, "ambiguous-json"),
            (r#"{"a":{"b":1,"b":1}}"#, "ambiguous-json"),
            (r#"[9007199254740992,-9007199254740992]"#, "ok"),
            ("[9007199254740993]", "ambiguous-json"),
            ("[-9007199254740993]", "ambiguous-json"),
            ("{", "not-json"),
            ("1e999", "not-json"),
            ("", "not-json"),
            ("{} {}", "not-json"),
        ];
        for (text, expected) in table {
            let found = parse(text.as_bytes()).map_or_else(|error| error.code(), |_| "ok");
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(parse(b"\xff").unwrap_err().code(), "not-json");
        // Nesting is bounded, so a short text cannot exhaust the stack.
        assert_eq!(
            parse("[".repeat(100_000).as_bytes()).unwrap_err().code(),
            "not-json"
        );
    }

    #[test]
    fn canonical_bytes_do_not_depend_on_the_writing() {
        let left = parse(br#"{ "b" : 1.0, "a": "\u00e9\/" }"#).unwrap();
        let right = parse("{\"a\":\"é/\",\"b\":1}".as_bytes()).unwrap();
        assert_eq!(canonical(&left), canonical(&right));
        assert_eq!(canonical(&left), "{\"a\":\"é/\",\"b\":1}".as_bytes());
    }

    laws! {
        256;

        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}

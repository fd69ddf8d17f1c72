//! Bytes inside JSON, as Go's decoder takes them and its encoder writes them. Source: kwil-rpc 1.
//!
//! A member that is null or missing reads as empty, unknown members are ignored, and an object is never
//! read from a list.

use std::fmt;

use assay_model::wire::Shape;
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json};

/// Padded base64 that does not look at the bits behind the last byte, as Go does not.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&ALPHABET, PAD.with_decode_allow_trailing_bits(true));

/// A value that may be null or missing.
pub(super) fn nullable<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// An object; null and missing give none.
pub(super) fn object<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Option::<Map<String, Json>>::deserialize(from)? {
        None => Ok(None),
        Some(members) => serde_json::from_value(Json::Object(members))
            .map(Some)
            .map_err(D::Error::custom),
    }
}

/// `[]byte`: padded base64. Line ends inside are skipped.
pub(super) mod base64_bytes {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &[u8],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(bytes))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text: String = nullable(from)?;
        decode_base64(&text).map_err(D::Error::custom)
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    let line: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    BASE64
        .decode(line)
        .map_err(|error| format!("illegal base64 data: {error}"))
}

/// `HexBytes`: lower-case hex without `0x`; upper case is read too.
pub(super) mod hex_bytes {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &[u8],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text: String = nullable(from)?;
        decode_hex(&text).map_err(D::Error::custom)
    }
}

/// `Hash` as 64 hex digits.
pub(super) mod hash {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &[u8; 32],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        hex_bytes::serialize(bytes, to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        decode_hash(&text).map_err(D::Error::custom)
    }
}

/// Hex in the words of Go's decoder, which names the first byte that is no digit.
pub(super) fn decode_hex(text: &str) -> Result<Vec<u8>, String> {
    match text.chars().find(|letter| !letter.is_ascii_hexdigit()) {
        Some(letter) => {
            let point = u32::from(letter);
            Err(format!(
                "encoding/hex: invalid byte: U+{point:04X} '{letter}'"
            ))
        }
        None => hex::decode(text).map_err(|_| "encoding/hex: odd length hex string".to_owned()),
    }
}

/// `Hash`: exactly 64 hex digits.
pub(super) fn decode_hash(text: &str) -> Result<[u8; 32], String> {
    if text.len() != 64 {
        let got = text.len();
        return Err(format!("invalid hash length: expected 64, got {got}"));
    }
    let bytes = decode_hex(text)?;
    bytes.try_into().map_err(|_| "invalid hash".to_owned())
}

/// Writes whatever displays itself as text.
pub(super) fn display<T: fmt::Display, S: Serializer>(value: T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&value)
}

/// How a column or a parameter is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataType {
    /// `text`, `int8`, `bool`, `uuid`, ...
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    /// Whether it is a list of them.
    #[serde(default, deserialize_with = "nullable")]
    pub is_array: bool,
    /// Precision and scale of a numeric, 0 otherwise.
    #[serde(default, deserialize_with = "nullable")]
    pub metadata: [u16; 2],
}

impl DataType {
    /// A type by its name; a numeric has room for 256 bits, as the schema's amounts do, and `[]` behind the
    /// name makes it a list.
    pub fn named(name: &str) -> DataType {
        let (element, is_array) = match name.strip_suffix("[]") {
            Some(element) => (element, true),
            None => (name, false),
        };
        let metadata = match element {
            "numeric" => [Shape::UINT256.precision, Shape::UINT256.scale],
            _ => [0, 0],
        };
        DataType {
            name: element.to_owned(),
            is_array,
            metadata,
        }
    }
}

/// A parameter of a SQL query, not looked into: the model runs no SQL. Source: kwil-rpc 4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedValue {
    /// Its type.
    #[serde(
        rename = "type",
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    pub data_type: Option<DataType>,
    /// Its elements, each with its marker.
    #[serde(default, with = "elements")]
    pub data: Vec<Vec<u8>>,
}

mod elements {
    use super::*;

    pub(super) fn serialize<S: Serializer>(data: &[Vec<u8>], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(data.iter().map(|element| BASE64.encode(element)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts: Vec<String> = nullable(from)?;
        texts
            .iter()
            .map(|text| decode_base64(text))
            .collect::<Result<_, _>>()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_hashes_are_refused_in_the_words_of_the_node() {
        let table = [
            ("0x19", "encoding/hex: invalid byte: U+0078 'x'"),
            ("abc", "encoding/hex: odd length hex string"),
            ("é0", "encoding/hex: invalid byte: U+00E9 'é'"),
            ("1 ", "encoding/hex: invalid byte: U+0020 ' '"),
        ];
        for (text, told) in table {
            assert_eq!(decode_hex(text), Err(told.to_owned()));
        }
        assert_eq!(decode_hex("aAfF"), Ok(vec![0xaa, 0xff]));
        let told = "invalid hash length: expected 64, got 44";
        assert_eq!(decode_hash(&"q".repeat(44)), Err(told.to_owned()));
        assert_eq!(decode_hash(&"0f".repeat(32)), Ok([15; 32]));
    }

    #[test]
    fn base64_is_padded_and_may_be_folded() {
        assert_eq!(decode_base64("3q0="), Ok(vec![0xde, 0xad]));
        assert_eq!(decode_base64("3q\r\n0="), Ok(vec![0xde, 0xad]));
        // The last two bits belong to nothing, and nobody looks at them.
        assert_eq!(decode_base64("3q1="), Ok(vec![0xde, 0xad]));
        for refused in ["3q0", "3q0==", "3q-_", "3 q0=", "="] {
            assert!(decode_base64(refused).is_err(), "{refused}");
        }
    }
}

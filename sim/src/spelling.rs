//! The ways in which the same bytes are written: who searches for a secret must know them all, or takes
//! a secret that was only encoded for one that is not there.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spelling {
    /// As they are.
    Raw,
    /// In base64, when so many bytes (modulo three) stand before them in what was encoded.
    Base64(u8),
    /// The same in the alphabet for URLs, where the two differ.
    Base64Url(u8),
    /// In hex, in small letters.
    HexLower,
    /// In hex, in capital letters.
    HexUpper,
    /// Two bytes for each, the other one zero: UTF-16 of either byte order.
    Utf16,
    /// As JSON may escape them.
    Json,
    /// As URLs and forms escape them.
    Percent,
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Spelling::Raw => "as it is",
            Spelling::Base64(0) => "base64",
            Spelling::Base64(1) => "base64 after one byte",
            Spelling::Base64(_) => "base64 after two bytes",
            Spelling::Base64Url(0) => "base64url",
            Spelling::Base64Url(1) => "base64url after one byte",
            Spelling::Base64Url(_) => "base64url after two bytes",
            Spelling::HexLower => "hex",
            Spelling::HexUpper => "hex in capitals",
            Spelling::Utf16 => "UTF-16",
            Spelling::Json => "JSON escapes",
            Spelling::Percent => "percent escapes",
        })
    }
}

/// Every way of writing the bytes, each once. What two ways have in common stands under the first.
pub fn spellings(bytes: &[u8]) -> Vec<(Spelling, Vec<u8>)> {
    let hex = hex::encode(bytes);
    let mut all = vec![(Spelling::Raw, bytes.to_vec())];
    for offset in 0..3 {
        all.push((Spelling::Base64(offset), base64_at(bytes, offset, false)));
        all.push((Spelling::Base64Url(offset), base64_at(bytes, offset, true)));
    }
    let capitals = hex.to_ascii_uppercase().into_bytes();
    all.push((Spelling::HexLower, hex.into_bytes()));
    all.push((Spelling::HexUpper, capitals));
    all.push((Spelling::Utf16, utf16(bytes)));
    for capitals in [false, true] {
        all.push((Spelling::Json, escaped(bytes, "\\u00", capitals, plain)));
        all.push((Spelling::Percent, escaped(bytes, "%", capitals, plain)));
        all.push((Spelling::Percent, escaped(bytes, "%", capitals, unreserved)));
    }
    all.push((Spelling::Json, slashes(bytes)));

    let mut kept: Vec<(Spelling, Vec<u8>)> = Vec::new();
    for (spelling, text) in all {
        if !text.is_empty() && kept.iter().all(|(_, known)| *known != text) {
            kept.push((spelling, text));
        }
    }
    kept
}

/// The characters that the base64 of the bytes has for certain when so many others stand before them:
/// those at the ends also hold bits of the neighbours.
fn base64_at(bytes: &[u8], offset: u8, url: bool) -> Vec<u8> {
    let before = usize::from(offset);
    let mut padded = vec![0; before];
    padded.extend(bytes);
    let encoded = if url {
        URL_SAFE_NO_PAD.encode(&padded)
    } else {
        STANDARD_NO_PAD.encode(&padded)
    };
    let (first, last) = (unsettled(offset), padded.len() * 8 / 6);
    encoded.as_bytes().get(first..last).unwrap_or(&[]).to_vec()
}

/// How many characters of base64 depend on the bytes in front, when there are so many of them.
pub const fn unsettled(offset: u8) -> usize {
    (offset as usize * 8).div_ceil(6)
}

/// Without the outermost zero, which stands in front or behind as the byte order has it.
fn utf16(bytes: &[u8]) -> Vec<u8> {
    let mut wide: Vec<u8> = bytes.iter().flat_map(|byte| [*byte, 0]).collect();
    wide.pop();
    wide
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Source: RFC 3986 section 2.3.
fn unreserved(byte: u8) -> bool {
    plain(byte) || b"-._~".contains(&byte)
}

fn escaped(bytes: &[u8], escape: &str, capitals: bool, kept: fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if kept(*byte) {
            out.push(*byte);
            continue;
        }
        out.extend(escape.bytes());
        let digits = hex::encode([*byte]);
        out.extend(if capitals {
            digits.to_ascii_uppercase().into_bytes()
        } else {
            digits.into_bytes()
        });
    }
    out
}

fn slashes(bytes: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b'/' => vec![b'\\', b'/'],
        byte => vec![*byte],
    };
    bytes.iter().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spelled = [(Spelling, Vec<u8>)];

    fn found(spelled: &Spelled, text: &[u8]) -> Vec<Spelling> {
        let within = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        let found = spelled.iter().filter(|(_, part)| within(part));
        found.map(|(spelling, _)| *spelling).collect()
    }

    #[test]
    fn bytes_are_found_as_others_write_them() {
        let secret = "top-secret/÷?>~";
        let bytes = secret.as_bytes();
        let spelled = spellings(bytes);
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "to top-secret/ and more"
                .encode_utf16()
                .flat_map(order)
                .collect()
        };
        let ascii = spellings(b"top-secret/");
        let upper = hex::encode_upper(bytes);
        let table: [(&Spelled, Vec<u8>, Spelling); 9] = [
            (
                &spelled,
                format!("a {secret} b").into_bytes(),
                Spelling::Raw,
            ),
            (
                &spelled,
                hex::encode(bytes).into_bytes(),
                Spelling::HexLower,
            ),
            (&spelled, upper.into_bytes(), Spelling::HexUpper),
            (&ascii, utf16(u16::to_le_bytes), Spelling::Utf16),
            (&ascii, utf16(u16::to_be_bytes), Spelling::Utf16),
            (&ascii, br"top\u002dsecret\u002f".to_vec(), Spelling::Json),
            (&ascii, br"top-secret\/".to_vec(), Spelling::Json),
            (&ascii, b"top-secret%2F".to_vec(), Spelling::Percent),
            (&ascii, b"top%2dsecret%2f".to_vec(), Spelling::Percent),
        ];
        for (spelled, text, expected) in table {
            assert_eq!(found(spelled, &text), [expected], "{expected:?}");
        }
        for before in 0..6_u8 {
            let text = [vec![b'x'; before.into()], bytes.to_vec(), b"yy".to_vec()].concat();
            let standard = found(&spelled, STANDARD_NO_PAD.encode(&text).as_bytes());
            assert_eq!(standard, [Spelling::Base64(before % 3)]);
            let url = found(&spelled, URL_SAFE_NO_PAD.encode(&text).as_bytes());
            assert_eq!(url.len(), 1, "{before}: {url:?}");
        }
    }

    #[test]
    fn no_way_of_writing_is_listed_twice() {
        let spelled = spellings(b"assay-secret-");
        for (index, (_, text)) in spelled.iter().enumerate() {
            assert!(spelled[..index].iter().all(|(_, other)| other != text));
        }
        assert!(spellings(b"").is_empty());
    }
}

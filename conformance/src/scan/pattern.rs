//! What is searched for, in every way it may be written, as one automaton.

use aho_corasick::AhoCorasick;
use assay_model::actor::MARKER_PREFIX;
use assay_sim::spelling::{Spelling, spellings, unsettled};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::unpack::Packing;

/// The needle every search knows: a secret of a story, which its marker gives away.
pub const MARKED: &str = "marked-secret";

/// Digits of a marker after its prefix.
const MARKER_DIGITS: usize = 16;

/// Bytes of a needle that are searched for: enough that chance does not write them.
const LONGEST: usize = 48;

/// Bytes below which chance may write them.
const SHORTEST: usize = 12;

/// Something to search for besides marked secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    id: String,
    forms: Vec<Vec<u8>>,
}

/// Why something cannot be searched for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{id}` has {length} bytes to search for, and fewer than {SHORTEST} are found by chance")]
pub struct NeedleError {
    /// The needle.
    pub id: String,
    /// Its length, in bytes.
    pub length: usize,
}

impl Needle {
    /// Bytes under a name; the beginning of long ones stands for them.
    pub fn new(id: impl Into<String>, bytes: &[u8]) -> Result<Needle, NeedleError> {
        let id = id.into();
        if bytes.len() < SHORTEST {
            let length = bytes.len();
            return Err(NeedleError { id, length });
        }
        let forms = vec![beginning(bytes)];
        Ok(Needle { id, forms })
    }

    /// The content of a credential: the base64 it is stored as, and the bytes it stands for.
    pub fn content(id: impl Into<String>, stored: &str) -> Result<Needle, NeedleError> {
        let mut needle = Needle::new(id, stored.as_bytes())?;
        // Content that is not base64 has no other form.
        if let Ok(bytes) = lenient().decode(stored)
            && bytes.len() >= SHORTEST
        {
            needle.forms.push(beginning(&bytes));
        }
        Ok(needle)
    }
}

fn beginning(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(LONGEST)].to_vec()
}

/// What a pattern stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'a> {
    /// Something searched for.
    Needle {
        /// Its id.
        needle: &'a str,
        /// How it is written.
        spelling: Spelling,
    },
    /// The beginning of a packed frame.
    Frame(Packing),
}

/// Everything searched for, as one automaton.
#[derive(Debug)]
pub(super) struct Patterns {
    automaton: AhoCorasick,
    needles: Vec<(String, Spelling)>,
    longest: usize,
}

impl Patterns {
    pub(super) fn new(needles: &[Needle]) -> Patterns {
        let mut texts: Vec<Vec<u8>> = Packing::ALL.map(|p| p.magic().to_vec()).to_vec();
        let mut named: Vec<(String, Spelling)> = Vec::new();
        let marked = (MARKED, MARKER_PREFIX.as_bytes());
        let given = needles.iter().flat_map(|needle| {
            let forms = needle.forms.iter();
            forms.map(|form| (needle.id.as_str(), form.as_slice()))
        });
        for (id, form) in std::iter::once(marked).chain(given) {
            for (spelling, text) in spellings(form) {
                named.push((id.to_owned(), spelling));
                texts.push(text);
            }
        }
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        Patterns {
            automaton: AhoCorasick::new(texts).expect("patterns of some hundred bytes"),
            needles: named,
            longest,
        }
    }

    /// Bytes two pieces of a stream must share: a pattern, and the digits behind it in the longest way
    /// of writing them.
    pub(super) fn overlap(&self) -> usize {
        self.longest + 2 * MARKER_DIGITS + 8
    }

    /// Everything found, also what overlaps: beginning, end, and what it is.
    pub(super) fn find<'a>(
        &'a self,
        window: &'a [u8],
    ) -> impl Iterator<Item = (usize, usize, What<'a>)> {
        self.automaton.find_overlapping_iter(window).map(|found| {
            let index = found.pattern().as_usize();
            let what = match Packing::ALL.get(index) {
                Some(packing) => What::Frame(*packing),
                None => {
                    let (needle, spelling) = &self.needles[index - Packing::ALL.len()];
                    What::Needle {
                        needle,
                        spelling: *spelling,
                    }
                }
            };
            (found.start(), found.end(), what)
        })
    }
}

/// The digits of a marker whose prefix was found between `start` and `end`.
pub(super) fn digits(
    spelling: Spelling,
    window: &[u8],
    start: usize,
    end: usize,
) -> Option<String> {
    let bytes = match spelling {
        // Digits need no escape.
        Spelling::Raw | Spelling::Json | Spelling::Percent => {
            window.get(end..end + MARKER_DIGITS)?.to_vec()
        }
        Spelling::HexLower | Spelling::HexUpper => {
            hex::decode(window.get(end..end + 2 * MARKER_DIGITS)?).ok()?
        }
        Spelling::Utf16 => {
            let wide = window.get(end..end + 2 * MARKER_DIGITS)?;
            wide.iter().skip(1).step_by(2).copied().collect()
        }
        Spelling::Base64(offset) | Spelling::Base64Url(offset) => {
            behind(window.get(start..)?, offset)?
        }
    };
    let text = String::from_utf8(bytes).ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(text)
}

/// The digits behind a prefix in base64. The characters in front of the first certain one also hold bits
/// of the neighbours, and any will do: they do not reach the digits.
fn behind(found: &[u8], offset: u8) -> Option<Vec<u8>> {
    let before = usize::from(offset) + MARKER_PREFIX.len();
    let bytes = before + MARKER_DIGITS;
    let characters = (bytes * 8).div_ceil(6) - unsettled(offset);
    let standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => *byte,
    };
    let mut text = vec![b'A'; unsettled(offset)];
    text.extend(found.get(..characters)?.iter().map(standard));
    let decoded = lenient().decode(text).ok()?;
    Some(decoded.get(before..bytes)?.to_vec())
}

/// Base64 that may stop anywhere.
fn lenient() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet::STANDARD, config)
}

//! Looks for plaintext where none may be: every document of a story carries a marker, and the marker's
//! beginning is searched for as it is, in base64 at each offset, and in hex.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use assay_model::actor::MARKER_PREFIX;
use assay_model::id::TxId;
use assay_model::ledger::Transaction;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Length of a marker after its prefix.
const MARKER_DIGITS: usize = 16;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Bytes searched.
    pub(crate) bytes: u64,
    /// Markers, or how they were written.
    pub(crate) markers: Vec<String>,
}

/// The search, with a memory of what it has searched already.
#[derive(Debug)]
pub(crate) struct Scanner {
    patterns: AhoCorasick,
    known: BTreeMap<TxId, Found>,
}

impl Default for Scanner {
    fn default() -> Scanner {
        let mut patterns = vec![MARKER_PREFIX.to_owned(), hex::encode(MARKER_PREFIX)];
        patterns.extend((0..3).map(|offset| base64_at(MARKER_PREFIX, offset)));
        let patterns = AhoCorasick::new(patterns).expect("five short patterns");
        Scanner {
            patterns,
            known: BTreeMap::new(),
        }
    }
}

impl Scanner {
    /// What every text in a transaction's arguments gives away.
    pub(crate) fn transaction(&mut self, transaction: &Transaction) -> &Found {
        let patterns = &self.patterns;
        self.known.entry(transaction.id).or_insert_with(|| {
            let texts = transaction
                .batch
                .calls()
                .iter()
                .flat_map(|call| call.texts());
            texts.fold(Found::default(), |mut found, text| {
                found.bytes += text.len() as u64;
                found.markers.extend(markers(patterns, &text));
                found
            })
        })
    }
}

fn markers(patterns: &AhoCorasick, text: &str) -> Vec<String> {
    patterns
        .find_iter(text)
        .map(|found| match found.pattern().as_usize() {
            0 => {
                let end = (found.end() + MARKER_DIGITS).min(text.len());
                text.get(found.start()..end)
                    .unwrap_or(MARKER_PREFIX)
                    .to_owned()
            }
            1 => format!("{MARKER_PREFIX}.. in hex"),
            _ => format!("{MARKER_PREFIX}.. in base64"),
        })
        .collect()
}

/// The characters that the text's base64 has for certain when so many bytes stand before it: those at
/// the ends also hold bits of its neighbours.
fn base64_at(text: &str, offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend(text.bytes());
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    let (first, last) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
    encoded[first..last].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_however_it_is_written() {
        let scanner = Scanner::default();
        let marker = format!("{MARKER_PREFIX}0123456789abcdef");
        assert_eq!(
            markers(&scanner.patterns, &format!("x {marker} y")),
            std::slice::from_ref(&marker)
        );
        assert_eq!(markers(&scanner.patterns, &hex::encode(&marker)).len(), 1);
        for before in ["", "a", "ab", "abc", "abcd"] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{marker} and more"));
            assert_eq!(
                markers(&scanner.patterns, &text).len(),
                1,
                "after {before:?}"
            );
        }
        assert!(markers(&scanner.patterns, "nothing to see here").is_empty());
    }
}

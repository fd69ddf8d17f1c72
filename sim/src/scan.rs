//! Looks for plaintext where none may be: every document of a story carries a marker, and the marker's
//! beginning is searched for as it is, in base64 at each offset, and in hex.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use assay_model::actor::MARKER_PREFIX;
use assay_model::id::TxId;
use assay_model::ledger::Transaction;

use crate::spelling::{Spelling, spellings};

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
    spellings: Vec<Spelling>,
    known: BTreeMap<TxId, Found>,
}

impl Default for Scanner {
    fn default() -> Scanner {
        // Arguments are texts, and every pattern more makes the search slower.
        let such = |spelling: &Spelling| {
            matches!(
                spelling,
                Spelling::Raw | Spelling::HexLower | Spelling::Base64(_)
            )
        };
        let spelled = spellings(MARKER_PREFIX.as_bytes());
        let (spellings, patterns): (Vec<Spelling>, Vec<Vec<u8>>) = spelled
            .into_iter()
            .filter(|(spelling, _)| such(spelling))
            .unzip();
        let patterns = AhoCorasick::new(patterns).expect("five short patterns");
        Scanner {
            patterns,
            spellings,
            known: BTreeMap::new(),
        }
    }
}

impl Scanner {
    /// What every text in a transaction's arguments gives away.
    pub(crate) fn transaction(&mut self, transaction: &Transaction) -> &Found {
        let (patterns, spellings) = (&self.patterns, &self.spellings);
        self.known.entry(transaction.id).or_insert_with(|| {
            let texts = transaction
                .payload
                .calls()
                .iter()
                .flat_map(|call| call.texts());
            texts.fold(Found::default(), |mut found, text| {
                found.bytes += text.len() as u64;
                found.markers.extend(markers(patterns, spellings, &text));
                found
            })
        })
    }
}

fn markers(patterns: &AhoCorasick, spellings: &[Spelling], text: &str) -> Vec<String> {
    patterns
        .find_iter(text)
        .map(|found| match spellings[found.pattern().as_usize()] {
            Spelling::Raw => {
                let end = (found.end() + MARKER_DIGITS).min(text.len());
                text.get(found.start()..end)
                    .unwrap_or(MARKER_PREFIX)
                    .to_owned()
            }
            Spelling::HexLower => format!("{MARKER_PREFIX}.. in hex"),
            _ => format!("{MARKER_PREFIX}.. in base64"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;

    use super::*;

    #[test]
    fn a_marker_is_found_however_it_is_written() {
        let scanner = Scanner::default();
        let markers = |text: &str| markers(&scanner.patterns, &scanner.spellings, text);
        let marker = format!("{MARKER_PREFIX}0123456789abcdef");
        assert_eq!(
            markers(&format!("x {marker} y")),
            std::slice::from_ref(&marker)
        );
        assert_eq!(markers(&hex::encode(&marker)).len(), 1);
        for before in ["", "a", "ab", "abc", "abcd"] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{marker} and more"));
            assert_eq!(markers(&text).len(), 1, "after {before:?}");
        }
        assert!(markers("nothing to see here").is_empty());
    }
}

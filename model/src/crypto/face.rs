//! The key of a FaceSign wallet: entropy that a face leads to, as a phrase of words, as an Ed25519 key.
//! Source: idos-facts 4.11.

use bip39::Mnemonic;

/// The phrase of twelve words (BIP-39, English) for what the entropy service gave.
pub fn face_phrase(entropy: &[u8; 16]) -> String {
    let phrase = Mnemonic::from_entropy(entropy).expect("16 bytes make twelve words");
    phrase.to_string()
}

/// The words of a phrase; nothing when it is no phrase, checksum and all.
pub(super) fn parsed(phrase: &str) -> Option<Mnemonic> {
    Mnemonic::parse(phrase).ok()
}

/// The secret of the Ed25519 key: the first half of the seed, without a passphrase.
pub(super) fn secret_of(phrase: &Mnemonic) -> [u8; 32] {
    let seed = phrase.to_seed("");
    let mut secret = [0; 32];
    secret.copy_from_slice(&seed[..32]);
    secret
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::crypto::{KdfMemo, Real, Scheme, SigningKey, Suite, Symbolic};

    const ZEROS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                         abandon abandon about";

    /// Phrases of the vectors of BIP-39, and the key of idos-facts 4.11.
    #[test]
    fn phrases_and_keys_are_those_of_the_vectors() {
        let table = [
            ([0x00; 16], ZEROS),
            (
                [0x7f; 16],
                "legal winner thank year wave sausage worth useful legal winner thank yellow",
            ),
            (
                [0x80; 16],
                "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
            ),
            (
                [0xff; 16],
                "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
            ),
        ];
        for (entropy, phrase) in table {
            assert_eq!(face_phrase(&entropy), phrase);
        }
        let real = Real::new(Arc::new(KdfMemo::new()));
        let key = SigningKey {
            scheme: Scheme::Ed25519,
            secret: real.face_secret(ZEROS).unwrap(),
        };
        assert_eq!(
            real.identity(&key).caller(),
            "c5785e1865b708938aff8161d573006496663b1aa10834e396dc566869a2c66a"
        );
    }

    #[test]
    fn what_is_no_phrase_gives_no_key() {
        let real = Real::new(Arc::new(KdfMemo::new()));
        let suites: [&dyn Suite; 2] = [&real, &Symbolic];
        for suite in suites {
            assert!(suite.face_secret(ZEROS).is_some());
            for wrong in ["", "abandon", &ZEROS.replace("about", "abandon")] {
                assert_eq!(suite.face_secret(wrong), None, "{wrong}");
            }
        }
    }
}

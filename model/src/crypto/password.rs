//! What both suites ask of a password and its salt before they derive a key.

use unicode_normalization::UnicodeNormalization;

use super::KdfError;

/// The password as it enters the derivation: NFKC, so that two ways to type one character give one key.
/// Source: idos-facts 4.9.
pub(super) fn normalized(password: &str) -> String {
    password.nfkc().collect()
}

/// Accepts what reads as a version 4 UUID in the hyphenated form. Letter case and the variant digit are
/// not looked at, because the SDK does not look at them. Source: kwil-rpc 11.1.
pub(super) fn check_salt(salt: &str) -> Result<(), KdfError> {
    let salt = salt.as_bytes();
    let well_formed = salt.len() == 36
        && salt.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            _ => byte.is_ascii_hexdigit(),
        });
    if well_formed {
        Ok(())
    } else {
        Err(KdfError::InvalidSalt)
    }
}

/// What a guesser tries first: a stretch of the usual lists of leaked passwords.
pub const DICTIONARY: &[&str] = &[
    "123456",
    "password",
    "qwerty123",
    "iloveyou",
    "password1",
    "letmein",
    "dragon",
    "monkey",
];

/// Least strength of a password whose salt and public key operators hold: 2^40 derivations, each of which
/// takes 16 MiB and some tens of milliseconds, are more than a thousand years of one processor.
pub const LEAST_STRENGTH: u32 = 40;

/// How much a word counts, in bits: as if drawn from 2 048.
const WORD: u32 = 11;
/// How much a letter counts outside of words.
const LETTER: u32 = 4;
/// How much a digit counts.
const DIGIT: u32 = 3;
/// How much any other character counts, spaces apart.
const MARK: u32 = 4;

/// How many times a guesser has to double its work to find a password, from below: a run of letters counts as a
/// word of a short list at most, and what repeats the character before it counts nothing.
pub fn strength(password: &str) -> u32 {
    let password = normalized(password);
    let (mut bits, mut word, mut before) = (0, 0, None);
    for character in password.chars() {
        let repeated = before == Some(character);
        before = Some(character);
        if character.is_alphabetic() {
            word = WORD.min(word + if repeated { 0 } else { LETTER });
            continue;
        }
        bits += std::mem::take(&mut word);
        bits += match character {
            _ if repeated || character.is_whitespace() => 0,
            '0'..='9' => DIGIT,
            _ => MARK,
        };
    }
    bits + word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_a_version_4_uuid_in_any_case() {
        let table = [
            ("9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11", true),
            ("9F51B3B2-4CBE-4C2B-8EA3-0B0C1B2F1A11", true),
            // The variant digit is free, the version digit is not.
            ("9f51b3b2-4cbe-4c2b-0ea3-0b0c1b2f1a11", true),
            ("9f51b3b2-4cbe-1c2b-8ea3-0b0c1b2f1a11", false),
            ("9f51b3b24cbe4c2b8ea30b0c1b2f1a11", false),
            ("{9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11}", false),
            ("9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a1g", false),
            ("9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11 ", false),
            ("", false),
        ];
        for (salt, accepted) in table {
            assert_eq!(check_salt(salt).is_ok(), accepted, "{salt:?}");
        }
    }

    #[test]
    fn what_is_on_the_lists_is_weak_and_what_nobody_lists_is_strong() {
        for weak in DICTIONARY
            .iter()
            .chain(&["", "P@ssw0rd!", "aaaaaaaaaaaaaaaaaaaaaaaa"])
        {
            assert!(strength(weak) < LEAST_STRENGTH, "{weak}");
        }
        let strong = [
            "correct horse battery staple",
            "alice knows a long password",
            "q7#Lw!0bZ/x2@Vd9&Kp;",
        ];
        for strong in strong {
            assert!(strength(strong) >= LEAST_STRENGTH, "{strong}");
        }
    }

    #[test]
    fn one_password_typed_in_two_ways_is_one_password() {
        assert_eq!(normalized("o\u{fb01}ce"), "ofice");
        assert_eq!(normalized("cafe\u{301}"), normalized("caf\u{e9}"));
    }
}

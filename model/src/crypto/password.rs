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
    fn one_password_typed_in_two_ways_is_one_password() {
        assert_eq!(normalized("o\u{fb01}ce"), "ofice");
        assert_eq!(normalized("cafe\u{301}"), normalized("caf\u{e9}"));
    }
}

//! Levels: how much an issuer checked. Source: idos-facts 4.12.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Subject;

/// What every level starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// The person and an identity document.
    Basic,
    /// And a proven residential address.
    Plus,
}

/// `basic` or `plus`, then add-ons joined by `+`, such as `plus+liveness+email`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Level {
    /// What the level starts with.
    pub base: Base,
    /// Add-on `liveness`: a living person showed the document.
    pub liveness: bool,
    /// Add-on `email`.
    pub email: bool,
    /// Add-on `phoneNumber`.
    pub phone_number: bool,
}

/// Why a text is not a level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// The first part is neither `basic` nor `plus`.
    #[error("unknown base `{0}` (known: basic, plus)")]
    UnknownBase(String),
    /// A later part is not an add-on.
    #[error("unknown add-on `{0}` (known: liveness, email, phoneNumber)")]
    UnknownAddon(String),
    /// An add-on occurs twice, which would raise the score for nothing.
    #[error("add-on `{0}` occurs twice")]
    RepeatedAddon(String),
}

impl Level {
    /// `basic`, without add-ons.
    pub const BASIC: Level = Level {
        base: Base::Basic,
        liveness: false,
        email: false,
        phone_number: false,
    };

    /// `plus`, without add-ons.
    pub const PLUS: Level = Level {
        base: Base::Plus,
        ..Level::BASIC
    };

    /// The level a subject's data supports: plus with a proven address in a named city, liveness with a
    /// selfie, email and phone number when given. An empty file or text supports nothing.
    pub fn derive(subject: &Subject) -> Level {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let address = subject.residential_address.as_ref();
        let proven = address.is_some_and(|address| {
            let proof = address.proof.as_ref();
            !address.city.is_empty()
                && proof.is_some_and(|p| !p.category.is_empty() && !p.file.0.is_empty())
        });
        Level {
            base: if proven { Base::Plus } else { Base::Basic },
            liveness: !subject.selfie_file.0.is_empty(),
            email: given(&subject.email),
            phone_number: given(&subject.phone_number),
        }
    }

    /// Whether a credential of this level serves where `required` is asked for: `plus` serves for
    /// `basic` but not the other way round, and every required add-on must be present.
    pub fn matches_or_higher(self, required: Level) -> bool {
        self.base >= required.base
            && self.liveness >= required.liveness
            && self.email >= required.email
            && self.phone_number >= required.phone_number
    }

    /// Rank among levels that serve, best highest: 100 for plus, 10 for each add-on.
    pub fn score(self) -> u32 {
        let base = match self.base {
            Base::Basic => 0,
            Base::Plus => 100,
        };
        let addons = [self.liveness, self.email, self.phone_number];
        base + 10 * addons.into_iter().map(u32::from).sum::<u32>()
    }
}

/// Add-ons in the order `liveness`, `email`, `phoneNumber`, which is the order of the SDK.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.base {
            Base::Basic => "basic",
            Base::Plus => "plus",
        })?;
        let addons = [
            (self.liveness, "+liveness"),
            (self.email, "+email"),
            (self.phone_number, "+phoneNumber"),
        ];
        addons
            .into_iter()
            .filter(|(present, _)| *present)
            .try_for_each(|(_, text)| f.write_str(text))
    }
}

/// Add-ons are read in any order.
impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Level, LevelError> {
        let mut parts = text.split('+');
        let mut level = match parts.next() {
            Some("basic") => Level::BASIC,
            Some("plus") => Level::PLUS,
            other => {
                return Err(LevelError::UnknownBase(
                    other.unwrap_or_default().to_owned(),
                ));
            }
        };
        for part in parts {
            let addon = match part {
                "liveness" => &mut level.liveness,
                "email" => &mut level.email,
                "phoneNumber" => &mut level.phone_number,
                _ => return Err(LevelError::UnknownAddon(part.to_owned())),
            };
            if std::mem::replace(addon, true) {
                return Err(LevelError::RepeatedAddon(part.to_owned()));
            }
        }
        Ok(level)
    }
}

impl TryFrom<String> for Level {
    type Error = LevelError;

    fn try_from(text: String) -> Result<Level, LevelError> {
        text.parse()
    }
}

impl From<Level> for String {
    fn from(level: Level) -> String {
        level.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vc::subject::tests::{alice, proven_address};
    use crate::vc::{AddressProof, File, ResidentialAddress};
    use assay_laws::laws;

    fn level(text: &str) -> Level {
        text.parse().unwrap()
    }

    #[test]
    fn levels_follow_their_grammar() {
        for text in [
            "basic",
            "plus",
            "basic+liveness",
            "plus+liveness+email+phoneNumber",
            "basic+phoneNumber",
        ] {
            assert_eq!(level(text).to_string(), text);
        }
        assert_eq!(
            level("plus+email+liveness").to_string(),
            "plus+liveness+email"
        );
        for text in [
            "",
            "Basic",
            "basic+",
            "+email",
            "basic+face",
            "basic+email+email",
            "plus plus",
            "human",
        ] {
            assert!(text.parse::<Level>().is_err(), "{text}");
        }
    }

    #[test]
    fn plus_serves_for_basic_and_every_add_on_counts() {
        let table = [
            ("basic", "basic", true),
            ("plus", "basic", true),
            ("basic", "plus", false),
            ("basic+liveness+email+phoneNumber", "plus", false),
            ("basic+liveness", "basic+liveness", true),
            ("basic+liveness", "basic+liveness+email", false),
            ("plus+liveness", "basic+liveness", true),
        ];
        for (held, required, expected) in table {
            assert_eq!(
                level(held).matches_or_higher(level(required)),
                expected,
                "{held} {required}"
            );
        }
        assert_eq!(level("basic").score(), 0);
        assert_eq!(level("plus+liveness+email").score(), 120);
    }

    #[test]
    fn a_level_follows_from_the_data() {
        let bare = Subject {
            selfie_file: File::default(),
            email: None,
            phone_number: None,
            residential_address: None,
            ..alice()
        };
        let check = |subject: Subject, expected: &str| {
            assert_eq!(Level::derive(&subject).to_string(), expected);
        };
        check(bare.clone(), "basic");
        check(
            Subject {
                selfie_file: File::from(b"selfie".as_slice()),
                ..bare.clone()
            },
            "basic+liveness",
        );
        check(
            Subject {
                email: Some("a@example.org".into()),
                ..bare.clone()
            },
            "basic+email",
        );
        check(
            Subject {
                phone_number: Some(String::new()),
                ..bare.clone()
            },
            "basic",
        );
        check(
            Subject {
                residential_address: Some(proven_address()),
                ..bare.clone()
            },
            "plus",
        );
        let unproven = ResidentialAddress {
            proof: None,
            ..proven_address()
        };
        check(
            Subject {
                residential_address: Some(unproven),
                ..bare.clone()
            },
            "basic",
        );
        let empty = AddressProof {
            category: "UTILITY_BILL".into(),
            file: File::default(),
            date_of_issue: None,
        };
        let empty = ResidentialAddress {
            proof: Some(empty),
            ..proven_address()
        };
        check(
            Subject {
                residential_address: Some(empty),
                ..bare
            },
            "basic",
        );
        check(alice(), "plus+liveness+email+phoneNumber");
    }

    laws! {
        256;

        fn any_text_is_read_without_panic(text in ".*") {
            let _ = text.parse::<Level>();
        }
    }
}

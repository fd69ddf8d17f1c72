//! What can be said about a document, and the private filter. Source: idos-facts 5.13, doc:getting-started.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rules::{Rules, Switch};
use crate::vc::{Level, LevelError, VerifiableCredential};

const AT_LEAST: &str = "level>=";

/// A statement about a document that is true of it or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Criterion {
    /// A member has this value as its text: `credentialSubject.idDocumentCountry=PT`.
    Has {
        /// Names of members from the outside in, joined by points.
        path: String,
        /// What stands there.
        value: String,
    },
    /// The issuer checked at least this much: `level>=basic` is a completed KYC.
    AtLeast(Level),
}

/// Why a text is not a criterion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CriterionError {
    /// It does not say what is compared with what.
    #[error("it is of the form PATH=VALUE or level>=LEVEL")]
    Form,
    /// The level is none.
    #[error(transparent)]
    Level(#[from] LevelError),
}

impl Criterion {
    /// Whether the statement is true of the document. What is not there has no value.
    pub fn holds(&self, document: &VerifiableCredential) -> bool {
        match self {
            Criterion::Has { path, value } => document.text_at(path) == Some(value),
            Criterion::AtLeast(level) => document.level().matches_or_higher(*level),
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Criterion::Has { path, value } => write!(f, "{path}={value}"),
            Criterion::AtLeast(level) => write!(f, "{AT_LEAST}{level}"),
        }
    }
}

impl FromStr for Criterion {
    type Err = CriterionError;

    fn from_str(text: &str) -> Result<Criterion, CriterionError> {
        if let Some(level) = text.strip_prefix(AT_LEAST) {
            return Ok(Criterion::AtLeast(level.parse()?));
        }
        match text.split_once('=') {
            Some((path, value))
                if !path.is_empty() && !path.ends_with('>') && !value.is_empty() =>
            {
                Ok(Criterion::Has {
                    path: path.to_owned(),
                    value: value.to_owned(),
                })
            }
            _ => Err(CriterionError::Form),
        }
    }
}

impl TryFrom<String> for Criterion {
    type Error = CriterionError;

    fn try_from(text: String) -> Result<Criterion, CriterionError> {
        text.parse()
    }
}

impl From<Criterion> for String {
    fn from(criterion: Criterion) -> String {
        criterion.to_string()
    }
}

/// Which credentials are of use to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// All of these have to hold.
    pub pick: Vec<Criterion>,
    /// None of these may hold.
    pub omit: Vec<Criterion>,
}

impl Filter {
    /// Whether the filter lets a document pass. Source: doc:getting-started; today's reading of `omit`:
    /// sdk:credentials, idos-facts 0.1 X18.
    pub fn admits(&self, rules: Rules, document: &VerifiableCredential) -> bool {
        let mut omit = self.omit.iter().map(|criterion| criterion.holds(document));
        let omitted = if rules.keep(Switch::FilterOmitsEach) {
            omit.any(|holds| holds)
        } else {
            !self.omit.is_empty() && omit.all(|holds| holds)
        };
        !omitted && self.pick.iter().all(|criterion| criterion.holds(document))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vc::tests::{alice, document};

    #[test]
    fn criteria_read_back_as_they_are_written() {
        for text in [
            "a=b",
            "credentialSubject.name=a=b",
            "level>=plus+liveness",
            "level=plus",
        ] {
            let criterion: Criterion = text.parse().unwrap();
            assert_eq!(criterion.to_string(), text);
        }
        for text in [
            "",
            "=",
            "a=",
            "=b",
            "a",
            "level>=",
            "level>=human",
            "age>=18",
        ] {
            assert!(text.parse::<Criterion>().is_err(), "{text}");
        }
    }

    #[test]
    fn criteria_are_about_members_and_levels() {
        let document = document(alice());
        let subject = "credentialSubject";
        for (text, expected) in [
            ("credentialSubject.firstName=Alice", true),
            ("credentialSubject.firstName=alice", false),
            ("credentialSubject=Alice", false),
            ("firstName=Alice", false),
            ("credentialSubject.=Alice", false),
            ("type.0=VerifiableCredential", false),
            ("level>=basic", true),
            ("level>=plus+liveness+email+phoneNumber", true),
            ("level=basic", false),
        ] {
            let criterion: Criterion = text.parse().unwrap();
            assert_eq!(criterion.holds(&document), expected, "{subject} {text}");
        }
    }

    #[test]
    fn a_filter_picks_by_all_and_omits_by_any() {
        let document = document(alice());
        const YES: &str = "level>=basic";
        const NO: &str = "credentialSubject.firstName=Bob";
        let documented = Rules::documented();
        let deployed = documented.with(Switch::FilterOmitsEach, false);
        type Texts = &'static [&'static str];
        let table: [(Texts, Texts, bool, bool); 7] = [
            (&[], &[], true, true),
            (&[YES], &[], true, true),
            (&[YES, NO], &[], false, false),
            (&[], &[YES], false, false),
            (&[], &[NO], true, true),
            (&[], &[YES, NO], false, true),
            (&[YES], &[YES, NO], false, true),
        ];
        let criteria = |texts: Texts| texts.iter().map(|text| text.parse().unwrap()).collect();
        for (pick, omit, promised, today) in table {
            let filter = Filter {
                pick: criteria(pick),
                omit: criteria(omit),
            };
            assert_eq!(filter.admits(documented, &document), promised, "{filter:?}");
            assert_eq!(filter.admits(deployed, &document), today, "{filter:?}");
        }
    }
}

//! How much of a deleted ciphertext is left.

use std::fmt;

use assay_model::id::CredentialId;
use serde::Serialize;

use super::{Findings, Kind, MARKED};
use crate::venue::Inspection;

/// How much of a deleted ciphertext is left, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What it held is somewhere in the clear.
    Plaintext,
    /// A node gives it out to those who ask.
    Readable,
    /// A node has a row for it.
    Tables,
    /// Its bytes are in files or logs of a node, and in no row.
    History,
    /// Nothing of it was found.
    Gone,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Plaintext => "in the clear",
            Level::Readable => "readable through the interface",
            Level::Tables => "in the tables",
            Level::History => "in history, files or logs",
            Level::Gone => "gone",
        })
    }
}

/// What is known of a deleted ciphertext.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Its secret was found in the clear, anywhere.
    pub plaintext: bool,
    /// A read after its deletion gave it out.
    pub readable: bool,
    /// A look into the tables lists it.
    pub listed: bool,
    /// Its bytes were found in data files or logs.
    pub at_rest: bool,
}

impl Evidence {
    /// What a search and a look into the tables say about a credential whose needle has its id. Its bytes
    /// in captured traffic say nothing: on its way into the network everything is in it.
    pub fn of(
        credential: CredentialId,
        readable: bool,
        inspection: Option<&Inspection>,
        findings: &Findings,
    ) -> Evidence {
        let digits = &credential.0.simple().to_string()[..16];
        let id = credential.0.to_string();
        let hits = || findings.hits.iter();
        Evidence {
            plaintext: hits()
                .any(|hit| hit.needle == MARKED && hit.digits.as_deref() == Some(digits)),
            readable,
            listed: inspection.is_some_and(|tables| tables.credentials.contains(&credential)),
            at_rest: hits()
                .any(|hit| hit.needle == id && matches!(hit.kind, Kind::Data | Kind::Log)),
        }
    }

    /// The worst of it.
    pub const fn level(self) -> Level {
        if self.plaintext {
            Level::Plaintext
        } else if self.readable {
            Level::Readable
        } else if self.listed {
            Level::Tables
        } else if self.at_rest {
            Level::History
        } else {
            Level::Gone
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_evidence_gives_the_level() {
        let levels = [
            (8, Level::Plaintext),
            (4, Level::Readable),
            (2, Level::Tables),
            (1, Level::History),
            (0, Level::Gone),
        ];
        for bits in 0..16_u8 {
            let evidence = Evidence {
                plaintext: bits & 8 != 0,
                readable: bits & 4 != 0,
                listed: bits & 2 != 0,
                at_rest: bits & 1 != 0,
            };
            let (_, expected) = levels.iter().find(|(bit, _)| bits & bit == *bit).unwrap();
            assert_eq!(evidence.level(), *expected, "{evidence:?}");
        }
        assert!(Level::Plaintext < Level::Gone, "the worst comes first");
    }
}

//! The catalogue: what idOS owes, one requirement per promise, each with its source.
//!
//! The text lives in `requirements.toml`, beside the code, so that people read and edit it as a list.
//! Invariants and reports name requirements by id.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The short name of a requirement, such as `GRANT-05`; invariants and reports cite it.
pub type RequirementId = &'static str;

/// How binding a requirement is, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequirementLevel {
    /// A network that breaks it is not idOS.
    Must,
    /// Breaking it needs a stated reason.
    Should,
    /// An option that, once offered, works as described.
    May,
}

impl fmt::Display for RequirementLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            RequirementLevel::Must => "MUST",
            RequirementLevel::Should => "SHOULD",
            RequirementLevel::May => "MAY",
        })
    }
}

/// Where a test can see whether a requirement is kept. Source: column `obs` of idos-facts part 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// In what a client is told: results, errors, listings.
    Client,
    /// In a node's state: tables, balances, hashes.
    Node,
    /// On a node's disk: block store, write-ahead log, snapshots, logs.
    Disk,
    /// In the messages between nodes, and between clients and nodes.
    Wire,
}

/// One promise. Source: idos-facts part 8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Short name, unique in the catalogue.
    pub id: String,
    /// Title of the group it belongs to.
    pub section: String,
    /// How binding it is.
    pub level: RequirementLevel,
    /// The promise, as one sentence.
    pub text: String,
    /// Where it is stated, in the tags explained at the head of `requirements.toml`.
    pub source: String,
    /// Where a test can see it; never empty.
    pub seen: Vec<Seen>,
    /// Why no invariant and no step of a story looks at it. Nothing for those that are looked at: what does
    /// so is found in the invariants and the stories themselves, not listed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchecked: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    requirement: Vec<Requirement>,
}

/// The file the catalogue is read from, byte by byte, for whoever must name its digest.
pub const SOURCE: &str = include_str!("../requirements.toml");

// The file is compiled in and a test parses it, so a refusal here is a defect of the build.
static CATALOGUE: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    toml::from_str::<File>(SOURCE)
        .unwrap_or_else(|error| panic!("requirements.toml: {error}"))
        .requirement
});

/// Every requirement, in the order of the file.
pub fn catalogue() -> &'static [Requirement] {
    &CATALOGUE
}

/// The requirement of that id; letter case counts.
pub fn find(id: &str) -> Option<&'static Requirement> {
    catalogue().iter().find(|requirement| requirement.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Rows of the tables 8.1 to 8.10 of idos-facts, and their titles; CRED-10 is of its 0.1 (X7).
    const SECTIONS: [(&str, usize); 10] = [
        ("Identity, wallets, users", 12),
        ("Credentials", 10),
        ("Access grants", 15),
        ("Delegated grants", 13),
        ("Issuer status and revocation", 6),
        ("Deletion", 9),
        ("Encryption, keys, personhood", 14),
        ("Requests, disclosure, reuse", 10),
        ("Reads, time, consensus, availability", 17),
        ("Economy, staking, governance, audit", 15),
    ];

    #[test]
    fn every_row_of_the_fact_sheet_is_here_once() {
        let ids: BTreeSet<&str> = catalogue().iter().map(|r| r.id.as_str()).collect();
        assert_eq!(catalogue().len(), 121);
        assert_eq!(ids.len(), catalogue().len());
        for (section, rows) in SECTIONS {
            let found = catalogue().iter().filter(|r| r.section == section);
            assert_eq!(found.count(), rows, "{section}");
        }
    }

    #[test]
    fn sections_are_known_and_stay_together() {
        let mut order: Vec<&str> = catalogue().iter().map(|r| r.section.as_str()).collect();
        order.dedup();
        assert_eq!(order, SECTIONS.map(|(section, _)| section));
    }

    #[test]
    fn nothing_is_empty() {
        for r in catalogue() {
            let fields = [&r.id, &r.section, &r.text, &r.source];
            for field in fields.into_iter().chain(&r.unchecked) {
                assert!(!field.trim().is_empty(), "{r:?}");
            }
            let places: BTreeSet<&Seen> = r.seen.iter().collect();
            assert!(!places.is_empty() && places.len() == r.seen.len(), "{r:?}");
        }
    }

    #[test]
    fn a_requirement_is_found_by_its_id() {
        let found = find("GRANT-05").unwrap();
        assert_eq!(found.level, RequirementLevel::Must);
        assert_eq!(found.seen, [Seen::Client]);
        assert!(find("grant-05").is_none());
        assert!(find("").is_none());
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = r#"
            [[requirement]]
            id = "X-01"
            section = "s"
            level = "must"
            text = "t"
            sauce = "S0"
            seen = ["client"]
        "#;
        let error = toml::from_str::<File>(text).err().unwrap();
        assert!(error.to_string().contains("sauce"), "{error}");
    }
}

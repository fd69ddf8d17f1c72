//! The promises, as folds over a history. One family per file; each invariant is a named claim, the
//! requirements it stands for, and a pure function of what happened. It never learns which world made
//! the history.

mod chronicle;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalogue::RequirementId;

pub use chronicle::Chronicle;

/// A claim about every run.
pub struct Invariant {
    /// Kebab-case name.
    pub name: &'static str,
    /// What must hold, in one sentence.
    pub claim: &'static str,
    /// Where idOS says so.
    pub source: &'static str,
    /// The requirements the claim stands for.
    pub requirements: &'static [RequirementId],
    /// What the history says about it.
    pub check: fn(&Chronicle<'_>) -> Verdict,
}

impl std::fmt::Debug for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// How often each requirement was really tested.
pub type Checked = BTreeMap<RequirementId, u64>;

/// What an invariant found in a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The claim was tested and held.
    Held {
        /// How often.
        checked: Checked,
    },
    /// The claim did not hold.
    Violated {
        /// How often it was tested.
        checked: Checked,
        /// Each time it failed.
        findings: Vec<Finding>,
    },
    /// Nothing in the history could have broken the claim, so nothing is known.
    Inconclusive {
        /// What was missing.
        why: String,
    },
}

/// One time a promise was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The promise.
    pub requirement: RequirementId,
    /// What happened against it, in one sentence.
    pub sentence: String,
    /// The observations that prove it, by index, in order.
    pub evidence: Vec<usize>,
}

//! What a certification came to, requirement by requirement, and its renderings.

mod json;
mod junit;
mod text;

use std::fmt;

use assay_model::catalogue::Requirement;
use assay_model::time::Millis;
use assay_scenarios::judge::{Judgement, RunVerdict};
use serde::{Deserialize, Serialize};

use crate::exit::Exit;

pub(crate) use json::value;
pub use json::{SCHEMA, json};
pub use junit::junit;
pub(crate) use junit::suites;
pub use text::{text, verdict};

/// What a requirement of a profile came to. Only the first certifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assessment {
    /// Tested, and kept each time.
    Passed,
    /// Broken.
    Failed,
    /// Could not be told.
    Inconclusive,
    /// Nothing that ran tests it.
    NotExercised,
    /// What would test it cannot be carried out against this target.
    NotTestable,
}

impl Assessment {
    /// All of them, in the order reports tell them.
    pub const ALL: [Assessment; 5] = [
        Assessment::Passed,
        Assessment::Failed,
        Assessment::Inconclusive,
        Assessment::NotExercised,
        Assessment::NotTestable,
    ];

    /// In words.
    pub const fn word(self) -> &'static str {
        match self {
            Assessment::Passed => "passed",
            Assessment::Failed => "failed",
            Assessment::Inconclusive => "inconclusive",
            Assessment::NotExercised => "not exercised",
            Assessment::NotTestable => "not testable",
        }
    }
}

impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How many requirements came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub inconclusive: u64,
    pub not_exercised: u64,
    pub not_testable: u64,
}

impl Counts {
    /// Counts outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Assessment>) -> Counts {
        let mut counts = Counts::default();
        for outcome in outcomes {
            *counts.cell(outcome) += 1;
        }
        counts
    }

    fn cell(&mut self, outcome: Assessment) -> &mut u64 {
        match outcome {
            Assessment::Passed => &mut self.passed,
            Assessment::Failed => &mut self.failed,
            Assessment::Inconclusive => &mut self.inconclusive,
            Assessment::NotExercised => &mut self.not_exercised,
            Assessment::NotTestable => &mut self.not_testable,
        }
    }

    /// How many came to this.
    pub fn get(mut self, outcome: Assessment) -> u64 {
        *self.cell(outcome)
    }

    /// All together.
    pub fn total(self) -> u64 {
        Assessment::ALL
            .map(|outcome| self.get(outcome))
            .iter()
            .sum()
    }
}

/// How many runs came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct RunCounts {
    pub held: u64,
    pub broke_as_expected: u64,
    pub inconclusive: u64,
    pub stale_expectation: u64,
    pub violated: u64,
    /// Spoilt by the harness.
    pub spoilt: u64,
    /// How many of these were told in real time, with long waits cut.
    #[serde(default)]
    pub hurried: u64,
}

impl RunCounts {
    /// Counts one run.
    pub fn add(&mut self, judgement: &Judgement) {
        self.hurried += u64::from(judgement.metrics.cut > Millis::ZERO);
        *match judgement.verdict {
            RunVerdict::Held => &mut self.held,
            RunVerdict::BrokeAsExpected => &mut self.broke_as_expected,
            RunVerdict::Inconclusive => &mut self.inconclusive,
            RunVerdict::StaleExpectation => &mut self.stale_expectation,
            RunVerdict::Violated => &mut self.violated,
        } += 1;
    }

    /// All together.
    pub const fn total(self) -> u64 {
        self.held
            + self.broke_as_expected
            + self.inconclusive
            + self.stale_expectation
            + self.violated
            + self.spoilt
    }
}

/// A requirement of the profile.
#[derive(Clone, Debug)]
pub struct Assessed {
    /// Which.
    pub requirement: &'static Requirement,
    /// What it came to.
    pub outcome: Assessment,
    /// How often it was really tested.
    pub checked: u64,
    /// The stories that tested it, each once.
    pub stories: Vec<String>,
    /// Why it did not pass; for one that did, what else would have tested it and could not.
    pub why: Option<String>,
    /// What was found, and the observations that prove it, line by line. Empty unless it failed.
    pub evidence: Vec<String>,
}

/// A story that cannot be carried out against a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untestable {
    /// Its name.
    pub story: String,
    /// Why.
    pub reason: String,
}

/// What a certification came to.
#[derive(Clone, Debug)]
pub struct Certification {
    /// What was certified.
    pub target: String,
    /// The world it ran in: `live`, usually.
    pub world: String,
    /// The profile's name.
    pub profile: String,
    /// Every requirement of the profile, in the order of the catalogue.
    pub rows: Vec<Assessed>,
    /// What speaks against it besides the rows, one sentence each: runs that prove nothing.
    pub objections: Vec<String>,
    /// How the runs ended.
    pub runs: RunCounts,
    /// What could not be tried.
    pub untestable: Vec<Untestable>,
    /// Requirements outside the profile that were seen broken.
    pub beside: Vec<String>,
}

impl Certification {
    /// Whether the target has shown everything the profile asks for, and nothing is in doubt.
    pub fn certified(&self) -> bool {
        let passed = |row: &Assessed| row.outcome == Assessment::Passed;
        !self.rows.is_empty() && self.rows.iter().all(passed) && self.objections.is_empty()
    }

    /// How many requirements came to what.
    pub fn counts(&self) -> Counts {
        Counts::of(self.rows.iter().map(|row| row.outcome))
    }

    /// What it comes to for whoever started it: 0 for a certified target and for nothing else. A promise
    /// broken outside the profile is told, and does not count.
    pub fn exit(&self) -> Exit {
        let failed = |row: &Assessed| row.outcome == Assessment::Failed;
        if self.runs.spoilt > 0 {
            Exit::Harness
        } else if self.certified() {
            Exit::Held
        } else if self.runs.violated > 0 || self.rows.iter().any(failed) {
            Exit::Broke
        } else {
            Exit::Inconclusive
        }
    }
}

//! Counts what an invariant tests, and keeps what it finds.

use super::{Checked, Finding, Verdict};
use crate::catalogue::RequirementId;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tally {
    checked: Checked,
    findings: Vec<Finding>,
}

impl Tally {
    /// Notes one test of a requirement; the finding is written only when it failed.
    pub(super) fn test(
        &mut self,
        requirement: RequirementId,
        kept: bool,
        finding: impl FnOnce() -> (String, Vec<usize>),
    ) {
        *self.checked.entry(requirement).or_default() += 1;
        if !kept {
            let (sentence, mut evidence) = finding();
            evidence.sort();
            evidence.dedup();
            self.findings.push(Finding {
                requirement,
                sentence,
                evidence,
            });
        }
    }

    /// Notes a test that passed.
    pub(super) fn kept(&mut self, requirement: RequirementId) {
        *self.checked.entry(requirement).or_default() += 1;
    }

    /// Notes so many tests that passed.
    pub(super) fn kept_times(&mut self, requirement: RequirementId, times: u64) {
        if times > 0 {
            *self.checked.entry(requirement).or_default() += times;
        }
    }

    /// Notes a test that failed.
    pub(super) fn broken(
        &mut self,
        requirement: RequirementId,
        sentence: String,
        evidence: Vec<usize>,
    ) {
        self.test(requirement, false, || (sentence, evidence));
    }

    /// The verdict; `missing` says what the history lacks when nothing was tested.
    pub(super) fn verdict(self, missing: &str) -> Verdict {
        let Tally { checked, findings } = self;
        if !findings.is_empty() {
            Verdict::Violated { checked, findings }
        } else if checked.is_empty() {
            Verdict::Inconclusive {
                why: missing.to_owned(),
            }
        } else {
            Verdict::Held { checked }
        }
    }
}

//! From a history to a verdict: every invariant is folded over it, every expectation is compared with
//! what happened, every fault must have shown an effect.

use std::collections::BTreeMap;

use assay_model::catalogue::RequirementId;
use assay_model::history::Ending;
use assay_model::id::Height;
use assay_model::invariant::{Finding, Invariant, Verdict};
use assay_model::time::Millis;
use serde::Serialize;

use crate::plan::Expect;

/// What one run came to.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// All in all.
    pub verdict: RunVerdict,
    /// Every invariant, in the order of the list.
    pub invariants: Vec<(&'static Invariant, Verdict)>,
    /// Every step, in the order of the plan.
    pub steps: Vec<StepResult>,
    /// Every fault, in the order of the plan.
    pub faults: Vec<FaultResult>,
    /// Every requirement of the catalogue.
    pub requirements: BTreeMap<RequirementId, RequirementResult>,
    /// Why the run as a whole proves nothing, one sentence each.
    pub doubts: Vec<String>,
    /// Sizes of the run.
    pub metrics: Metrics,
}

/// All in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunVerdict {
    /// Every promise that was tested held.
    Held,
    /// The story broke exactly what it says it breaks.
    BrokeAsExpected,
    /// The run proves nothing, for the reasons given.
    Inconclusive,
    /// The story says it breaks a promise, and did not.
    StaleExpectation,
    /// A promise broke.
    Violated,
}

/// How a step ended, against how it should have.
#[derive(Clone, Debug)]
pub struct StepResult {
    /// Place in the plan.
    pub step: usize,
    /// What was expected.
    pub expected: Expect,
    /// What happened; nothing when the step never ended.
    pub ending: Option<Ending>,
    /// Whether the two agree; nothing when that cannot be told (no answer came).
    pub met: Option<bool>,
    /// The observations that show it.
    pub evidence: Vec<usize>,
}

/// What a fault did.
#[derive(Clone, Debug)]
pub struct FaultResult {
    /// Place in the plan.
    pub fault: usize,
    /// Measured effect; 0 makes the run inconclusive.
    pub effect: u64,
}

/// Outcome of a requirement in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing in this run, or nothing yet, tests it.
    NotExercised,
    /// Tested, and kept each time.
    Passed,
    /// Could not be told.
    Inconclusive,
    /// Broken.
    Failed,
}

/// A requirement in one run.
#[derive(Clone, Debug)]
pub struct RequirementResult {
    /// What came out.
    pub outcome: Outcome,
    /// How often it was really tested.
    pub checked: u64,
    /// Each time it was broken, with the invariant or `step` that found it.
    pub findings: Vec<(&'static str, Finding)>,
}

/// Sizes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// Events the kernel delivered.
    pub events: u64,
    /// Messages between nodes that arrived.
    pub messages: u64,
    /// Observations in the history.
    pub observations: u64,
    /// Blocks that became final.
    pub height: Height,
    /// Actions that took effect or were refused in them.
    pub actions: u64,
    /// Scenario time at the end.
    pub simulated: Millis,
}

/// Judges a run.
pub fn judge(
    plan: &crate::plan::Plan,
    history: &assay_model::history::History,
    metrics: Metrics,
) -> Judgement {
    let _ = (plan, history, metrics);
    unimplemented!("the judge is being built")
}

//! From a history to a verdict: every invariant is folded over it, every expectation is compared with
//! what happened, every fault must have shown an effect.

use std::collections::BTreeMap;

use assay_model::catalogue::{RequirementId, catalogue};
use assay_model::history::{Ending, Event, History};
use assay_model::id::Height;
use assay_model::invariant::{self, Chronicle, Finding, Invariant, Verdict};
use assay_model::rules::Switch;
use assay_model::time::Millis;
use serde::Serialize;

use crate::plan::{Deed, Expect, Plan};

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
    /// How often the story was told before it could be judged. More than 0 only among real processes, where
    /// a fault may miss what it is meant for.
    pub repeats: u32,
    /// How many other stories were told on the same network. More than 0 only among real processes.
    pub companions: u32,
    /// How much waiting was cut, where a story is told in real time.
    pub cut: Millis,
}

/// Judges a run.
pub fn judge(plan: &Plan, history: &History, metrics: Metrics) -> Judgement {
    let chronicle = Chronicle::read(history);
    let invariants: Vec<(&'static Invariant, Verdict)> = invariant::all()
        .iter()
        .map(|invariant| (*invariant, (invariant.check)(&chronicle)))
        .collect();
    let steps = steps(plan, history);
    let faults = faults(plan, history);
    let requirements = requirements(plan, &invariants, &steps);
    let doubts = doubts(plan, history, &invariants, &steps, &faults);
    let verdict = verdict(plan, &requirements, &steps, &doubts);
    Judgement {
        verdict,
        invariants,
        steps,
        faults,
        requirements,
        doubts,
        metrics,
    }
}

fn steps(plan: &Plan, history: &History) -> Vec<StepResult> {
    let mut results: Vec<StepResult> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(step, planned)| StepResult {
            step,
            expected: planned.expect,
            ending: None,
            met: None,
            evidence: Vec::new(),
        })
        .collect();
    for (seen, observation) in history.observations().iter().enumerate() {
        let (step, ending) = match &observation.event {
            Event::StepBegan { step } => (*step, None),
            Event::StepEnded { step, ending } => (*step, Some(*ending)),
            _ => continue,
        };
        let Some(result) = results.get_mut(step as usize) else {
            continue;
        };
        result.evidence.push(seen);
        result.ending = result.ending.or(ending);
    }
    let late = history
        .observations()
        .iter()
        .position(|observation| matches!(observation.event, Event::Late { .. }));
    for result in &mut results {
        let ended = result.evidence.last();
        let in_time = late.is_none_or(|late| ended.is_some_and(|ended| *ended < late));
        result.met = match (result.expected, result.ending) {
            (Expect::Anything, _) => Some(true),
            (Expect::Ending(expected), Some(ending)) if expected == ending => Some(true),
            // Nothing was given, and the text says why as it does today.
            (
                Expect::Ending(Ending::Refused("not-shared")),
                Some(Ending::Refused("credential-unknown")),
            ) if !plan.rules.keep(Switch::HiddenExistence) => Some(true),
            // No answer leaves open what happened, and so does a world that fell behind.
            (Expect::Ending(_), None | Some(Ending::Unanswered)) => None,
            (Expect::Ending(_), Some(_)) if !in_time => None,
            (Expect::Ending(_), Some(_)) => Some(false),
        };
    }
    results
}

fn faults(plan: &Plan, history: &History) -> Vec<FaultResult> {
    let mut results: Vec<FaultResult> = (0..plan.faults.len())
        .map(|fault| FaultResult { fault, effect: 0 })
        .collect();
    for observation in history.observations() {
        if let Event::FaultEnded { fault, effect } = &observation.event
            && let Some(result) = results.get_mut(*fault as usize)
        {
            result.effect = *effect;
        }
    }
    results
}

fn requirements(
    plan: &Plan,
    invariants: &[(&'static Invariant, Verdict)],
    steps: &[StepResult],
) -> BTreeMap<RequirementId, RequirementResult> {
    let mut results: BTreeMap<RequirementId, RequirementResult> = catalogue()
        .iter()
        .map(|requirement| {
            let untested = RequirementResult {
                outcome: Outcome::NotExercised,
                checked: 0,
                findings: Vec::new(),
            };
            (requirement.id.as_str(), untested)
        })
        .collect();
    let mut result = |id: RequirementId, then: &mut dyn FnMut(&mut RequirementResult)| {
        if let Some(result) = results.get_mut(id) {
            then(result);
        }
    };
    for (invariant, verdict) in invariants {
        let (checked, findings) = match verdict {
            Verdict::Held { checked } => (checked, &[][..]),
            Verdict::Violated { checked, findings } => (checked, &findings[..]),
            Verdict::Inconclusive { .. } => continue,
        };
        for (id, count) in checked {
            result(id, &mut |result| result.checked += count);
        }
        for finding in findings {
            let named = (invariant.name, finding.clone());
            result(finding.requirement, &mut |result| {
                result.findings.push(named.clone())
            });
        }
    }
    for step in steps {
        let planned = &plan.steps[step.step];
        for id in &planned.shows {
            result(id, &mut |result| match step.met {
                Some(true) => result.checked += u64::from(step.expected != Expect::Anything),
                Some(false) => {
                    result.checked += 1;
                    let sentence = step_sentence(plan, step);
                    let evidence = step.evidence.clone();
                    result.findings.push((
                        "step",
                        Finding {
                            requirement: id,
                            sentence,
                            evidence,
                        },
                    ));
                }
                None if result.outcome == Outcome::NotExercised => {
                    result.outcome = Outcome::Inconclusive;
                }
                None => {}
            });
        }
    }
    for result in results.values_mut() {
        result.outcome = match result.outcome {
            _ if !result.findings.is_empty() => Outcome::Failed,
            _ if result.checked > 0 => Outcome::Passed,
            outcome => outcome,
        };
    }
    results
}

/// What a step that ended otherwise than expected did instead.
pub fn step_sentence(plan: &Plan, result: &StepResult) -> String {
    let planned = &plan.steps[result.step];
    let who = match &planned.deed {
        Deed::Party(party, _) => plan.parties[party.index()].name.as_str(),
        Deed::AppointLeader(_) => "the operators",
    };
    let expected = match result.expected {
        Expect::Ending(ending) => ending.to_string(),
        Expect::Anything => "anything".to_owned(),
    };
    let got = result
        .ending
        .map_or("it never ended".to_owned(), |e| format!("it was {e}"));
    format!(
        "line {}: the step of {who} should end {expected}, but {got}",
        planned.line
    )
}

fn doubts(
    plan: &Plan,
    history: &History,
    invariants: &[(&'static Invariant, Verdict)],
    steps: &[StepResult],
    faults: &[FaultResult],
) -> Vec<String> {
    let mut doubts = Vec::new();
    if history
        .observations()
        .iter()
        .any(|o| matches!(o.event, Event::Exhausted))
    {
        doubts.push(format!("the run was stopped after {} events", plan.events));
    }
    for observation in history.observations() {
        if let Event::Doubted { why } = &observation.event {
            doubts.push(why.clone());
        }
    }
    for step in steps.iter().filter(|step| step.met.is_none()) {
        doubts.push(step_sentence(plan, step));
    }
    for fault in faults.iter().filter(|fault| fault.effect == 0) {
        let line = plan.faults[fault.fault].line;
        doubts.push(format!("line {line}: the fault had no effect"));
    }
    for (invariant, verdict) in invariants {
        if let Verdict::Inconclusive { why } = verdict
            && plan.check.contains(&invariant.name)
        {
            doubts.push(format!("{} was to be checked, but {why}", invariant.name));
        }
    }
    doubts
}

fn verdict(
    plan: &Plan,
    requirements: &BTreeMap<RequirementId, RequirementResult>,
    steps: &[StepResult],
    doubts: &[String],
) -> RunVerdict {
    let failed = |id: &RequirementId| requirements[id].outcome == Outcome::Failed;
    let surprise = requirements
        .keys()
        .any(|id| failed(id) && !plan.breaks.contains(id));
    let unattributed = steps
        .iter()
        .any(|step| step.met == Some(false) && plan.steps[step.step].shows.is_empty());
    if surprise || unattributed {
        RunVerdict::Violated
    } else if !plan.breaks.iter().all(failed) {
        RunVerdict::StaleExpectation
    } else if !doubts.is_empty() {
        RunVerdict::Inconclusive
    } else if plan.breaks.is_empty() {
        RunVerdict::Held
    } else {
        RunVerdict::BrokeAsExpected
    }
}

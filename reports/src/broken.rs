//! The requirements that a report says are broken, each with one story that shows it: of those that name
//! what was called, one with little else in it.

use assay_model::catalogue::{Requirement, catalogue};
use assay_model::invariant::Finding;
use serde::Serialize;

use crate::report::{Called, Report, RunReport};

/// A broken requirement and its counterexample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The requirement.
    #[serde(rename = "requirement", serialize_with = "id")]
    pub requirement: &'static Requirement,
    /// The story.
    pub story: String,
    /// What decided chance in it.
    pub seed: u64,
    /// The step it comes to light at; nothing when it was before the first.
    pub step: Option<Step>,
    /// Actions and views that bear on it, in the order they were called.
    pub calls: Vec<&'static str>,
    /// What happened, in one sentence.
    pub what: String,
    /// Whether this story says that it breaks the requirement.
    pub announced: bool,
    /// The command that tells it event by event.
    pub replay: String,
}

/// A step of the story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its file and line.
    pub place: String,
    /// Who does what.
    pub what: String,
}

fn id<S: serde::Serializer>(requirement: &Requirement, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&requirement.id)
}

/// All of them in the order of the catalogue; none when nothing broke but what stories say they break.
pub fn broken(report: &Report) -> Vec<Broken> {
    let surprised = report.runs.iter().any(|run| {
        run.findings()
            .any(|(requirement, ..)| !run.says_it_breaks(requirement))
    });
    if !surprised {
        return Vec::new();
    }
    let shown = catalogue().iter();
    shown
        .filter_map(|requirement| counterexample(report, requirement))
        .collect()
}

fn counterexample(report: &Report, requirement: &'static Requirement) -> Option<Broken> {
    let runs = report.runs.iter();
    let found = runs.flat_map(|run| {
        let findings = run.findings().filter(|(id, ..)| **id == requirement.id);
        findings.map(move |(_, by, finding)| (run, by, finding, calls(run, by, finding)))
    });
    let (run, _, finding, calls) = found.min_by_key(|(run, by, finding, calls)| {
        let announced = run.says_it_breaks(finding.requirement);
        let changes = calls.iter().any(|(_, called)| called.is_action());
        let trouble = run.story.faults.len();
        (
            !changes,
            calls.is_empty(),
            announced,
            // An invariant says what is wrong; a step only that it ended otherwise.
            *by == "step",
            trouble,
            finding.evidence.len(),
        )
    })?;
    Some(Broken {
        requirement,
        story: run.story.name.clone(),
        seed: run.seed,
        step: step(run, finding, &calls),
        calls: once(calls.into_iter().map(|(_, called)| called.name())),
        what: run.sentence(finding),
        announced: run.says_it_breaks(finding.requirement),
        replay: report.replay(&run.story.replay_as, run.seed),
    })
}

/// The actions and views that the evidence is about, with the observation of each. What a step did
/// between its beginning and its end is evidence of its ending.
fn calls(run: &RunReport, by: &str, finding: &Finding) -> Vec<(usize, Called)> {
    let mut steps = run.judgement.steps.iter();
    let step = steps.find(|step| by == "step" && step.evidence.first() == finding.evidence.first());
    let evidence = step.map_or(&finding.evidence, |step| &step.evidence);
    let mut calls = Vec::new();
    for index in evidence {
        let told = run.told.get(index);
        let called = told.map_or(&[][..], |told| &told.called);
        calls.extend(called.iter().map(|called| (*index, *called)));
    }
    calls
}

/// The step that was under way when the last action was called that bears on it; the last call, or the last
/// of the evidence, where there is none.
fn step(run: &RunReport, finding: &Finding, calls: &[(usize, Called)]) -> Option<Step> {
    let action = calls.iter().rev().find(|(_, called)| called.is_action());
    let seen = action.or(calls.last()).map(|(index, _)| *index);
    let seen = seen.or(finding.evidence.last().copied())?;
    let began = run.judgement.steps.iter().filter_map(|step| {
        let began = *step.evidence.first()?;
        (began <= seen).then_some((began, step.step))
    });
    let (_, step) = began.max()?;
    let text = run.story.steps.get(step)?;
    Some(Step {
        place: format!("{}:{}", run.story.path, text.line),
        what: text.what.clone(),
    })
}

/// Each once, in order of first appearance.
fn once(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

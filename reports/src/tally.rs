//! What all runs together say about each requirement.

use std::collections::{BTreeMap, BTreeSet};

use assay_model::catalogue::{Requirement, RequirementId, catalogue};
use assay_model::time::Millis;
use assay_scenarios::judge::{Metrics, Outcome, RunVerdict};
use serde::Serialize;

use crate::report::Report;

/// A requirement over all runs.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub requirement: &'static Requirement,
    /// The worst outcome of any run, leaving out breaks that a story announces.
    pub outcome: Outcome,
    /// How often it was really tested.
    pub checked: u64,
    /// In how many stories something was learnt about it.
    pub stories: u64,
    /// In how many runs it was broken as the story says it is.
    pub expected_breaks: u64,
    /// For an inconclusive one: why, in the first such run.
    pub why: Option<String>,
}

impl Row {
    /// Whether no run says anything about it.
    pub fn untouched(&self) -> bool {
        self.outcome == Outcome::NotExercised && self.expected_breaks == 0
    }

    /// Whether all that is known is that it breaks where a story says so.
    pub fn only_broken_as_said(&self) -> bool {
        self.outcome == Outcome::NotExercised && self.expected_breaks > 0
    }
}

/// Every requirement of the catalogue, in its order.
pub fn rows(report: &Report) -> Vec<Row> {
    let mut stories: BTreeMap<RequirementId, BTreeSet<&str>> = BTreeMap::new();
    let mut rows: Vec<Row> = Vec::with_capacity(catalogue().len());
    for requirement in catalogue() {
        let mut row = Row {
            requirement,
            outcome: Outcome::NotExercised,
            checked: 0,
            stories: 0,
            expected_breaks: 0,
            why: None,
        };
        for run in &report.runs {
            let Some((id, result)) = run.judgement.requirements.get_key_value(&*requirement.id)
            else {
                continue;
            };
            row.checked += result.checked;
            if result.outcome == Outcome::Failed && run.says_it_breaks(id) {
                row.expected_breaks += 1;
            } else {
                row.outcome = row.outcome.max(result.outcome);
            }
            if result.outcome == Outcome::Inconclusive && row.why.is_none() {
                row.why = Some(run.why_inconclusive(id));
            }
            if result.outcome != Outcome::NotExercised {
                stories.entry(id).or_default().insert(&run.story.name);
            }
        }
        row.stories = stories
            .get(&*requirement.id)
            .map_or(0, |stories| stories.len() as u64);
        rows.push(row);
    }
    rows
}

/// How many runs and requirements came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Totals {
    /// Runs asked for.
    pub planned: u64,
    /// Runs carried out.
    pub runs: u64,
    pub held: u64,
    pub broke_as_expected: u64,
    pub inconclusive: u64,
    pub stale_expectation: u64,
    pub violated: u64,
    /// Runs the harness itself spoilt.
    pub mishaps: u64,
    /// Sums over all runs.
    pub events: u64,
    pub messages: u64,
    pub observations: u64,
    pub actions: u64,
    pub simulated_ms: u64,
    /// Runs that had to be told again before they could be judged.
    #[serde(skip_serializing_if = "is_none")]
    pub told_again: u64,
    /// Runs on a network that was made for several.
    #[serde(skip_serializing_if = "is_none")]
    pub in_company: u64,
    /// Runs in real time, with long waits cut.
    #[serde(skip_serializing_if = "is_none")]
    pub hurried: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Adds the runs up.
pub fn totals(report: &Report) -> Totals {
    let mut totals = Totals {
        planned: report.planned,
        runs: report.runs.len() as u64,
        mishaps: report.mishaps.len() as u64,
        ..Totals::default()
    };
    for run in &report.runs {
        *match run.judgement.verdict {
            RunVerdict::Held => &mut totals.held,
            RunVerdict::BrokeAsExpected => &mut totals.broke_as_expected,
            RunVerdict::Inconclusive => &mut totals.inconclusive,
            RunVerdict::StaleExpectation => &mut totals.stale_expectation,
            RunVerdict::Violated => &mut totals.violated,
        } += 1;
        let Metrics {
            events,
            messages,
            observations,
            height: _,
            actions,
            simulated,
            repeats,
            companions,
            cut,
        } = run.judgement.metrics;
        totals.events += events;
        totals.messages += messages;
        totals.observations += observations;
        totals.actions += actions;
        totals.simulated_ms += simulated.0;
        totals.told_again += u64::from(repeats > 0);
        totals.in_company += u64::from(companions > 0);
        totals.hurried += u64::from(cut > Millis::ZERO);
    }
    totals
}

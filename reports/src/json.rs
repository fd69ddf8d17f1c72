//! The report for machines: one object, stable under its `schema` name.
//!
//! ```text
//! { schema: "assay.report/1", command, world, rules, crypto, seeds: {first, last}, digest, partial,
//!   exit_code, meaning,
//!   scenarios: [ { name, path, claim, rules, seed, digest, verdict, replay, breaks: [id], doubts: [why],
//!     requirements: [ { id, outcome, expected, checked, why?, evidence: [ { by, sentence,
//!                       observations: [ { index, at_ms, told } ] } ] } ],
//!     invariants:   [ { name, verdict, checked, findings, why? } ],
//!     steps:        [ { line, at_ms, what, expected, ended, met, evidence: [index] } ],
//!     faults:       [ { line, at_ms, lasts_ms, what, effect } ],
//!     metrics:      { events, messages, observations, height, actions, simulated } } ],
//!   mishaps: [ { name, seed, what, replay } ],
//!   broken: [ { requirement, story, seed, step: {place, what}, calls: [name], what, announced, replay } ],
//!   totals: { runs: {..}, requirements: [ { id, level, outcome, checked, stories, expected_breaks, why? } ] } }
//! ```
//!
//! `outcome` is `passed`, `failed`, `inconclusive`, `not-exercised` or `not-applicable`; `expected` says
//! that the story announces the failure. `digest` is BLAKE3 over the runs' digests in order. There is no
//! wall-clock time in it: equal runs give equal bytes.

use crate::broken::{self, Broken};
use crate::exit::Exit;
use crate::report::{Report, RunReport, Seeds};
use crate::tally::{self, Totals};
use assay_model::invariant::{Finding, Verdict};
use assay_scenarios::judge::{Metrics, Outcome, RunVerdict};
use serde::Serialize;

/// Names the shape; a change that would break a reader gets a new number.
pub const SCHEMA: &str = "assay.report/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    command: &'a str,
    world: &'static str,
    rules: &'a str,
    crypto: &'a str,
    seeds: Seeds,
    digest: String,
    partial: bool,
    exit_code: u8,
    meaning: &'static str,
    scenarios: Vec<Scenario<'a>>,
    mishaps: Vec<Mishap<'a>>,
    broken: Vec<Broken>,
    totals: AllTotals,
}

#[derive(Serialize)]
struct Scenario<'a> {
    name: &'a str,
    path: &'a str,
    claim: &'a str,
    rules: &'a str,
    seed: u64,
    digest: String,
    verdict: RunVerdict,
    replay: String,
    breaks: &'a [&'static str],
    doubts: Vec<String>,
    requirements: Vec<Requirement<'a>>,
    invariants: Vec<Invariant<'a>>,
    steps: Vec<Step<'a>>,
    faults: Vec<Fault<'a>>,
    metrics: Metrics,
}

#[derive(Serialize)]
struct Requirement<'a> {
    id: &'static str,
    outcome: Outcome,
    expected: bool,
    checked: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    evidence: Vec<Evidence<'a>>,
}

#[derive(Serialize)]
struct Evidence<'a> {
    by: &'static str,
    sentence: &'a str,
    observations: Vec<Observation<'a>>,
}

#[derive(Serialize)]
struct Observation<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<&'a str>,
}

#[derive(Serialize)]
struct Invariant<'a> {
    name: &'static str,
    verdict: &'static str,
    checked: u64,
    findings: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct Step<'a> {
    line: u32,
    at_ms: u64,
    what: &'a str,
    expected: &'a str,
    ended: Option<String>,
    met: Option<bool>,
    evidence: &'a [usize],
}

#[derive(Serialize)]
struct Fault<'a> {
    line: u32,
    at_ms: u64,
    lasts_ms: u64,
    what: &'a str,
    effect: u64,
}

#[derive(Serialize)]
struct Mishap<'a> {
    name: &'a str,
    seed: u64,
    what: String,
    replay: String,
}

#[derive(Serialize)]
struct AllTotals {
    runs: Totals,
    requirements: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: &'static str,
    level: assay_model::catalogue::RequirementLevel,
    outcome: Outcome,
    checked: u64,
    stories: u64,
    expected_breaks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// The report as one object on one line, its members in the order above.
pub fn json(report: &Report) -> String {
    let mut text = serde_json::to_string(&document(report)).expect("every key is text");
    text.push('\n');
    text
}

/// The same as a value, to stand in another document.
pub(crate) fn value(report: &Report) -> serde_json::Value {
    serde_json::to_value(document(report)).expect("every key is text")
}

fn document(report: &Report) -> Document<'_> {
    let exit = Exit::of(report);
    Document {
        schema: SCHEMA,
        command: &report.command,
        world: report.world,
        rules: &report.rules,
        crypto: &report.crypto,
        seeds: report.seeds,
        digest: report.digest(),
        partial: report.partial,
        exit_code: exit.code(),
        meaning: exit.meaning(),
        scenarios: report
            .runs
            .iter()
            .map(|run| scenario(report, run))
            .collect(),
        mishaps: mishaps(report),
        broken: broken::broken(report),
        totals: AllTotals {
            runs: tally::totals(report),
            requirements: tally::rows(report).into_iter().map(row).collect(),
        },
    }
}

fn scenario<'a>(report: &Report, run: &'a RunReport) -> Scenario<'a> {
    Scenario {
        name: &run.story.name,
        path: &run.story.path,
        claim: &run.story.claim,
        rules: &run.story.rules,
        seed: run.seed,
        digest: hex::encode(run.digest),
        verdict: run.judgement.verdict,
        replay: report.replay(&run.story.replay_as, run.seed),
        breaks: &run.story.breaks,
        doubts: match run.judgement.verdict {
            RunVerdict::Inconclusive => run.whole_doubts(),
            _ => run.judgement.doubts.clone(),
        },
        requirements: requirements(run),
        invariants: invariants(run),
        steps: steps(run),
        faults: faults(run),
        metrics: run.judgement.metrics,
    }
}

fn requirements(run: &RunReport) -> Vec<Requirement<'_>> {
    let results = run.judgement.requirements.iter();
    results
        .map(|(id, result)| Requirement {
            id,
            outcome: result.outcome,
            expected: result.outcome == Outcome::Failed && run.says_it_breaks(id),
            checked: result.checked,
            why: (result.outcome == Outcome::Inconclusive).then(|| run.why_inconclusive(id)),
            evidence: result
                .findings
                .iter()
                .map(|(by, finding)| evidence(run, by, finding))
                .collect(),
        })
        .collect()
}

fn evidence<'a>(run: &'a RunReport, by: &'static str, finding: &'a Finding) -> Evidence<'a> {
    let observations = finding.evidence.iter().map(|index| {
        let told = run.told.get(index);
        Observation {
            index: *index,
            at_ms: told.map(|told| told.at.0),
            told: told.map(|told| told.text.as_str()),
        }
    });
    Evidence {
        by,
        sentence: &finding.sentence,
        observations: observations.collect(),
    }
}

fn invariants(run: &RunReport) -> Vec<Invariant<'_>> {
    let results = run.judgement.invariants.iter();
    results
        .map(|(invariant, verdict)| {
            let (word, checked, findings, why) = match verdict {
                Verdict::Held { checked } => ("held", Some(checked), 0, None),
                Verdict::Violated { checked, findings } => {
                    ("violated", Some(checked), findings.len() as u64, None)
                }
                Verdict::Inconclusive { why } => ("inconclusive", None, 0, Some(why.as_str())),
            };
            Invariant {
                name: invariant.name,
                verdict: word,
                checked: checked.map_or(0, |checked| checked.values().sum()),
                findings,
                why,
            }
        })
        .collect()
}

fn steps(run: &RunReport) -> Vec<Step<'_>> {
    let results = run.judgement.steps.iter();
    results
        .filter_map(|result| {
            let text = run.story.steps.get(result.step)?;
            Some(Step {
                line: text.line,
                at_ms: text.at.0,
                what: &text.what,
                expected: &text.expected,
                ended: result.ending.map(|ending| ending.to_string()),
                met: result.met,
                evidence: &result.evidence,
            })
        })
        .collect()
}

fn faults(run: &RunReport) -> Vec<Fault<'_>> {
    let results = run.judgement.faults.iter();
    results
        .filter_map(|result| {
            let text = run.story.faults.get(result.fault)?;
            Some(Fault {
                line: text.line,
                at_ms: text.at.0,
                lasts_ms: text.lasts.0,
                what: &text.what,
                effect: result.effect,
            })
        })
        .collect()
}

fn mishaps(report: &Report) -> Vec<Mishap<'_>> {
    let mishaps = report.mishaps.iter();
    mishaps
        .map(|mishap| Mishap {
            name: &mishap.name,
            seed: mishap.seed,
            what: mishap.trouble.to_string(),
            replay: report.replay(&mishap.replay_as, mishap.seed),
        })
        .collect()
}

fn row(row: tally::Row) -> Row {
    let outcome = if row.only_broken_as_said() {
        Outcome::Failed
    } else {
        row.outcome
    };
    Row {
        id: &row.requirement.id,
        level: row.requirement.level,
        outcome,
        checked: row.checked,
        stories: row.stories,
        expected_breaks: row.expected_breaks,
        why: (outcome == Outcome::Inconclusive)
            .then_some(row.why)
            .flatten(),
    }
}

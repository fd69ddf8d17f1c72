//! What runs say about each requirement of a profile.

use assay_model::catalogue::{Requirement, RequirementId, catalogue};
use assay_model::invariant;
use assay_reports::certification::{Assessed, Assessment, RunCounts};
use assay_reports::{Certification, Mishap, RunReport, Untestable, text};
use assay_scenarios::judge::{Outcome, RequirementResult, RunVerdict};
use assay_scenarios::plan::Plan;

use super::Profile;

/// Everything that was tried.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// What was tried.
    pub target: &'a str,
    /// Where: `live`, usually.
    pub world: &'a str,
    /// What came of it.
    pub runs: &'a [RunReport],
    /// Runs the harness itself spoilt.
    pub mishaps: &'a [Mishap],
    /// What could not be tried.
    pub skipped: &'a [Skipped],
    /// Whether an interrupt kept stories from being tried.
    pub partial: bool,
}

/// A story that cannot be carried out against a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub story: String,
    /// Why.
    pub reason: String,
    /// The requirements it would have tested, as far as can be said beforehand.
    pub requirements: Vec<RequirementId>,
}

impl Skipped {
    /// The story of a plan: it would have tested what its steps show, and what it names to be checked.
    pub fn new(plan: &Plan, reason: impl Into<String>) -> Skipped {
        let steps = plan.steps.iter().flat_map(|step| &step.shows);
        let checked = invariant::all()
            .iter()
            .filter(|invariant| plan.check.contains(&invariant.name))
            .flat_map(|invariant| invariant.requirements);
        let mut requirements: Vec<RequirementId> = steps.chain(checked).copied().collect();
        requirements.sort_unstable();
        requirements.dedup();
        Skipped {
            story: plan.name.clone(),
            reason: reason.into(),
            requirements,
        }
    }
}

/// Gives every requirement of the profile its outcome: the worst of any run. A story that announces a
/// break runs under other rules, and says nothing but what it breaks besides.
pub fn assess(profile: &Profile, trial: &Trial<'_>) -> Certification {
    let rows = profile.requirements.iter();
    let rows = rows.map(|requirement| row(requirement, trial.runs, trial.skipped));
    let mut runs = RunCounts {
        spoilt: trial.mishaps.len() as u64,
        ..RunCounts::default()
    };
    for run in trial.runs {
        runs.add(&run.judgement);
    }
    let untestable = trial.skipped.iter().map(|skipped| Untestable {
        story: skipped.story.clone(),
        reason: skipped.reason.clone(),
    });
    Certification {
        target: trial.target.to_owned(),
        world: trial.world.to_owned(),
        profile: profile.name.clone(),
        rows: rows.collect(),
        objections: objections(trial),
        runs,
        untestable: untestable.collect(),
        beside: beside(profile, trial.runs),
    }
}

fn row(requirement: &'static Requirement, runs: &[RunReport], skipped: &[Skipped]) -> Assessed {
    let id = requirement.id.as_str();
    let mut row = Assessed {
        requirement,
        outcome: Assessment::NotExercised,
        checked: 0,
        stories: Vec::new(),
        why: None,
        evidence: Vec::new(),
    };
    let mut worst = Outcome::NotExercised;
    for run in runs {
        let Some(result) = telling(run, id) else {
            continue;
        };
        row.checked += result.checked;
        if result.outcome == Outcome::NotExercised {
            continue;
        }
        if !row.stories.contains(&run.story.name) {
            row.stories.push(run.story.name.clone());
        }
        // The first run that shows the worst is the one that is told.
        if result.outcome > worst {
            worst = result.outcome;
            (row.why, row.evidence) = told(run, requirement);
        }
    }
    row.outcome = match worst {
        Outcome::Failed => Assessment::Failed,
        Outcome::Inconclusive => Assessment::Inconclusive,
        // A count of zero is no test, whatever the outcome says.
        Outcome::Passed if row.checked > 0 => Assessment::Passed,
        Outcome::Passed | Outcome::NotExercised => Assessment::NotExercised,
    };
    let mut unseen = skipped
        .iter()
        .filter(|story| story.requirements.contains(&id));
    match (row.outcome, unseen.next()) {
        (Assessment::NotExercised, Some(story)) => {
            row.outcome = Assessment::NotTestable;
            row.why = Some(format!("{}: {}", story.story, story.reason));
        }
        (Assessment::NotExercised, None) => {
            row.why = Some("no story that ran tests it".to_owned());
        }
        (Assessment::Passed, Some(story)) => {
            let more = match unseen.count() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            row.why = Some(format!(
                "{} would have tested it too, and is not testable: {}{more}",
                story.story, story.reason
            ));
        }
        _ => {}
    }
    row
}

/// What a run says about a requirement, if it can speak for it at all.
fn telling<'a>(run: &'a RunReport, id: &str) -> Option<&'a RequirementResult> {
    let result = run.judgement.requirements.get(id)?;
    let breaks = &run.story.breaks;
    let unannounced = result.outcome == Outcome::Failed && !breaks.contains(&id);
    (breaks.is_empty() || unannounced).then_some(result)
}

/// Why a requirement did not pass in a run, and what proves it.
fn told(run: &RunReport, requirement: &'static Requirement) -> (Option<String>, Vec<String>) {
    let id = requirement.id.as_str();
    let result = &run.judgement.requirements[id];
    let place = format!("{} seed {}", run.story.name, run.seed);
    match result.outcome {
        Outcome::Failed => {
            let Some((by, finding)) = result.findings.first() else {
                return (Some(format!("{place}: it was broken")), Vec::new());
            };
            let more = match result.findings.len() {
                0 | 1 => String::new(),
                found => format!(" (and {} more times)", found - 1),
            };
            let why = format!("{place}: {by}: {}{more}", run.sentence(finding));
            (Some(why), text::because(run, &finding.evidence))
        }
        Outcome::Inconclusive => {
            let why = format!("{place}: {}", run.why_inconclusive(id));
            (Some(why), Vec::new())
        }
        Outcome::Passed | Outcome::NotExercised => (None, Vec::new()),
    }
}

/// Runs that prove nothing, and runs that went wrong without breaking a requirement.
fn objections(trial: &Trial<'_>) -> Vec<String> {
    let mut objections = Vec::new();
    if trial.runs.is_empty() {
        objections.push("nothing ran".to_owned());
    }
    if trial.partial {
        objections.push("interrupted: not every story was tried".to_owned());
    }
    for mishap in trial.mishaps {
        let (name, seed) = (&mishap.name, mishap.seed);
        objections.push(format!("{name} seed {seed} was spoilt: {}", mishap.trouble));
    }
    for run in trial.runs {
        let place = format!("{} seed {}", run.story.name, run.seed);
        match run.judgement.verdict {
            RunVerdict::Held | RunVerdict::BrokeAsExpected => {}
            RunVerdict::Inconclusive => {
                let why = match run.whole_doubts() {
                    doubts if doubts.is_empty() => "something could not be told".to_owned(),
                    doubts => doubts.join("; "),
                };
                objections.push(format!("{place} is inconclusive: {why}"));
            }
            RunVerdict::StaleExpectation => {
                let stale: Vec<&str> = run.stale().collect();
                objections.push(format!(
                    "{place} says it breaks {}, and did not: what it expects is stale",
                    stale.join(", ")
                ));
            }
            RunVerdict::Violated => {
                let nameless = run.surprises().filter(|(_, text)| text.shows.is_empty());
                objections.extend(nameless.map(|(step, text)| {
                    format!("{place}: {}", run.step_story(step, text).join(": "))
                }));
            }
        }
    }
    objections
}

/// Requirements the profile does not ask for that a run saw broken.
fn beside(profile: &Profile, runs: &[RunReport]) -> Vec<String> {
    let failed = |id: &str| {
        let mut results = runs.iter().filter_map(|run| telling(run, id));
        results.any(|result| result.outcome == Outcome::Failed)
    };
    catalogue()
        .iter()
        .filter(|r| !profile.asks_for(&r.id) && failed(&r.id))
        .map(|r| r.id.clone())
        .collect()
}

//! The report for CI systems, as JUnit XML in the dialect most readers share.
//!
//! A test case is a requirement in a run that tested it: the requirement's id is the class name, story
//! and seed are the name, so that no two share both (readers keep only the first of equals). What was
//! not tested, or could not be told, is one skipped case per requirement with the reason in the message.
//! An announced break is skipped as an expected failure, one that did not happen fails. Retries,
//! timestamps and durations do not exist: a run is a pure function of its seed.

use assay_model::invariant::Finding;
use assay_scenarios::judge::{Outcome, RequirementResult, RunVerdict};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::report::{Report, RunReport};
use crate::tally::{self, Row};
use crate::text;

/// The report as XML.
pub fn junit(report: &Report) -> String {
    let mut document = quick_junit::Report::new("assay");
    document.add_test_suites(suites(report));
    document
        .to_string()
        .expect("the document is written to memory and its strings are cleaned")
}

/// Its suites, to stand beside others.
pub(crate) fn suites(report: &Report) -> Vec<TestSuite> {
    let mut suites = Vec::new();
    for runs in report.runs.chunk_by(|a, b| a.story.name == b.story.name) {
        let mut suite = TestSuite::new(runs[0].story.name.as_str());
        for run in runs {
            suite.add_test_cases(run_cases(report, run));
        }
        suites.push(suite);
    }

    let mut suite = TestSuite::new("requirements");
    suite.add_test_cases(tally::rows(report).iter().filter_map(row_case));
    suites.push(suite);

    if !report.mishaps.is_empty() {
        let mut suite = TestSuite::new("harness");
        for mishap in &report.mishaps {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(mishap.trouble.to_string());
            status.set_description(report.replay(&mishap.replay_as, mishap.seed));
            let name = format!("{} seed {}", mishap.name, mishap.seed);
            let mut case = TestCase::new(name, status);
            case.set_classname("harness");
            suite.add_test_case(case);
        }
        suites.push(suite);
    }
    suites
}

fn run_cases(report: &Report, run: &RunReport) -> Vec<TestCase> {
    let mut cases: Vec<TestCase> = run
        .judgement
        .requirements
        .iter()
        .filter_map(|(id, result)| {
            let status = requirement_status(report, run, id, result)?;
            Some(case(run, id, "", status))
        })
        .collect();

    let stale: Vec<&str> = run.stale().collect();
    for id in &stale {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("stale-expectation");
        status.set_message(format!(
            "stale expectation: the story says it breaks {id}, and did not"
        ));
        cases.retain(|case| {
            case.classname
                .as_ref()
                .is_none_or(|name| name.as_str() != *id)
        });
        cases.push(case(run, id, "", status));
    }

    for (step, told) in run.surprises() {
        // What shows a requirement is told by the requirement's own case.
        if told.shows.iter().any(|id| failed(run, id)) {
            continue;
        }
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("step");
        status.set_message(run.step_story(step, told).join(": "));
        status.set_description(description(report, run, &step.evidence));
        let place = format!(" step {} line {}", step.step + 1, told.line);
        cases.push(case(run, "steps", &place, status));
    }

    if run.judgement.verdict == RunVerdict::Inconclusive {
        let mut status = TestCaseStatus::skipped();
        let why = match run.whole_doubts() {
            doubts if doubts.is_empty() => "something could not be told".to_owned(),
            doubts => doubts.join("; "),
        };
        status.set_message(format!("inconclusive: {why}"));
        cases.push(case(run, "run", "", status));
    }
    cases
}

fn failed(run: &RunReport, requirement: &str) -> bool {
    let result = run.judgement.requirements.get(requirement);
    result.is_some_and(|result| result.outcome == Outcome::Failed)
}

/// What a finding says and what proves it; a step is told with file and line.
fn told<'a>(run: &'a RunReport, id: &str, by: &str, finding: &'a Finding) -> (String, &'a [usize]) {
    let of_step = run
        .surprises()
        .filter(|_| by == "step")
        .find(|(_, text)| text.shows.contains(&id));
    match of_step {
        Some((step, text)) => (run.step_story(step, text).join(": "), &step.evidence),
        None => (run.sentence(finding), &finding.evidence),
    }
}

fn requirement_status(
    report: &Report,
    run: &RunReport,
    id: &'static str,
    result: &RequirementResult,
) -> Option<TestCaseStatus> {
    match result.outcome {
        Outcome::NotExercised | Outcome::Inconclusive => None,
        Outcome::Passed => Some(TestCaseStatus::success()),
        Outcome::Failed => {
            let first = result.findings.first();
            let (sentence, evidence) = match first {
                Some((by, finding)) => told(run, id, by, finding),
                None => ("broken".to_owned(), &[][..]),
            };
            if run.says_it_breaks(id) {
                let mut status = TestCaseStatus::skipped();
                status.set_message(format!("expected failure: {sentence}"));
                return Some(status);
            }
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(sentence);
            status.set_type(first.map_or("requirement", |(by, _)| *by));
            status.set_description(description(report, run, evidence));
            Some(status)
        }
    }
}

fn description(report: &Report, run: &RunReport, evidence: &[usize]) -> String {
    let mut lines = text::because(run, evidence);
    lines.push(format!(
        "replay: {}",
        report.replay(&run.story.replay_as, run.seed)
    ));
    lines.join("\n")
}

fn case(run: &RunReport, class: &str, place: &str, status: TestCaseStatus) -> TestCase {
    let name = format!("{} seed {}{place}", run.story.name, run.seed);
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    // GitLab copies the names of failed tests by this.
    case.extra
        .insert("file".into(), run.story.path.as_str().into());
    case
}

fn row_case(row: &Row) -> Option<TestCase> {
    let (name, message) = if row.untouched() {
        let message = "not exercised: nothing in these runs tests it".to_owned();
        ("not exercised", message)
    } else if row.outcome == Outcome::Inconclusive {
        let why = row.why.as_deref().unwrap_or("it could not be told");
        ("inconclusive", format!("inconclusive: {why}"))
    } else {
        return None;
    };
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    let mut case = TestCase::new(name, status);
    case.set_classname(row.requirement.id.as_str());
    Some(case)
}

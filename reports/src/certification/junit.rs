//! A certification for CI systems. A test case is a requirement of the profile, its id the class name.
//! What did not run is skipped with the reason, and one more case fails when the target is not certified,
//! so that a file of nothing but skipped cases is no success.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{Assessed, Assessment, Certification, text};

/// The certification as XML.
pub fn junit(certification: &Certification) -> String {
    let mut document = quick_junit::Report::new("assay");
    document.add_test_suites(suites(certification));
    document
        .to_string()
        .expect("the document is written to memory and its strings are cleaned")
}

/// Its suites, to stand beside others.
pub(crate) fn suites(certification: &Certification) -> Vec<TestSuite> {
    let mut suite = TestSuite::new(format!("profile {}", certification.profile));
    for row in &certification.rows {
        let mut case = TestCase::new(format!("profile {}", certification.profile), status(row));
        case.set_classname(row.requirement.id.as_str());
        suite.add_test_case(case);
    }
    let mut whole = if certification.certified() {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("certification");
        status.set_message(text::verdict(certification));
        status.set_description(certification.objections.join("\n"));
        status
    };
    if certification.runs.spoilt > 0 {
        whole = TestCaseStatus::non_success(NonSuccessKind::Error);
        whole.set_message(certification.objections.join("; "));
    }
    let mut case = TestCase::new(format!("{} is certified", certification.target), whole);
    case.set_classname("certification");
    suite.add_test_case(case);
    vec![suite]
}

fn status(row: &Assessed) -> TestCaseStatus {
    let why = row.why.as_deref().unwrap_or("no reason was recorded");
    match row.outcome {
        Assessment::Passed => TestCaseStatus::success(),
        Assessment::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("requirement");
            status.set_message(why);
            status.set_description(row.evidence.join("\n"));
            status
        }
        outcome => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("{outcome}: {why}"));
            status
        }
    }
}

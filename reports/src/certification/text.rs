//! A certification for people: the verdict and the reasons first, then a line per requirement.

use std::fmt::Write;

use super::{Assessed, Assessment, Certification};
use crate::names::{count, few};
use crate::text::{cut, wrap};

const WIDTH: usize = 100;

/// The certification as text.
pub fn text(certification: &Certification) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", verdict(certification));
    for reason in reasons(certification) {
        wrap(&mut out, "  ", reason.split(' '));
    }
    let _ = writeln!(
        out,
        "\ntarget {}, world {}, {}",
        certification.target,
        certification.world,
        runs(certification)
    );
    for outcome in worst_first() {
        group(&mut out, certification, outcome);
    }
    if !certification.untestable.is_empty() {
        out.push_str("\nStories that cannot be carried out against this target\n");
        for untestable in &certification.untestable {
            let line = format!("{}: {}", untestable.story, untestable.reason);
            wrap(&mut out, "  ", line.split(' '));
        }
    }
    if !certification.beside.is_empty() {
        let line = format!(
            "\nBroken outside the profile: {}",
            certification.beside.join(", ")
        );
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The verdict in one line.
pub fn verdict(certification: &Certification) -> String {
    let counts = certification.counts();
    let (passed, total) = (counts.passed, counts.total());
    let profile = &certification.profile;
    if certification.certified() {
        return format!("CERTIFIED {passed} of {total} requirements of profile {profile}");
    }
    let mut parts: Vec<String> = worst_first()
        .filter(|outcome| *outcome != Assessment::Passed && counts.get(*outcome) > 0)
        .map(|outcome| format!("{} {outcome}", counts.get(outcome)))
        .collect();
    let objections = certification.objections.len() as u64;
    if objections > 0 {
        parts.push(count(objections, "objection", "objections"));
    }
    if total == 0 {
        parts.push("nothing to pass".to_owned());
    }
    format!(
        "NOT CERTIFIED: {passed} of {total} requirements of profile {profile} passed, {}",
        parts.join(", ")
    )
}

/// Every reason against it, failures before doubts.
fn reasons(certification: &Certification) -> Vec<String> {
    let mut reasons = Vec::new();
    for outcome in worst_first().filter(|outcome| *outcome != Assessment::Passed) {
        let such = || with(certification, outcome);
        match outcome {
            // One line names them all; each has its own below.
            Assessment::NotExercised => {
                let ids = such().map(|row| row.requirement.id.clone());
                if such().next().is_some() {
                    reasons.push(format!("not exercised: {}", few(ids)));
                }
            }
            _ => reasons.extend(such().map(|row| {
                let why = row.why.as_deref().unwrap_or("no reason was recorded");
                format!("{outcome}: {}: {why}", row.requirement.id)
            })),
        }
    }
    reasons.extend(certification.objections.iter().cloned());
    reasons
}

fn worst_first() -> impl Iterator<Item = Assessment> {
    [
        Assessment::Failed,
        Assessment::Inconclusive,
        Assessment::NotTestable,
        Assessment::NotExercised,
        Assessment::Passed,
    ]
    .into_iter()
}

fn with(certification: &Certification, outcome: Assessment) -> impl Iterator<Item = &Assessed> {
    let rows = certification.rows.iter();
    rows.filter(move |row| row.outcome == outcome)
}

fn runs(certification: &Certification) -> String {
    let runs = certification.runs;
    let kinds = [
        (runs.held, "held"),
        (runs.broke_as_expected, "broke what they say they break"),
        (runs.inconclusive, "inconclusive"),
        (runs.stale_expectation, "with a stale expectation"),
        (runs.violated, "violated a promise"),
        (runs.spoilt, "spoilt by the harness"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, kind)| format!("{number} {kind}"))
        .collect();
    let total = count(runs.total(), "run", "runs");
    let mut told = match kinds.as_slice() {
        [] => total,
        _ => format!("{total}: {}", kinds.join(", ")),
    };
    if runs.hurried > 0 {
        let hurried = runs.hurried;
        told.push_str(&format!("; {hurried} in real time, with long waits cut"));
    }
    told
}

fn group(out: &mut String, certification: &Certification, outcome: Assessment) {
    let mut heading = outcome.word().to_owned();
    heading[..1].make_ascii_uppercase();
    for (place, row) in with(certification, outcome).enumerate() {
        if place == 0 {
            let _ = writeln!(out, "\n{heading}: {}", with(certification, outcome).count());
        }
        let line = format!(
            "  {:<8}  {:<6}  {:>7}  {:>11}  {}",
            row.requirement.id,
            row.requirement.level,
            format!("{}x", row.checked),
            count(row.stories.len() as u64, "story", "stories"),
            row.requirement.text
        );
        let _ = writeln!(out, "{}", cut(&line, WIDTH).trim_end());
        if let Some(why) = &row.why {
            wrap(out, "            ", why.split(' '));
        }
        for line in &row.evidence {
            let _ = writeln!(out, "            {line}");
        }
    }
}

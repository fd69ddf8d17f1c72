//! A certification for machines: one object with a `schema`, stable.

use serde::Serialize;

use assay_model::catalogue::RequirementLevel;

use super::{Assessment, Certification, Counts, RunCounts, Untestable, text};

/// Version of the form. A number higher means that something was taken away or changed its meaning.
pub const SCHEMA: &str = "assay.certification/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    target: &'a str,
    world: &'a str,
    profile: &'a str,
    certified: bool,
    verdict: String,
    exit_code: u8,
    counts: Counts,
    runs: RunCounts,
    objections: &'a [String],
    requirements: Vec<Row<'a>>,
    untestable: &'a [Untestable],
    beside: &'a [String],
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    level: RequirementLevel,
    outcome: Assessment,
    checked: u64,
    stories: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    evidence: &'a [String],
}

/// The certification as one object on one line.
pub fn json(certification: &Certification) -> String {
    let mut text = serde_json::to_string(&document(certification)).expect("every key is text");
    text.push('\n');
    text
}

/// The same as a value, to stand in another document.
pub(crate) fn value(certification: &Certification) -> serde_json::Value {
    serde_json::to_value(document(certification)).expect("every key is text")
}

fn document(certification: &Certification) -> Document<'_> {
    let rows = certification.rows.iter().map(|row| Row {
        id: &row.requirement.id,
        level: row.requirement.level,
        outcome: row.outcome,
        checked: row.checked,
        stories: &row.stories,
        why: row.why.as_deref(),
        evidence: &row.evidence,
    });
    Document {
        schema: SCHEMA,
        target: &certification.target,
        world: &certification.world,
        profile: &certification.profile,
        certified: certification.certified(),
        verdict: text::verdict(certification),
        exit_code: certification.exit().code(),
        counts: certification.counts(),
        runs: certification.runs,
        objections: &certification.objections,
        requirements: rows.collect(),
        untestable: &certification.untestable,
        beside: &certification.beside,
    }
}

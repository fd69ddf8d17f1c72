//! `assay requirements`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use assay_model::catalogue::{Requirement, RequirementLevel, catalogue};
use assay_reports::{Exit, text};
use assay_scenarios::Overrides;
use assay_scenarios::coverage::{self, Gap, Row, Summary, Told};
use serde_json::{Value, json};

use crate::args::{Format, RequirementsArgs};
use crate::failure::{Complaint, Failure};
use crate::output::Output;
use crate::select;
use crate::suggest::suggest;
use crate::survey::survey;

const SCHEMA: &str = "assay.requirements/2";

pub(crate) fn requirements(
    args: &RequirementsArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let shown = chosen(&args.ids)?;
    if args.coverage {
        return covered(&shown, format, output);
    }
    match format {
        Format::Json => output.json(&json!({ "schema": SCHEMA, "requirements": shown })),
        Format::Text => {
            let explain = !args.ids.is_empty();
            output.text(&listed(&shown, |out, requirement| {
                if explain {
                    explained(out, requirement);
                }
            }));
        }
    }
    Ok(Exit::Held)
}

/// What tests each of these, told and counted; a MUST that nothing tests is as bad as one that broke.
fn covered(shown: &[&Requirement], format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let mut rows = counted()?;
    rows.retain(|row| {
        shown
            .iter()
            .any(|requirement| requirement.id == row.requirement.id)
    });
    let summaries = coverage::summaries(&rows);
    match format {
        Format::Json => output.json(&json!({
            "schema": SCHEMA,
            "requirements": rows.iter().map(as_json).collect::<Vec<_>>(),
            "totals": summaries.map(|summary| json!({
                "level": summary.level,
                "all": summary.all,
                "unchecked": summary.unchecked,
                "unexercised": summary.unexercised,
            })),
        })),
        Format::Text => output.text(&told(&rows, &summaries, shown.len() < catalogue().len())),
    }
    let lacking =
        |row: &Row| row.requirement.level == RequirementLevel::Must && row.gap().is_some();
    Ok(match rows.iter().any(lacking) {
        true => Exit::Broke,
        false => Exit::Held,
    })
}

/// What tests each requirement, by telling the library.
fn counted() -> Result<Vec<Row>, Failure> {
    let stories = select::choose(&[])?;
    let plans = stories
        .iter()
        .map(|story| story.scenario.plan(&Overrides::none()));
    let plans: Vec<_> = plans.collect();
    let judgements = survey(&plans, Cow::Borrowed, |_, _, judgement| judgement)?;
    let told = plans.iter().zip(&judgements).map(|(plan, judgement)| Told {
        story: &plan.name,
        plan,
        judgement,
    });
    Ok(coverage::coverage(told))
}

fn chosen(ids: &[String]) -> Result<Vec<&'static Requirement>, Failure> {
    if ids.is_empty() {
        return Ok(catalogue().iter().collect());
    }
    let mut reasons = Vec::new();
    let mut found = Vec::new();
    for id in ids {
        let known = || catalogue().iter();
        match known().find(|requirement| requirement.id.eq_ignore_ascii_case(id)) {
            Some(requirement) => found.push(requirement),
            None => {
                let hint = suggest(id, known().map(|requirement| requirement.id.as_str()));
                let complaint = Complaint::new(format!("there is no requirement `{id}`"));
                reasons.push(complaint.hint(Some(hint)).into());
            }
        }
    }
    if reasons.is_empty() {
        Ok(found)
    } else {
        Err(Failure::of(reasons))
    }
}

fn as_json(row: &Row) -> Value {
    let mut value = json!(row.requirement);
    value["coverage"] = json!({
        "gap": row.gap().map(gap),
        "invariants": row.invariants,
        "steps": row.steps.iter().map(|step| json!({
            "story": step.story,
            "line": step.line,
            "expected": step.ending.to_string(),
        })).collect::<Vec<_>>(),
        "stories": row.exercised.iter().map(|(story, checked)| json!({
            "name": story,
            "checked": checked,
        })).collect::<Vec<_>>(),
        "rules": row.rules,
    });
    value
}

const fn gap(gap: Gap) -> &'static str {
    match gap {
        Gap::Unchecked => "unchecked",
        Gap::Unexercised => "unexercised",
    }
}

/// The requirements under the titles of their sections, each with what `detail` adds.
fn listed(shown: &[&Requirement], mut detail: impl FnMut(&mut String, &Requirement)) -> String {
    let mut out = String::new();
    let mut section = "";
    for requirement in shown {
        if section != requirement.section {
            section = &requirement.section;
            let _ = writeln!(out, "{}{section}", if out.is_empty() { "" } else { "\n" });
        }
        let mut text = String::new();
        text::wrap(&mut text, INDENT, requirement.text.split(' '));
        let _ = write!(
            out,
            "  {:<8}  {:<6}  {}",
            requirement.id,
            requirement.level,
            text.trim_start()
        );
        detail(&mut out, requirement);
    }
    out
}

/// More stories than this are not all named, where many requirements are told.
const MANY: usize = 6;
/// So many are named instead.
const SOME: usize = 4;

/// Under the text of a requirement.
const INDENT: &str = "                    ";

fn line(out: &mut String, name: &str, value: &str) {
    let line = format!("{name}: {value}");
    text::wrap(out, INDENT, line.split(' '));
}

fn explained(out: &mut String, requirement: &Requirement) {
    let seen = requirement.seen.iter();
    let seen: Vec<String> = seen
        .map(|place| format!("{place:?}").to_lowercase())
        .collect();
    line(out, "source", &requirement.source);
    line(out, "seen", &seen.join(", "));
    if let Some(why) = &requirement.unchecked {
        line(out, "unchecked", why);
    }
}

/// With every story when `whole`; otherwise only some stand for many.
fn told(rows: &[Row], summaries: &[Summary], whole: bool) -> String {
    let shown: Vec<&Requirement> = rows.iter().map(|row| row.requirement).collect();
    let mut details = rows.iter();
    let mut out = listed(&shown, |out, _| {
        if let Some(row) = details.next() {
            tested(out, row, whole);
        }
    });
    out.push('\n');
    // Of levels that were not asked for there is nothing to say.
    for summary in summaries.iter().filter(|summary| summary.all > 0) {
        let Summary {
            level,
            all,
            unchecked,
            unexercised,
        } = summary;
        let _ = writeln!(
            out,
            "{all} {level}: {unchecked} unchecked, {unexercised} unexercised"
        );
    }
    out
}

/// What tests one requirement.
fn tested(out: &mut String, row: &Row, whole: bool) {
    line(out, "invariants", &or_none(row.invariants.iter()));
    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    for step in &row.steps {
        *endings.entry(step.ending.to_string()).or_default() += 1;
    }
    let endings = endings
        .iter()
        .map(|(ending, steps)| format!("{ending} ({steps})"));
    line(out, "steps", &or_none(endings));
    let stories = row.exercised.len();
    let shown = if whole || stories <= MANY {
        stories
    } else {
        SOME
    };
    let mut names = or_none(row.exercised.keys().take(shown));
    if shown < stories {
        let _ = write!(names, " and {} more", stories - shown);
    }
    line(out, "stories", &names);
    line(out, "rules", &or_none(row.rules.iter()));
    match (row.gap(), &row.requirement.unchecked) {
        (None, _) => {}
        (Some(lack), Some(why)) => line(out, "GAP", &format!("{}: {why}", gap(lack))),
        (Some(lack), None) => line(out, "GAP", gap(lack)),
    }
}

fn or_none(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<String> = words.map(|word| word.as_ref().to_owned()).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

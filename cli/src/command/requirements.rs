//! `assay requirements`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use assay_model::catalogue::{Requirement, catalogue};
use assay_model::rules::Switch;
use assay_reports::{Exit, text};
use serde::Serialize;

use crate::args::{Format, RequirementsArgs};
use crate::failure::{Complaint, Failure};
use crate::output::Output;
use crate::select;
use crate::suggest::suggest;
use assay_model::invariant;
use assay_scenarios::Overrides;

#[derive(Serialize)]
struct Listing<'a> {
    schema: &'static str,
    requirements: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    requirement: &'a Requirement,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
}

/// What tests a requirement.
#[derive(Clone, Default, Serialize)]
struct Coverage {
    invariants: Vec<&'static str>,
    /// Stories with a step that shows it, or that say they break it.
    stories: BTreeSet<String>,
    rules: Vec<&'static str>,
}

pub(crate) fn requirements(
    args: &RequirementsArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let shown = chosen(&args.ids)?;
    let coverage = if args.coverage {
        Some(coverage()?)
    } else {
        None
    };
    let rows = shown.iter().map(|requirement| Row {
        requirement,
        coverage: coverage.as_ref().map(|all| {
            all.get(requirement.id.as_str())
                .cloned()
                .unwrap_or_default()
        }),
    });
    let rows: Vec<Row<'_>> = rows.collect();
    match format {
        Format::Json => output.json(&Listing {
            schema: "assay.requirements/1",
            requirements: rows,
        }),
        Format::Text => output.text(&told(&rows, !args.ids.is_empty())),
    }
    Ok(Exit::Held)
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

fn coverage() -> Result<BTreeMap<&'static str, Coverage>, Failure> {
    let mut all: BTreeMap<&'static str, Coverage> = BTreeMap::new();
    for invariant in invariant::all() {
        for id in invariant.requirements {
            all.entry(id).or_default().invariants.push(invariant.name);
        }
    }
    for switch in Switch::ALL {
        for id in switch.requirements() {
            all.entry(id).or_default().rules.push(switch.name());
        }
    }
    for chosen in select::choose(&[])? {
        let plan = chosen.scenario.plan(&Overrides::none());
        let shown = plan.steps.iter().flat_map(|step| &step.shows);
        for id in shown.chain(&plan.breaks) {
            let row = all.entry(id).or_default();
            row.stories.insert(chosen.source.name.clone());
        }
    }
    Ok(all)
}

fn told(rows: &[Row<'_>], whole: bool) -> String {
    let mut out = String::new();
    let mut section = "";
    for Row {
        requirement,
        coverage,
    } in rows
    {
        if section != requirement.section {
            section = &requirement.section;
            let _ = writeln!(out, "{}{section}", if out.is_empty() { "" } else { "\n" });
        }
        let mut text = String::new();
        text::wrap(
            &mut text,
            "                    ",
            requirement.text.split(' '),
        );
        let _ = write!(
            out,
            "  {:<8}  {:<6}  {}",
            requirement.id,
            requirement.level,
            text.trim_start()
        );
        if whole {
            let seen: Vec<String> = requirement
                .seen
                .iter()
                .map(|place| format!("{place:?}").to_lowercase())
                .collect();
            detail(&mut out, "source", &requirement.source);
            detail(&mut out, "seen", &seen.join(", "));
        }
        if let Some(Coverage {
            invariants,
            stories,
            rules,
        }) = coverage
        {
            let stories: Vec<&str> = stories.iter().map(String::as_str).collect();
            detail(&mut out, "invariants", &or_none(invariants));
            detail(&mut out, "stories", &or_none(&stories));
            detail(&mut out, "rules", &or_none(rules));
        }
    }
    if let Some(uncovered) = uncovered(rows) {
        let _ = writeln!(out, "\n{uncovered}");
    }
    out
}

fn or_none(words: &[&str]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

fn detail(out: &mut String, name: &str, value: &str) {
    let line = format!("{name}: {value}");
    text::wrap(out, "                    ", line.split(' '));
}

fn uncovered(rows: &[Row<'_>]) -> Option<String> {
    let covered = rows.iter().map(|row| {
        let coverage = row.coverage.as_ref()?;
        Some(!coverage.invariants.is_empty() || !coverage.stories.is_empty())
    });
    let covered: Option<Vec<bool>> = covered.collect();
    let covered = covered?;
    let tested = covered.iter().filter(|covered| **covered).count();
    Some(format!(
        "{tested} of {} requirements are tested by an invariant or a story",
        covered.len()
    ))
}

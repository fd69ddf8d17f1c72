//! `assay rules`.

use std::borrow::Cow;
use std::fmt::Write;

use assay_model::catalogue;
use assay_model::rules::{Rules, Switch};
use assay_reports::{Exit, text};
use assay_scenarios::Overrides;
use assay_scenarios::matrix::{Turned, turned};
use assay_scenarios::plan::Plan;
use serde_json::{Value, json};

use crate::args::{Format, RulesArgs};
use crate::failure::{Complaint, Failure};
use crate::output::Output;
use crate::select;
use crate::suggest::suggest;
use crate::survey::survey;

pub(crate) fn rules(
    args: &RulesArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let marked = args
        .switches
        .iter()
        .fold(args.rules.rules(), |rules, (switch, on)| {
            rules.with(*switch, *on)
        });
    let shown: Vec<Switch> = match &args.name {
        Some(name) => vec![find(name)?],
        None => Switch::ALL.to_vec(),
    };
    if args.matrix {
        matrix(&shown, format, output)?;
        return Ok(Exit::Held);
    }
    match format {
        Format::Json => output.json(&json!({
            "schema": "assay.rules/2",
            "rules": marked.to_string(),
            "switches": shown.iter().map(|s| as_json(*s, marked)).collect::<Vec<_>>(),
        })),
        Format::Text if args.name.is_some() => output.text(&explained(shown[0], marked)),
        Format::Text => output.text(&listed(&shown, marked)),
    }
    Ok(Exit::Held)
}

fn find(name: &str) -> Result<Switch, Failure> {
    Switch::parse(name).ok_or_else(|| {
        let hint = suggest(name, Switch::ALL.iter().map(|switch| switch.name()));
        Failure::usage(Complaint::new(format!("there is no rule `{name}`")).hint(Some(hint)))
    })
}

const fn position(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn as_json(switch: Switch, marked: Rules) -> Value {
    let (promised, promised_source) = switch.promised();
    let (otherwise, otherwise_source) = switch.otherwise();
    json!({
        "name": switch.name(),
        "on": marked.keep(switch),
        "promised": { "text": promised, "source": promised_source },
        "otherwise": { "text": otherwise, "source": otherwise_source },
        "on_today": switch.is_on_today(),
        "keeps": switch.requirements(),
    })
}

fn sides(out: &mut String, switch: Switch, marked: Rules) {
    let on = marked.keep(switch);
    let _ = writeln!(
        out,
        "[{}] {}   keeps {}",
        if on { "on" } else { "  " },
        switch.name(),
        switch.requirements().join(", ")
    );
    let (on, off) = if switch.is_on_today() {
        ("on, also today", "off, by other documents")
    } else {
        ("on", "off, as today")
    };
    let both = [(on, switch.promised()), (off, switch.otherwise())];
    for (position, (what, source)) in both {
        let line = format!("{position}: {what} ({source})");
        text::wrap(out, "     ", line.split(' '));
    }
}

fn listed(switches: &[Switch], marked: Rules) -> String {
    let readings = switches.iter().filter(|switch| switch.is_on_today());
    let readings = readings.count();
    let mut out = format!(
        "{} points where what idOS promises (on) and what is deployed (off) differ, and {readings} where \
         documents do; marked: {marked}\n",
        switches.len() - readings
    );
    for switch in switches {
        out.push('\n');
        sides(&mut out, *switch, marked);
    }
    out
}

fn explained(switch: Switch, marked: Rules) -> String {
    let mut out = String::new();
    sides(&mut out, switch, marked);
    for requirement in switch
        .requirements()
        .iter()
        .filter_map(|id| catalogue::find(id))
    {
        let line = format!(
            "{} {}: {} ({})",
            requirement.id, requirement.level, requirement.text, requirement.source
        );
        out.push('\n');
        text::wrap(&mut out, "     ", line.split(' '));
    }
    let turned = position(!marked.keep(switch));
    let _ = writeln!(out, "\ntry it: assay run --rule {}={turned}", switch.name());
    out
}

/// Turns each of these off in every story that is written for it on, and tells what breaks that did not break
/// before. In the others nothing would change.
fn matrix(shown: &[Switch], format: Format, output: &mut Output) -> Result<(), Failure> {
    let stories = select::choose(&[])?;
    let plans: Vec<Plan> = stories
        .iter()
        .map(|story| story.scenario.plan(&Overrides::none()))
        .collect();
    let as_written = survey(&plans, Cow::Borrowed, |_, _, judgement| judgement)?;
    let mut turns: Vec<(Switch, usize)> = Vec::new();
    for switch in shown {
        let places = (0..plans.len()).filter(|place| plans[*place].rules.keep(*switch));
        turns.extend(places.map(|place| (*switch, place)));
    }
    let off = |(switch, place): &(Switch, usize)| -> Cow<'_, Plan> {
        let mut plan = plans[*place].clone();
        plan.rules = plan.rules.with(*switch, false);
        Cow::Owned(plan)
    };
    let said = survey(&turns, off, |(_, place), plan, after| {
        turned(plan, &as_written[*place], &after)
    })?;
    let mut rows: Vec<Turned> = shown.iter().copied().map(Turned::new).collect();
    for ((switch, place), turn) in turns.iter().zip(said) {
        for row in rows.iter_mut().filter(|row| row.switch == *switch) {
            row.add(&plans[*place].name, turn.clone());
        }
    }
    match format {
        Format::Json => output.json(&json!({
            "schema": "assay.matrix/2",
            "stories": stories.len(),
            "switches": rows.iter().map(row_as_json).collect::<Vec<_>>(),
        })),
        Format::Text => output.text(&told(&rows)),
    }
    Ok(())
}

fn row_as_json(row: &Turned) -> Value {
    let lines = |stories: &[(String, Vec<u32>)]| {
        let stories = stories.iter();
        let stories = stories.map(|(name, lines)| json!({ "story": name, "lines": lines }));
        stories.collect::<Vec<_>>()
    };
    json!({
        "name": row.switch.name(),
        "keeps": row.switch.requirements(),
        "is_caught": row.is_caught(),
        "caught": row.caught.iter().map(|(id, stories)| json!({
            "requirement": id,
            "stories": stories,
        })).collect::<Vec<_>>(),
        "untellable": lines(&row.untellable),
        "otherwise": lines(&row.otherwise),
    })
}

fn told(rows: &[Turned]) -> String {
    let mut out = String::new();
    for row in rows {
        let keeps = row.switch.requirements().join(", ");
        let _ = writeln!(out, "{}=off   keeps {keeps}", row.switch.name());
        let mut say = |line: String| text::wrap(&mut out, "     ", line.split(' '));
        for (id, stories) in &row.caught {
            say(format!("breaks {id} in {}", stories.join(", ")));
        }
        if row.caught.is_empty() {
            say("breaks nothing that a story sees".to_owned());
        }
        for (story, lines) in &row.untellable {
            let which = of_lines(lines);
            say(format!(
                "{story} cannot be told without, for want of an action ({which})"
            ));
        }
        for (story, lines) in &row.otherwise {
            let which = of_lines(lines);
            say(format!(
                "ends otherwise, and breaks no promise: {story} ({which})"
            ));
        }
        out.push('\n');
    }
    let uncaught = rows.iter().filter(|row| !row.is_caught());
    let uncaught: Vec<&str> = uncaught.map(|row| row.switch.name()).collect();
    let _ = writeln!(
        out,
        "{} of {} rules break a promise they keep when they are turned off, and a story shows it",
        rows.len() - uncaught.len(),
        rows.len()
    );
    if !uncaught.is_empty() {
        let line = format!("no broken promise shows {}", uncaught.join(", "));
        text::wrap(&mut out, "", line.split(' '));
    }
    out
}

/// `line 12`, `lines 12, 15`.
fn of_lines(lines: &[u32]) -> String {
    let told: Vec<String> = lines.iter().map(u32::to_string).collect();
    let line = if told.len() == 1 { "line" } else { "lines" };
    format!("{line} {}", told.join(", "))
}

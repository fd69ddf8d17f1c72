//! `assay rules`.

use std::fmt::Write;

use assay_model::catalogue;
use assay_model::rules::{Rules, Switch};
use assay_reports::{Exit, text};
use serde_json::{Value, json};

use crate::args::{Format, RulesArgs};
use crate::failure::{Complaint, Failure};
use crate::output::Output;
use crate::suggest::suggest;

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

//! `assay replay`.

use std::fmt::Write;

use assay_model::history::History;
use assay_model::time::Millis;
use assay_reports::{Exit, Mishap, Narrator, Report, RunReport, Seeds, Trouble, json, state, text};
use assay_scenarios::plan::Plan;
use serde::Serialize;
use serde_json::Value;

use crate::args::{Format, ReplayArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::runner::caught;
use crate::select::choose_one;
use crate::world::{Job, Ran, Sim, World};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    name: &'a str,
    seed: u64,
    rules: &'a str,
    crypto: &'a str,
    digest: String,
    at_ms: Option<u64>,
    observations: Vec<Observation>,
    nodes: Vec<state::NodeState>,
    /// As `assay run` gives it for this one run; none when the telling stopped early.
    report: Option<Value>,
}

#[derive(Serialize)]
struct Observation {
    index: usize,
    at_ms: u64,
    told: String,
}

pub(crate) fn replay(
    args: &ReplayArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let world = Sim::new(args.circumstances.crypto);
    replay_in(&world, args, format, output)
}

fn replay_in(
    world: &dyn World,
    args: &ReplayArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let chosen = choose_one(&args.scenario)?;
    let job = chosen.job(&args.circumstances.overrides(true));
    let Job { plan, story, .. } = &job;
    let mut report = Report {
        command: format!("assay replay {}", args.scenario),
        world: "sim",
        rules: story.rules.clone(),
        crypto: args.circumstances.crypto.name().to_owned(),
        seeds: Seeds {
            first: args.seed,
            last: args.seed,
        },
        planned: 1,
        replay_flags: args.circumstances.flags(),
        runs: vec![],
        mishaps: vec![],
        partial: false,
    };

    let ran = caught(|| world.run(&[&job], args.seed).remove(0));
    let ran = ran
        .map_err(|message| Trouble::Panicked { message })
        .and_then(|ran| ran);
    let mut spoil = |trouble: Trouble| {
        report.mishaps.push(Mishap {
            name: story.name.clone(),
            replay_as: story.replay_as.clone(),
            seed: args.seed,
            trouble,
        });
    };
    let history = match ran {
        Ok(Ran {
            history, metrics, ..
        }) => {
            if args.at.is_none() {
                // What happened is worth telling even when judging it fails.
                match caught(|| world.judge(plan, &history, metrics)) {
                    Ok(judgement) => report.runs.push(RunReport::new(
                        story.clone(),
                        args.seed,
                        plan,
                        &history,
                        judgement,
                    )),
                    Err(message) => spoil(Trouble::Panicked { message }),
                }
            }
            Some(history)
        }
        Err(trouble) => {
            spoil(trouble);
            None
        }
    };
    let stopped = args.at.is_some() && history.is_some();
    match format {
        Format::Text => {
            if let Some(history) = &history {
                tell(history, plan, args, &report, output);
            }
            if !stopped {
                output.text(&format!("\n{}", text::outcome(&report)));
            }
        }
        Format::Json => {
            let document = document(history.as_ref(), plan, args, &report, stopped);
            output.json(&document);
        }
    }
    Ok(if stopped {
        Exit::Held
    } else {
        Exit::of(&report)
    })
}

/// How many observations there are up to the end of the telling.
fn shown(history: &History, at: Option<Millis>) -> usize {
    let all = history.observations();
    match at {
        Some(at) => all.partition_point(|observation| observation.at <= at),
        None => all.len(),
    }
}

fn tell(history: &History, plan: &Plan, args: &ReplayArgs, report: &Report, output: &mut Output) {
    output.text(&format!(
        "{}\n{}\nseed {}, rules {}, crypto {}\n\n",
        plan.name, plan.claim, args.seed, report.rules, report.crypto
    ));
    let narrator = Narrator::new(history, plan);
    let shown = shown(history, args.at);
    let observations = &history.observations()[..shown];
    let number_width = shown.saturating_sub(1).to_string().len();
    let time_width = observations
        .last()
        .map_or(0, |last| last.at.to_string().len());
    // One write per line would be one system call per line; one for all would hold it all in memory.
    for (chunk, lines) in observations.chunks(1000).enumerate() {
        let mut text = String::new();
        for (offset, observation) in lines.iter().enumerate() {
            let index = chunk * 1000 + offset;
            let at = observation.at.to_string();
            let told = narrator.tell(index);
            let _ = writeln!(text, "{index:>number_width$}  {at:>time_width$}  {told}");
        }
        output.text(&text);
    }
    if let Some(at) = args.at {
        let mut text = format!("\nat {at}\n");
        for node in state::nodes(history, at) {
            let _ = writeln!(text, "  {node}");
        }
        output.text(&text);
    }
}

fn document<'a>(
    history: Option<&History>,
    plan: &'a Plan,
    args: &ReplayArgs,
    report: &'a Report,
    stopped: bool,
) -> Document<'a> {
    let end = args.at.unwrap_or(Millis(u64::MAX));
    let observations = history.map_or(vec![], |history| {
        let narrator = Narrator::new(history, plan);
        let observations = history.observations()[..shown(history, args.at)].iter();
        observations
            .enumerate()
            .map(|(index, observation)| Observation {
                index,
                at_ms: observation.at.0,
                told: narrator.tell(index),
            })
            .collect()
    });
    let whole = || serde_json::from_str(&json::json(report));
    Document {
        schema: "assay.replay/1",
        name: &plan.name,
        seed: args.seed,
        rules: &report.rules,
        crypto: &report.crypto,
        digest: history.map_or(String::new(), |history| hex::encode(history.digest())),
        at_ms: args.at.map(|at| at.0),
        observations,
        nodes: history.map_or(vec![], |history| state::nodes(history, end)),
        report: (!stopped).then(|| whole().expect("a report is one JSON object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Circumstances, Crypto};
    use crate::testing::{Fake, jobs, written};

    fn args(at: Option<Millis>) -> ReplayArgs {
        ReplayArgs {
            scenario: jobs(1)[0].story.name.clone(),
            seed: 4,
            at,
            circumstances: Circumstances {
                rules: None,
                switches: vec![],
                crypto: Crypto::Real,
            },
        }
    }

    fn told(at: Option<Millis>, format: Format, expected: Exit) -> String {
        let world = Fake::new(|seed| seed);
        written(|output| {
            let exit = replay_in(&world, &args(at), format, output);
            assert_eq!(exit.unwrap(), expected);
        })
    }

    #[test]
    fn a_run_is_told_to_its_end_and_judged() {
        let text = told(None, Format::Text, Exit::Held);
        for line in [
            "0   0.000s  n1 starts",
            "1   0.001s  n1 crashes and loses 4 unsynced writes",
            "2  90.000s  nothing is under way any more",
            "Every promise that was tested held. (exit code 0)",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn the_telling_stops_where_it_is_told_to() {
        let text = told(Some(Millis(1)), Format::Text, Exit::Held);
        assert!(text.contains("at 0.001s\n  n1   down"), "{text}");
        assert!(!text.contains("under way"), "{text}");
    }

    #[test]
    fn machines_get_the_same() {
        let value: Value = serde_json::from_str(&told(None, Format::Json, Exit::Held)).unwrap();
        assert_eq!(value["schema"], "assay.replay/1");
        assert_eq!(value["observations"].as_array().unwrap().len(), 3);
        assert_eq!(value["report"]["exit_code"], 0);
        let value: Value =
            serde_json::from_str(&told(Some(Millis(0)), Format::Json, Exit::Held)).unwrap();
        assert_eq!(value["observations"].as_array().unwrap().len(), 1);
        assert!(value["report"].is_null());
    }

    #[test]
    fn a_panic_is_told_as_one() {
        let world = Fake::new(|_| panic!("out of ink"));
        let text = written(|output| {
            let exit = replay_in(&world, &args(None), Format::Text, output);
            assert_eq!(exit.unwrap(), Exit::Harness);
        });
        assert!(text.contains("out of ink"), "{text}");
    }
}

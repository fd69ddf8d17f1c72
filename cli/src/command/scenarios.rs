//! `assay scenarios`.

use std::path::PathBuf;

use assay_reports::{Exit, text};
use serde_json::json;

use crate::args::{Format, ScenariosArgs, ScenariosCommand};
use crate::failure::Failure;
use crate::output::Output;
use crate::select::{choose, choose_one};
use assay_scenarios::{Overrides, Problem, load, read_scenario, schema};

pub(crate) fn scenarios(
    args: ScenariosArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match args.command.unwrap_or(ScenariosCommand::List) {
        ScenariosCommand::List => list(format, output),
        ScenariosCommand::Show { scenario } => show(&scenario, format, output),
        ScenariosCommand::Validate { files } => Ok(validate(&files, format, output)),
        ScenariosCommand::Schema => {
            // A schema is a JSON object in either format; people get it with line breaks.
            match format {
                Format::Json => output.json(&schema()),
                Format::Text => {
                    let schema = serde_json::to_string_pretty(&schema());
                    output.text(&format!("{}\n", schema.expect("every key is text")));
                }
            }
            Ok(Exit::Held)
        }
    }
}

fn list(format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let stories = choose(&[])?;
    match format {
        Format::Json => {
            let rows = stories.iter().map(|story| {
                json!({
                    "name": story.source.name,
                    "path": story.source.path,
                    "claim": story.scenario.claim,
                })
            });
            output.json(&json!({
                "schema": "assay.scenarios/1",
                "scenarios": rows.collect::<Vec<_>>(),
            }));
        }
        Format::Text => {
            let widths = stories.iter().map(|story| story.source.name.len());
            let width = widths.max().unwrap_or(0);
            for story in &stories {
                let line = format!("{:<width$}  {}", story.source.name, story.scenario.claim);
                output.text(&format!("{}\n", text::cut(&line, 100)));
            }
        }
    }
    Ok(Exit::Held)
}

fn show(word: &str, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let story = choose_one(word)?;
    match format {
        // The file itself, so that it can be the beginning of another.
        Format::Text => output.text(&story.source.text),
        Format::Json => {
            let plan = story.scenario.plan(&Overrides::none());
            output.json(&json!({
                "schema": "assay.scenario/1",
                "name": story.source.name,
                "path": story.source.path,
                "claim": story.scenario.claim,
                "text": &*story.source.text,
                "rules": plan.rules.to_string(),
                "plan": plan,
            }));
        }
    }
    Ok(Exit::Held)
}

/// What is wrong goes to standard error; as json it is the result, on standard output.
fn validate(files: &[PathBuf], format: Format, output: &mut Output) -> Exit {
    let checked = files.iter().map(|path| {
        let problems: Vec<Problem> = match read_scenario(path) {
            Ok(source) => load(&source).err().unwrap_or_default(),
            Err(problem) => vec![problem],
        };
        (path, problems)
    });
    let checked: Vec<(&PathBuf, Vec<Problem>)> = checked.collect();
    let all_good = checked.iter().all(|(_, problems)| problems.is_empty());
    match format {
        Format::Json => {
            let rows = checked.iter().map(|(path, problems)| {
                json!({
                    "path": path.display().to_string(),
                    "ok": problems.is_empty(),
                    "problems": problems.iter().map(as_json).collect::<Vec<_>>(),
                })
            });
            output.json(&json!({
                "schema": "assay.validation/1",
                "ok": all_good,
                "files": rows.collect::<Vec<_>>(),
            }));
        }
        Format::Text => {
            for (path, problems) in checked {
                if problems.is_empty() {
                    output.text(&format!("{}: good\n", path.display()));
                }
                let reasons = problems.into_iter().map(miette::Report::new).collect();
                Failure::of(reasons).tell();
            }
        }
    }
    if all_good { Exit::Held } else { Exit::Usage }
}

fn as_json(problem: &Problem) -> serde_json::Value {
    use miette::Diagnostic;
    let labels = problem.labels().into_iter().flatten().map(
        |label| json!({ "offset": label.offset(), "length": label.len(), "text": label.label() }),
    );
    json!({
        "message": problem.to_string(),
        "help": problem.help().map(|help| help.to_string()),
        "labels": labels.collect::<Vec<_>>(),
    })
}

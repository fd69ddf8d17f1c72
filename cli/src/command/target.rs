//! `assay target`.

use std::future::Future;
use std::path::{Path, PathBuf};

use assay_conformance::live::check::{self, Outcome, STEPS, Step};
use assay_conformance::live::target::{BUILT_IN, Target, built_in};
use assay_reports::Exit;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Format, TargetArgs, TargetCommand};
use crate::failure::{Complaint, Failure};
use crate::output::{Output, complain};
use crate::suggest::suggest;

pub(crate) fn target(
    args: TargetArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match args.command {
        TargetCommand::Check { target, dir } => check(&target, dir, format, output),
        TargetCommand::List => {
            list(format, output);
            Ok(Exit::Held)
        }
        TargetCommand::Show { name } => show(&name, format, output),
    }
}

pub(crate) fn load(word: &str) -> Result<Target, Failure> {
    Target::load(word).map_err(|problems| {
        let reasons = problems.into_iter().map(miette::Report::new);
        Failure::of(reasons.collect())
    })
}

fn list(format: Format, output: &mut Output) {
    let targets =
        BUILT_IN.map(|(name, _)| Target::load(name).expect("the built-in targets are sound"));
    match format {
        Format::Json => output.json(&json!({
            "schema": "assay.targets/1",
            "targets": targets.map(|target| json!({
                "name": target.name,
                "description": target.description,
            })),
        })),
        Format::Text => {
            let width = targets.iter().map(|target| target.name.len()).max();
            let width = width.unwrap_or(0);
            for target in targets {
                output.text(&format!(
                    "{:<width$}  {}\n",
                    target.name, target.description
                ));
            }
        }
    }
}

fn show(name: &str, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let Some(source) = built_in(name) else {
        let hint = suggest(name, BUILT_IN.iter().map(|(name, _)| *name));
        let complaint = Complaint::new(format!("there is no built-in target `{name}`"));
        return Err(Failure::usage(complaint.hint(Some(hint))));
    };
    match format {
        Format::Json => output.json(&json!({
            "schema": "assay.target/1",
            "name": source.name,
            "text": &*source.text,
        })),
        Format::Text => output.text(&source.text),
    }
    Ok(Exit::Held)
}

fn check(
    word: &str,
    dir: Option<PathBuf>,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let target = load(word)?;
    let place = Place::new(dir)?;
    let plan = check::plan(std::env::current_exe().map_err(|error| harness(error.to_string()))?);
    if format == Format::Text {
        output.text(&format!("target {}: {}\n", target.name, target.path));
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| harness(error.to_string()))?;
    let mut tell = |step: &Step| {
        if format == Format::Text {
            output.text(&line(step));
        }
    };
    let checked = check::check(&target, plan, place.path(), &mut tell);
    let Some(steps) = runtime.block_on(unless_interrupted(checked)) else {
        complain("assay: interrupted; every node was ended\n");
        return Ok(Exit::Interrupted);
    };
    let failed = steps.iter().any(|step| step.outcome == Outcome::Failed);
    let exit = if failed { Exit::NoTarget } else { Exit::Held };
    let kept = place.keep_if(failed);
    match format {
        Format::Json => output.json(&json!({
            "schema": "assay.target-check/1",
            "exit_code": exit.code(),
            "target": target.name,
            "path": target.path,
            "steps": steps,
            "directory": kept,
        })),
        Format::Text => output.text(&ending(&steps, kept.as_deref())),
    }
    Ok(exit)
}

/// What a future comes to; nothing when an interrupt comes first. Then the future is dropped, and with
/// it every process it started.
async fn unless_interrupted<T>(future: impl Future<Output = T>) -> Option<T> {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
        // Without handlers an interrupt would end us and leave the nodes behind.
        complain("assay: failed to listen for interrupts\n");
        return None;
    };
    tokio::select! {
        biased;
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        _ = hangup.recv() => None,
        done = future => Some(done),
    }
}

/// Where the network is.
enum Place {
    /// The user's.
    Given(PathBuf),
    /// Gone afterwards, unless there is something to look at.
    Temporary(tempfile::TempDir),
}

impl Place {
    fn new(dir: Option<PathBuf>) -> Result<Place, Failure> {
        match dir {
            Some(dir) => Ok(Place::Given(dir)),
            None => tempfile::Builder::new()
                .prefix("assay-target-")
                .tempdir()
                .map(Place::Temporary)
                .map_err(|error| harness(format!("cannot make a temporary directory: {error}"))),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Place::Given(dir) => dir,
            Place::Temporary(dir) => dir.path(),
        }
    }

    fn keep_if(self, failed: bool) -> Option<PathBuf> {
        match self {
            Place::Given(dir) => Some(dir),
            Place::Temporary(dir) => failed.then(|| dir.keep()),
        }
    }
}

fn harness(what: String) -> Failure {
    Failure {
        exit: Exit::Harness,
        reasons: vec![Complaint::new(what).into()],
    }
}

fn line(step: &Step) -> String {
    let width = STEPS.iter().map(|name| name.len()).max().unwrap_or(0);
    let outcome = match step.outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "FAILED",
        Outcome::Skipped => "skipped",
    };
    let mut lines = step.seen.lines();
    let first = lines.next().unwrap_or_default();
    let mut text = format!("  {outcome:<7}  {:<width$}  {first}\n", step.name);
    for further in lines {
        text.push_str(&format!("{:>1$}{further}\n", "", width + 13));
    }
    text
}

fn ending(steps: &[Step], kept: Option<&Path>) -> String {
    let count = |outcome| steps.iter().filter(|step| step.outcome == outcome).count();
    let (failed, skipped) = (count(Outcome::Failed), count(Outcome::Skipped));
    let mut text = match failed {
        0 => format!(
            "fit for stories; {skipped} of {} steps skipped\n",
            steps.len()
        ),
        _ => format!(
            "not fit for stories: {failed} of {} steps failed\n",
            steps.len()
        ),
    };
    if let Some(kept) = kept {
        text.push_str(&format!("logs and data: {}\n", kept.display()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_lines_and_further_lines_stand_below_the_first() {
        let step = |outcome, seen: &str| Step {
            name: "ready",
            outcome,
            seen: seen.to_owned(),
        };
        let steps = [
            step(Outcome::Ok, "chain id x"),
            step(Outcome::Failed, "n1 did not start\nlast words"),
            step(Outcome::Skipped, ""),
        ];
        let told: String = steps.iter().map(line).collect();
        let path = Path::new("/run");
        insta::assert_snapshot!(told + &ending(&steps, Some(path)) + &ending(&steps[..1], None));
    }
}

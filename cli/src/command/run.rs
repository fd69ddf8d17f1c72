//! `assay run`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use assay_reports::{Exit, Report, json, quoted, text, write};

use crate::args::{Format, RunArgs};
use crate::failure::{Complaint, Failure};
use crate::output::{Output, complain};
use crate::progress;
use crate::runner::{Ended, Job, carry_out};
use crate::select::choose;
use crate::world::world;

/// A report keeps every run, at some kilobytes each.
const MOST_RUNS: u64 = 1_000_000;

pub(crate) fn run(args: &RunArgs, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let world = world(args.world, args.circumstances.crypto)?;
    let stories = choose(&args.scenario)?;
    if stories.is_empty() {
        let nothing = Complaint::new("no scenario was selected, so nothing ran");
        return Err(Failure {
            exit: Exit::NothingRan,
            reasons: vec![nothing.into()],
        });
    }
    let seeds = args.seeds();
    let planned = (stories.len() as u64).saturating_mul(seeds.count());
    if planned > MOST_RUNS {
        let what = format!("{planned} runs are more than one report holds");
        let hint = format!("split the seeds; {MOST_RUNS} runs fit");
        return Err(Failure::usage(Complaint::new(what).hint(Some(hint))));
    }
    write::check_writable(&args.out)?;

    let overrides = args.circumstances.overrides(!args.as_written);
    let jobs = stories.iter().map(|story| {
        let (plan, story) = story.plan(&overrides);
        Job { plan, story }
    });
    let jobs: Vec<Job> = jobs.collect();
    let bar = progress::bar(planned);
    let ended = carry_out(&world, &jobs, seeds, args.jobs, &interrupt(), &bar);
    bar.finish_and_clear();

    let mut report = Report {
        command: command(),
        world: args.world.name(),
        rules: common_rules(&jobs),
        crypto: args.circumstances.crypto.name().to_owned(),
        seeds,
        planned,
        replay_flags: args.circumstances.flags(),
        runs: Vec::new(),
        mishaps: Vec::new(),
        partial: false,
    };
    for ended in ended {
        match ended {
            Ended::Done(run) => report.runs.push(*run),
            Ended::Spoilt(mishap) => report.mishaps.push(*mishap),
            Ended::Skipped => report.partial = true,
        }
    }
    let written = write::write(&args.out, &report);
    match format {
        Format::Json => output.text(&json::json(&report)),
        Format::Text => output.text(&text::text(&report)),
    }
    written?;
    let lies = format!("report: {}\n", args.out.display());
    match format {
        Format::Json => complain(&lies),
        Format::Text => output.text(&lies),
    }
    Ok(Exit::of(&report))
}

/// The command as it was typed.
fn command() -> String {
    let words = std::env::args().skip(1).map(|word| quoted(&word));
    let words: Vec<String> = std::iter::once("assay".to_owned()).chain(words).collect();
    words.join(" ")
}

fn common_rules(jobs: &[Job]) -> String {
    let first = &jobs[0].story.rules;
    if jobs.iter().all(|job| job.story.rules == *first) {
        first.clone()
    } else {
        "as each story says".to_owned()
    }
}

/// A flag that the first Ctrl-C raises, so that what is done can be written; the second one ends the
/// process at once.
fn interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    let handled = ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        complain("interrupted: what is under way is finished and written; again to stop at once\n");
    });
    if let Err(error) = handled {
        complain(&format!(
            "assay: an interrupt will lose this run: {error}\n"
        ));
    }
    flag
}

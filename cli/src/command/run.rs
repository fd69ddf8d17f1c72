//! `assay run`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use assay_reports::worlds::{self, InWorld, Worlds};
use assay_reports::{Exit, Seeds, json, quoted, text, write};

use crate::args::{Format, RunArgs, World as Name};
use crate::campaign::Campaign;
use crate::failure::{Complaint, Failure};
use crate::output::{Output, complain};
use crate::select::choose;
use crate::world::{World, world};

/// A report keeps every run, at some kilobytes each.
const MOST_RUNS: u64 = 1_000_000;

pub(crate) fn run(args: &RunArgs, format: Format, output: &mut Output) -> Result<Exit, Failure> {
    let crypto = args.circumstances.crypto;
    let worlds = args.world.iter().map(|name| {
        let world = world(*name, crypto, &args.target)?;
        Ok((name.name(), world))
    });
    let worlds: Vec<(&'static str, Box<dyn World>)> = worlds.collect::<Result<_, Failure>>()?;
    let named: Vec<(&'static str, &dyn World)> = worlds
        .iter()
        .map(|(name, world)| (*name, &**world))
        .collect();
    run_in(&named, args, format, output, interrupt)
}

fn run_in(
    worlds: &[(&'static str, &dyn World)],
    args: &RunArgs,
    format: Format,
    output: &mut Output,
    interrupt: impl FnOnce() -> Arc<AtomicBool>,
) -> Result<Exit, Failure> {
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

    let campaign = Campaign {
        stories: &stories,
        overrides: args.circumstances.overrides(!args.as_written),
        seeds,
        jobs: args.jobs,
        command: command(args),
        flags: args.circumstances.flags(),
        crypto: args.circumstances.crypto.name(),
    };
    let interrupted = interrupt();
    let told: Vec<InWorld> = worlds
        .iter()
        .map(|(name, world)| campaign.carry_out(*world, name, &interrupted).told)
        .collect();
    let (exit, text, json, written) = match &told[..] {
        [InWorld { report, untestable }] if untestable.is_empty() => (
            Exit::of(report),
            text::text(report),
            json::json(report),
            write::write(&args.out, report),
        ),
        _ => {
            let report = Worlds {
                command: command(args),
                worlds: told,
                certification: None,
            };
            (
                report.exit(),
                worlds::text(&report),
                worlds::json(&report),
                write::write_worlds(&args.out, &report),
            )
        }
    };
    match format {
        Format::Json => output.text(&json),
        Format::Text => output.text(&text),
    }
    written?;
    let lies = format!("report: {}\n", args.out.display());
    match format {
        Format::Json => complain(&lies),
        Format::Text => output.text(&lies),
    }
    Ok(exit)
}

/// The command that gives the same report. What changes only where that goes or how fast it comes is
/// left out, so that reports can be compared byte by byte.
fn command(args: &RunArgs) -> String {
    let mut words = vec!["assay run".to_owned()];
    words.extend(args.scenario.iter().map(|word| quoted(word)));
    let Seeds { first, last } = args.seeds();
    words.push(if first == last {
        format!("--seed {first}")
    } else {
        format!("--seeds {first}..{last}")
    });
    if args.world != [Name::Sim] {
        let names: Vec<&str> = args.world.iter().map(|world| world.name()).collect();
        words.push(format!("--world {}", names.join(",")));
    }
    if args.target != "reference" {
        words.push(format!("--target {}", quoted(&args.target)));
    }
    if args.as_written {
        words.push("--as-written".to_owned());
    }
    words.join(" ") + &args.circumstances.flags()
}

/// A flag that the first Ctrl-C raises, so that what is done can be written; the second one ends the
/// process at once.
pub(crate) fn interrupt() -> Arc<AtomicBool> {
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::*;
    use crate::args::{self, Cli, Command};
    use crate::testing::{Fake, written};

    /// Runs the library in a world that panics with seed 13; gives the exit code and what was written.
    fn carried_out(out: &Path, flags: &[&str], interrupted: bool) -> (Exit, String) {
        let words = ["assay", "run", "--out"].map(OsString::from).into_iter();
        let words = words
            .chain([out.into()])
            .chain(flags.iter().map(OsString::from));
        let Ok(Cli {
            command: Some(Command::Run(args)),
            format,
        }) = args::parse(words)
        else {
            panic!("{flags:?}")
        };
        let world = Fake::new(|seed| {
            assert_ne!(seed, 13, "no such floor");
            seed
        });
        let mut exit = None;
        let text = written(|output| {
            let flag = || Arc::new(AtomicBool::new(interrupted));
            exit = Some(run_in(&[("sim", &world)], &args, format, output, flag).unwrap());
        });
        (exit.unwrap(), text)
    }

    #[test]
    fn what_is_shown_is_what_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (exit, text) = carried_out(dir.path(), &["--seeds", "1..3"], false);
        assert_eq!(exit, Exit::Held);
        let file = std::fs::read_to_string(dir.path().join("report.txt")).unwrap();
        let lies = format!("report: {}\n", dir.path().display());
        assert_eq!(text, file + &lies);
        let json = ["--seeds", "1..3", "--format", "json"];
        let (_, text) = carried_out(dir.path(), &json, false);
        let file = std::fs::read_to_string(dir.path().join("report.json")).unwrap();
        assert_eq!(text, file);
    }

    #[test]
    fn the_number_of_jobs_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let flags = ["--seeds", "1..40", "--format", "json", "--jobs"];
        let with = |jobs| carried_out(dir.path(), &[&flags[..], &[jobs]].concat(), false);
        assert_eq!(with("1"), with("4"));
        let (exit, text) = with("1");
        assert_eq!(exit, Exit::Harness);
        assert!(
            text.contains("\"command\":\"assay run --seeds 1..40\""),
            "{text}"
        );
    }

    #[test]
    fn an_interrupt_leaves_a_partial_report() {
        let dir = tempfile::tempdir().unwrap();
        let (exit, text) = carried_out(dir.path(), &["--format", "json"], true);
        assert_eq!(exit, Exit::Interrupted);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["partial"], &value["exit_code"]),
            (&true.into(), &130.into())
        );
        assert!(dir.path().join("junit.xml").exists());
    }

    #[test]
    fn a_panic_is_reported_with_story_seed_and_the_way_back() {
        let dir = tempfile::tempdir().unwrap();
        let flags = ["--seeds", "12..13", "--rules", "deployed"];
        let (exit, text) = carried_out(dir.path(), &flags, false);
        assert_eq!(exit, Exit::Harness);
        for told in ["no such floor", "seed 13", "--seed 13 --rules deployed"] {
            assert!(text.contains(told), "{told} is not in\n{text}");
        }
    }
}

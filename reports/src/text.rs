//! The report for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use assay_model::catalogue::{RequirementId, find};
use assay_model::time::Millis;
use assay_scenarios::judge::{Outcome, RunVerdict, StepResult};

use crate::broken;
use crate::exit::Exit;
use crate::names::{count, few};
use crate::report::{Mishap, Report, RunReport, StepText};
use crate::tally::{self, Row, Totals};

/// Columns a table may take.
const WIDTH: usize = 100;
/// How many events are told to explain one violation.
const BECAUSE: usize = 4;

/// The report as text, at most 100 columns wide where it is a table.
pub fn text(report: &Report) -> String {
    let sections = [
        header(report),
        stories(report),
        violations(report),
        doubts(report),
        mishaps(report),
        requirements(report),
        counterexamples(report),
        totals(report),
    ];
    let told: Vec<String> = sections.into_iter().filter(|s| !s.is_empty()).collect();
    told.join("\n")
}

/// What one run came to, for the end of a replay: what went wrong, why it proves nothing, the verdict.
pub fn outcome(report: &Report) -> String {
    let exit = Exit::of(report);
    let verdict = format!("{} (exit code {})\n", exit.meaning(), exit.code());
    let sections = [
        stories(report),
        violations(report),
        doubts(report),
        mishaps(report),
        verdict,
    ];
    let told: Vec<String> = sections.into_iter().filter(|s| !s.is_empty()).collect();
    told.join("\n")
}

/// At most so many columns, with an ellipsis where something was cut.
pub fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn header(report: &Report) -> String {
    let spoilt = report.mishaps.iter().map(|mishap| mishap.name.as_str());
    let names: BTreeSet<&str> = report
        .runs
        .iter()
        .map(|run| run.story.name.as_str())
        .chain(spoilt)
        .collect();
    let stories = names.len() as u64;
    format!(
        "{}\n{}, {}, world {}, rules {}, crypto {}\n",
        report.command,
        count(stories, "story", "stories"),
        report.seeds,
        report.world,
        report.rules,
        report.crypto
    )
}

fn by_story(report: &Report) -> Vec<&[RunReport]> {
    report
        .runs
        .chunk_by(|a, b| a.story.name == b.story.name)
        .collect()
}

/// A verdict in a word or two; what is wrong is in capitals.
pub const fn word(verdict: RunVerdict) -> &'static str {
    match verdict {
        RunVerdict::Held => "held",
        RunVerdict::BrokeAsExpected => "as expected",
        RunVerdict::Inconclusive => "INCONCLUSIVE",
        RunVerdict::StaleExpectation => "STALE",
        RunVerdict::Violated => "VIOLATED",
    }
}

fn stories(report: &Report) -> String {
    let groups = by_story(report);
    if groups.is_empty() {
        return String::new();
    }
    let names = groups.iter().map(|runs| runs[0].story.name.chars().count());
    let name_width = names.max().unwrap_or(0);
    let rows: Vec<(RunVerdict, &str, String, String)> = groups
        .iter()
        .map(|runs| {
            // The order of verdicts is that of their weight.
            let verdict = runs.iter().map(|run| run.judgement.verdict).max();
            let verdict = verdict.expect("a group is not empty");
            let such: Vec<&RunReport> = runs
                .iter()
                .filter(|run| run.judgement.verdict == verdict)
                .collect();
            let seeds = if such.len() == runs.len() {
                count(runs.len() as u64, "seed", "seeds")
            } else {
                format!("{} of {} seeds", such.len(), runs.len())
            };
            let name = runs[0].story.name.as_str();
            (verdict, name, seeds, note(verdict, &such))
        })
        .collect();
    let seed_width = rows.iter().map(|(_, _, seeds, _)| seeds.len()).max();
    let seed_width = seed_width.unwrap_or(0);

    let mut out = String::from("Stories\n");
    for (verdict, name, seeds, note) in rows {
        let line = format!(
            "  {:<12}  {name:<name_width$}  {seeds:<seed_width$}  {note}",
            word(verdict)
        );
        line_of(&mut out, &line);
    }
    out
}

fn line_of(out: &mut String, line: &str) {
    out.push_str(cut(line, WIDTH).trim_end());
    out.push('\n');
}

/// What the line of a story says: its claim when that held, else what is wrong with it.
fn note(verdict: RunVerdict, runs: &[&RunReport]) -> String {
    match verdict {
        RunVerdict::Held => runs[0].story.claim.clone(),
        RunVerdict::BrokeAsExpected => {
            format!("broke {} as it says it does", few(unique(broken(runs))))
        }
        RunVerdict::Inconclusive => {
            let doubts = unique(runs.iter().flat_map(|run| run.whole_doubts()));
            match doubts.as_slice() {
                [] => "something could not be told".to_owned(),
                [only] => only.clone(),
                [first, more @ ..] => format!("{first} (and {} more)", more.len()),
            }
        }
        RunVerdict::StaleExpectation => {
            let stale = runs.iter().flat_map(|run| run.stale());
            format!(
                "says it breaks {}, and did not",
                few(unique(stale.map(str::to_owned)))
            )
        }
        RunVerdict::Violated => {
            let broken = unique(broken(runs));
            let steps = runs.iter().map(|run| run.unmet().count()).max();
            let steps = match steps.unwrap_or(0) as u64 {
                0 => None,
                steps => Some(format!(
                    "{} ended otherwise than expected",
                    count(steps, "step", "steps")
                )),
            };
            let broken = (!broken.is_empty()).then(|| format!("broke {}", few(broken)));
            let parts: Vec<String> = broken.into_iter().chain(steps).collect();
            parts.join("; ")
        }
    }
}

fn broken(runs: &[&RunReport]) -> impl Iterator<Item = String> {
    let failed =
        |run: &&RunReport| -> Vec<RequirementId> { run.with_outcome(Outcome::Failed).collect() };
    runs.iter().flat_map(failed).map(str::to_owned)
}

/// Each item once, in order of first appearance.
fn unique(items: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

/// Something that went wrong in one run, and in the same way in others.
struct Tale<'a> {
    run: &'a RunReport,
    more_here: u64,
    other_seeds: Vec<u64>,
    what: Wrong<'a>,
}

enum Wrong<'a> {
    Finding {
        requirement: RequirementId,
        by: &'static str,
        sentence: String,
        evidence: &'a [usize],
    },
    Step(&'a StepResult, &'a StepText),
}

impl Wrong<'_> {
    fn evidence(&self) -> &[usize] {
        match self {
            Wrong::Finding { evidence, .. } => evidence,
            Wrong::Step(step, _) => &step.evidence,
        }
    }

    /// Equal for what differs only in numbers and ids, such as the height or seed it happened at.
    fn shape(&self) -> String {
        match self {
            Wrong::Finding {
                requirement,
                by,
                sentence,
                ..
            } => {
                format!("{requirement} {by} {}", without_particulars(sentence))
            }
            Wrong::Step(step, _) => format!("step {}", step.step),
        }
    }
}

/// The sentence with every word that holds a digit made alike.
fn without_particulars(sentence: &str) -> String {
    let words = sentence.split_whitespace().map(|word| {
        if word.contains(|c: char| c.is_ascii_digit()) || word.ends_with("..") {
            "#"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn wrongs(run: &RunReport) -> Vec<Wrong<'_>> {
    // A step tells its own tale, with file and line; the finding made of it would only repeat that.
    let told_by_step = |requirement| {
        run.surprises()
            .any(|(_, text)| text.shows.contains(&requirement))
    };
    let findings = run
        .findings()
        .filter(|(requirement, _, _)| !run.says_it_breaks(requirement))
        .filter(|(requirement, by, _)| !(*by == "step" && told_by_step(*requirement)))
        .map(|(requirement, by, finding)| Wrong::Finding {
            requirement,
            by,
            sentence: run.sentence(finding),
            evidence: &finding.evidence,
        });
    let steps = run.surprises().map(|(step, text)| Wrong::Step(step, text));
    findings.chain(steps).collect()
}

fn violations(report: &Report) -> String {
    let mut tales: Vec<Tale<'_>> = Vec::new();
    let mut known: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for run in &report.runs {
        for what in wrongs(run) {
            let key = (run.story.name.as_str(), what.shape());
            match known.get(&key) {
                Some(index) => {
                    let tale = &mut tales[*index];
                    if tale.run.seed == run.seed {
                        tale.more_here += 1;
                    } else if tale.other_seeds.last() != Some(&run.seed) {
                        tale.other_seeds.push(run.seed);
                    }
                }
                None => {
                    known.insert(key, tales.len());
                    tales.push(Tale {
                        run,
                        more_here: 0,
                        other_seeds: Vec::new(),
                        what,
                    });
                }
            }
        }
    }
    let told: Vec<String> = tales.iter().map(|tale| tell(report, tale)).collect();
    told.join("\n")
}

fn tell(report: &Report, tale: &Tale<'_>) -> String {
    let run = tale.run;
    let evidence = tale.what.evidence();
    let mut out = String::new();
    let place = match evidence.last() {
        Some(index) => {
            let at = run.told.get(index).map(|told| format!("  at {}", told.at));
            format!("{} (observation {index})", at.unwrap_or_default())
        }
        None => String::new(),
    };
    let heading = match &tale.what {
        Wrong::Finding { by, .. } => by,
        Wrong::Step(..) => "step",
    };
    let _ = writeln!(
        out,
        "VIOLATED {heading}   {}   seed {}{place}",
        run.story.name, run.seed
    );
    match &tale.what {
        Wrong::Finding {
            requirement,
            sentence,
            ..
        } => {
            let _ = writeln!(out, "  {sentence}");
            promise(&mut out, requirement);
        }
        Wrong::Step(step, text) => {
            for line in run.step_story(step, text) {
                let _ = writeln!(out, "  {line}");
            }
            for requirement in &text.shows {
                promise(&mut out, requirement);
            }
        }
    }
    let because = because(run, evidence);
    if !because.is_empty() {
        let _ = writeln!(out, "  because:");
    }
    for line in because {
        let _ = writeln!(out, "    {line}");
    }
    if tale.more_here > 0 {
        let times = count(tale.more_here, "more time", "more times");
        let _ = writeln!(out, "  and {times} in this run");
    }
    if !tale.other_seeds.is_empty() {
        let seeds = count(tale.other_seeds.len() as u64, "more seed", "more seeds");
        let which = few(tale.other_seeds.iter().map(u64::to_string));
        let _ = writeln!(out, "  and {seeds}: {which}");
    }
    let _ = writeln!(
        out,
        "  replay: {}",
        report.replay(&run.story.replay_as, run.seed)
    );
    out
}

fn promise(out: &mut String, requirement: RequirementId) {
    if let Some(requirement) = find(requirement) {
        let text = format!(
            "promise: {} {}: {}",
            requirement.id, requirement.level, requirement.text
        );
        wrap(out, "  ", text.split(' '));
    }
}

/// What the line of a story has no room for: why its runs prove nothing.
fn doubts(report: &Report) -> String {
    let mut told = Vec::new();
    for runs in by_story(report) {
        let such = |run: &&RunReport| run.judgement.verdict == RunVerdict::Inconclusive;
        let Some(run) = runs.iter().find(such) else {
            continue;
        };
        let mut out = String::new();
        let _ = writeln!(out, "INCONCLUSIVE {}   seed {}", run.story.name, run.seed);
        for doubt in run.whole_doubts() {
            let _ = writeln!(out, "  {doubt}");
        }
        let more: Vec<String> = runs
            .iter()
            .filter(such)
            .skip(1)
            .map(|run| run.seed.to_string())
            .collect();
        if !more.is_empty() {
            let seeds = count(more.len() as u64, "more seed", "more seeds");
            let _ = writeln!(out, "  and {seeds}: {}", few(more));
        }
        let replay = report.replay(&run.story.replay_as, run.seed);
        let _ = writeln!(out, "  replay: {replay}");
        told.push(out);
    }
    told.join("\n")
}

/// A few of the observations that prove something, one per line: where it started, and what led up to
/// the end.
pub fn because(run: &RunReport, evidence: &[usize]) -> Vec<String> {
    let told: Vec<(usize, Millis, &str)> = evidence
        .iter()
        .filter_map(|index| {
            let told = run.told.get(index)?;
            Some((*index, told.at, told.text.as_str()))
        })
        .collect();
    let left_out = told.len().saturating_sub(BECAUSE);
    let times = told.iter().map(|(_, at, _)| at.to_string().len());
    let time_width = times.max().unwrap_or(0);
    let number_width = told.last().map_or(0, |(index, ..)| index.to_string().len());
    let mut lines = Vec::new();
    for (place, (index, at, text)) in told.into_iter().enumerate() {
        if left_out > 0 && (1..=left_out).contains(&place) {
            if place == 1 {
                lines.push(format!("{:>number_width$}  ({left_out} more)", "…"));
            }
            continue;
        }
        let at = at.to_string();
        lines.push(format!("{index:>number_width$}  {at:>time_width$}  {text}"));
    }
    lines
}

fn mishaps(report: &Report) -> String {
    // One defect spoils many runs alike, and is told once per story.
    let mut told: Vec<(&Mishap, Vec<String>)> = Vec::new();
    let mut known: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for mishap in &report.mishaps {
        let shape = without_particulars(&mishap.trouble.to_string());
        match known.get(&(mishap.name.as_str(), shape.clone())) {
            Some(index) => told[*index].1.push(mishap.seed.to_string()),
            None => {
                known.insert((&mishap.name, shape), told.len());
                told.push((mishap, Vec::new()));
            }
        }
    }
    let told = told.into_iter().map(|(mishap, others)| {
        let mut out = format!(
            "HARNESS AT FAULT   {}   seed {}\n  {}\n",
            mishap.name, mishap.seed, mishap.trouble
        );
        if !others.is_empty() {
            let seeds = count(others.len() as u64, "more seed", "more seeds");
            let _ = writeln!(out, "  and {seeds}: {}", few(others));
        }
        let replay = report.replay(&mishap.replay_as, mishap.seed);
        let _ = writeln!(out, "  replay: {replay}");
        out
    });
    told.collect::<Vec<_>>().join("\n")
}

const fn outcome_word(row: &Row) -> &'static str {
    match row.outcome {
        Outcome::Failed => "FAILED",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Passed => "passed",
        Outcome::NotExercised => "as expected",
    }
}

fn requirements(report: &Report) -> String {
    let rows = tally::rows(report);
    let (untouched, touched): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.untouched());
    let of = |outcome: Outcome| touched.iter().filter(|row| row.outcome == outcome).count();
    let mut parts = vec![
        format!("{} passed", of(Outcome::Passed)),
        format!("{} failed", of(Outcome::Failed)),
        format!("{} inconclusive", of(Outcome::Inconclusive)),
        format!("{} not exercised", untouched.len()),
    ];
    // Only a break that a story announces leaves a requirement that was touched without an outcome.
    let as_said = of(Outcome::NotExercised);
    if as_said > 0 {
        parts.insert(2, format!("{as_said} broken only where a story says so"));
    }
    let mut out = format!("Requirements: {} of {}\n", parts.join(", "), rows.len());
    if !touched.is_empty() {
        let line = format!(
            "  {:<8}  {:<6}  {:<12}  {:>8}  {:>7}  promise",
            "id", "level", "outcome", "tested", "stories"
        );
        line_of(&mut out, &line);
    }
    for row in touched {
        let said = match row.expected_breaks {
            0 => String::new(),
            runs => format!("[breaks in {} as told] ", count(runs, "run", "runs")),
        };
        let line = format!(
            "  {:<8}  {:<6}  {:<12}  {:>8}  {:>7}  {said}{}",
            row.requirement.id,
            row.requirement.level,
            outcome_word(row),
            row.checked,
            row.stories,
            row.requirement.text
        );
        line_of(&mut out, &line);
    }
    if !untouched.is_empty() {
        out.push_str("  not exercised:\n");
        let ids = untouched.iter().map(|row| row.requirement.id.as_str());
        let ranges = ranges(ids);
        wrap(&mut out, "    ", ranges.iter().map(String::as_str));
    }
    out
}

/// Each requirement that broke, with one story that shows it.
fn counterexamples(report: &Report) -> String {
    let broken = broken::broken(report);
    if broken.is_empty() {
        return String::new();
    }
    let mut out = String::from("Broken requirements, each with one story that shows it\n");
    for broken in broken {
        let requirement = broken.requirement;
        let promise = format!(
            "{} {}: {}",
            requirement.id, requirement.level, requirement.text
        );
        wrap(&mut out, "  ", promise.split(' '));
        let mut say = |line: String| wrap(&mut out, "    ", line.split(' '));
        let said = if broken.announced {
            ", which says so"
        } else {
            ""
        };
        match broken.step {
            Some(step) => say(format!(
                "story: {}{said}; {}: {}",
                broken.story, step.place, step.what
            )),
            None => say(format!("story: {}{said}", broken.story)),
        }
        if !broken.calls.is_empty() {
            say(format!("called: {}", broken.calls.join(", ")));
        }
        say(format!("what happened: {}", broken.what));
        say(format!("replay: {}", broken.replay));
    }
    out
}

/// `WAL-01..08` for ids that follow each other; the catalogue numbers each family from 01.
fn ranges<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let parsed = |id: &'a str| -> Option<(&'a str, u32)> {
        let (family, number) = id.rsplit_once('-')?;
        Some((family, number.parse().ok()?))
    };
    let mut ranges: Vec<(&str, Option<&str>)> = Vec::new();
    for id in ids {
        if let Some((first, last)) = ranges.last_mut() {
            let follows = match (parsed(last.unwrap_or(first)), parsed(id)) {
                (Some((a, before)), Some((b, number))) => a == b && number == before + 1,
                _ => false,
            };
            if follows {
                *last = Some(id);
                continue;
            }
        }
        ranges.push((id, None));
    }
    let told = ranges.into_iter().map(|(first, last)| match last {
        Some(last) => {
            let number = last.rsplit_once('-').map_or(last, |(_, number)| number);
            format!("{first}..{number}")
        }
        None => first.to_owned(),
    });
    told.collect()
}

/// Words in lines of at most 100 columns, each behind the indent.
pub fn wrap<'a>(out: &mut String, indent: &str, words: impl Iterator<Item = &'a str>) {
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && indent.len() + line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{indent}{line}");
}

fn totals(report: &Report) -> String {
    let Totals {
        planned,
        runs,
        held,
        broke_as_expected,
        inconclusive,
        stale_expectation,
        violated,
        mishaps,
        events,
        messages,
        observations,
        actions,
        simulated_ms,
        told_again,
        in_company,
        hurried,
    } = tally::totals(report);
    let kinds = [
        (held, "held"),
        (broke_as_expected, "broke what they say they break"),
        (inconclusive, "inconclusive"),
        (stale_expectation, "with a stale expectation"),
        (violated, "violated a promise"),
        (mishaps, "spoilt by the harness"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, kind)| format!("{number} {kind}"))
        .collect();
    let exit = Exit::of(report);
    let mut first = format!("{runs} of {}", count(planned, "run", "runs"));
    if !kinds.is_empty() {
        first.push_str(": ");
        first.push_str(&kinds.join(", "));
    }
    for (number, how) in [
        (told_again, "told again, having been inconclusive at first"),
        (in_company, "on networks that saw several"),
        (hurried, "in real time, with long waits cut"),
    ] {
        if number > 0 {
            first.push_str(&format!("; {number} {how}"));
        }
    }
    let sizes = format!(
        "{events} events, {messages} messages, {actions} actions, {observations} observations, {} of story time",
        Millis(simulated_ms)
    );
    let mut out = String::new();
    wrap(&mut out, "", first.split(' '));
    wrap(&mut out, "", sizes.split(' '));
    let _ = writeln!(out, "digest {}", report.digest());
    if report.partial && exit != Exit::Interrupted {
        let _ = writeln!(out, "{}", Exit::Interrupted.meaning());
    }
    let _ = writeln!(out, "{} (exit code {})", exit.meaning(), exit.code());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_follow_each_other_are_told_as_a_range() {
        let ids = [
            "WAL-01", "WAL-02", "WAL-03", "USR-04", "CRED-01", "CRED-03", "X",
        ];
        let told = ranges(ids.into_iter());
        assert_eq!(told, ["WAL-01..03", "USR-04", "CRED-01", "CRED-03", "X"]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("abcd efg", 6), "abcd…");
    }

    #[test]
    fn sentences_that_differ_in_numbers_only_have_one_shape() {
        let shape = without_particulars;
        assert_eq!(shape("n3 lost 4f1c.. at 17"), shape("n1 lost 9b20.. at 2"));
        assert_ne!(shape("n3 lost 4f1c.. at 17"), shape("n3 kept 4f1c.. at 17"));
    }
}

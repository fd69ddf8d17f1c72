//! The value every rendering starts from. It is built run by run, and keeps of a history only the
//! observations that prove something.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use assay_model::catalogue::RequirementId;
use assay_model::history::{Event, History};
use assay_model::invariant::{Finding, Verdict};
use assay_model::node::Reply;
use assay_model::time::Millis;
use assay_scenarios::judge::{Judgement, Outcome, RunVerdict, StepResult};
use assay_scenarios::plan::{Deed, Plan};
use serde::Serialize;

use crate::deed;
use crate::names::Dictionary;
use crate::narrate::Narrator;

/// Seeds of an invocation, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl Seeds {
    /// How many there are.
    pub fn count(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "seed {}", self.first)
        } else {
            write!(f, "seeds {}..{}", self.first, self.last)
        }
    }
}

/// Everything one invocation came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The command that gives this report again.
    pub command: String,
    /// `sim`, `turmoil` or `live`.
    pub world: &'static str,
    /// The rules all runs had in common, in words.
    pub rules: String,
    /// `real` or `symbolic`.
    pub crypto: String,
    /// The seeds asked for.
    pub seeds: Seeds,
    /// How many runs were asked for.
    pub planned: u64,
    /// What `assay replay` must be told besides story and seed, with a space in front of each flag.
    pub replay_flags: String,
    /// The runs, in the order they were asked for.
    pub runs: Vec<RunReport>,
    /// Runs the harness itself spoilt.
    pub mishaps: Vec<Mishap>,
    /// Whether an interrupt kept runs from being carried out.
    pub partial: bool,
}

impl Report {
    /// Chains the digests of all runs, in order; hex.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for run in &self.runs {
            hasher.update(&run.digest);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The command that tells one run event by event.
    pub fn replay(&self, replay_as: &str, seed: u64) -> String {
        format!(
            "assay replay {} --seed {seed}{}",
            quoted(replay_as),
            self.replay_flags
        )
    }
}

/// A word a POSIX shell takes as it is, quoted where it must be.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What a report says of a story, shared by all its runs.
#[derive(Clone, Debug)]
pub struct Story {
    /// Where it stands in the library, or the file's stem.
    pub name: String,
    /// What it claims.
    pub claim: String,
    /// The file it is told in.
    pub path: String,
    /// What `assay replay` knows it by: its name, or its path when the library does not have it.
    pub replay_as: String,
    /// The rules its nodes keep.
    pub rules: String,
    /// Requirements it is expected to break.
    pub breaks: Vec<RequirementId>,
    /// Its steps.
    pub steps: Vec<StepText>,
    /// Its faults.
    pub faults: Vec<FaultText>,
}

/// A step in words.
#[derive(Clone, Debug)]
pub struct StepText {
    /// When it begins.
    pub at: Millis,
    /// Line in the file.
    pub line: u32,
    /// Who does what.
    pub what: String,
    /// How it should end.
    pub expected: String,
    /// Requirements that a wrong ending breaks.
    pub shows: Vec<RequirementId>,
}

/// A fault in words.
#[derive(Clone, Debug)]
pub struct FaultText {
    /// When it begins.
    pub at: Millis,
    /// How long it lasts.
    pub lasts: Millis,
    /// Line in the file.
    pub line: u32,
    /// What it is.
    pub what: String,
}

impl Story {
    /// The story of a plan; `path` is its file, `replay_as` as in the field.
    pub fn new(plan: &Plan, path: &str, replay_as: &str) -> Story {
        let steps = plan.steps.iter().map(|step| StepText {
            at: step.at,
            line: step.line,
            what: deed::deed(plan, &step.deed),
            expected: deed::expect(step.expect),
            shows: step.shows.clone(),
        });
        let faults = plan.faults.iter().map(|fault| FaultText {
            at: fault.at,
            lasts: fault.lasts,
            line: fault.line,
            what: deed::fault(plan, &fault.kind),
        });
        Story {
            name: plan.name.clone(),
            claim: plan.claim.clone(),
            path: path.to_owned(),
            replay_as: replay_as.to_owned(),
            rules: plan.rules.to_string(),
            breaks: plan.breaks.clone(),
            steps: steps.collect(),
            faults: faults.collect(),
        }
    }
}

/// An observation in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When it happened.
    pub at: Millis,
    /// What happened.
    pub text: String,
    /// What was called, in order.
    pub called: Vec<Called>,
}

/// An action or a view that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// An action of this name.
    Action(&'static str),
    /// A view of this name.
    View(&'static str),
}

impl Called {
    /// As the schema calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Called::Action(name) | Called::View(name) => name,
        }
    }

    /// Whether it is an action; views change nothing.
    pub const fn is_action(self) -> bool {
        matches!(self, Called::Action(_))
    }
}

/// What one run came to.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// What was told.
    pub story: Arc<Story>,
    /// What decided chance.
    pub seed: u64,
    /// Of the history.
    pub digest: [u8; 32],
    /// What the judge says.
    pub judgement: Judgement,
    /// The observations the judgement names as evidence, by index; none when the run held.
    pub told: BTreeMap<usize, Told>,
    dictionary: Dictionary,
}

impl RunReport {
    /// Keeps what a report needs; the history can be dropped afterwards. A step that ended otherwise
    /// than expected gets what its party was answered meanwhile as further evidence.
    pub fn new(
        story: Arc<Story>,
        seed: u64,
        plan: &Plan,
        history: &History,
        judgement: Judgement,
    ) -> RunReport {
        let mut run = RunReport {
            story,
            seed,
            digest: history.digest(),
            judgement,
            told: BTreeMap::new(),
            dictionary: Dictionary::default(),
        };
        for step in &mut run.judgement.steps {
            if step.met == Some(false) {
                step.evidence = meanwhile(plan, history, step);
            }
        }
        let named: Vec<usize> = run
            .findings()
            .flat_map(|(_, _, finding)| &finding.evidence)
            .chain(run.unmet().flat_map(|step| &step.evidence))
            .copied()
            .collect();
        if named.is_empty() {
            return run;
        }
        run.dictionary = Dictionary::new(&history.cast);
        let narrator = Narrator::new(history, plan);
        for index in named {
            let Some(observation) = history.observations().get(index) else {
                continue;
            };
            run.told.entry(index).or_insert_with(|| Told {
                at: observation.at,
                text: narrator.tell(index),
                called: narrator.called(index),
            });
        }
        run
    }

    /// What a finding says, with names instead of ids.
    pub fn sentence(&self, finding: &Finding) -> String {
        self.dictionary.plain(&finding.sentence)
    }

    /// Every broken requirement, who found it, and what was found.
    pub fn findings(&self) -> impl Iterator<Item = (RequirementId, &'static str, &Finding)> {
        self.judgement.requirements.iter().flat_map(|(id, result)| {
            result
                .findings
                .iter()
                .map(|(by, finding)| (*id, *by, finding))
        })
    }

    /// Steps that ended otherwise than expected.
    pub fn unmet(&self) -> impl Iterator<Item = &StepResult> {
        self.judgement
            .steps
            .iter()
            .filter(|step| step.met == Some(false))
    }

    /// Those of them that the story does not announce by the requirements it says it breaks.
    pub fn surprises(&self) -> impl Iterator<Item = (&StepResult, &StepText)> {
        self.unmet().filter_map(|step| {
            let text = self.story.steps.get(step.step)?;
            let announced =
                !text.shows.is_empty() && text.shows.iter().all(|id| self.says_it_breaks(id));
            (!announced).then_some((step, text))
        })
    }

    /// Whether the story says it breaks this requirement.
    pub fn says_it_breaks(&self, requirement: RequirementId) -> bool {
        self.story.breaks.contains(&requirement)
    }

    /// Requirements that came to this.
    pub fn with_outcome(&self, outcome: Outcome) -> impl Iterator<Item = RequirementId> {
        self.judgement
            .requirements
            .iter()
            .filter(move |(_, result)| result.outcome == outcome)
            .map(|(id, _)| *id)
    }

    /// Requirements the story says it breaks and did not.
    pub fn stale(&self) -> impl Iterator<Item = RequirementId> {
        self.story
            .breaks
            .iter()
            .copied()
            .filter(|_| self.judgement.verdict == RunVerdict::StaleExpectation)
            .filter(|id| {
                let result = self.judgement.requirements.get(id);
                result.is_none_or(|result| result.outcome != Outcome::Failed)
            })
    }

    /// File, line, what was done, how it should have ended and how it did.
    pub fn step_story(&self, step: &StepResult, text: &StepText) -> [String; 2] {
        let ended = match step.ending {
            Some(ending) => format!("it ended {ending}"),
            None => "it never ended".to_owned(),
        };
        [
            format!("{}:{}: {}", self.story.path, text.line, text.what),
            format!("expected {}, but {ended}", text.expected),
        ]
    }

    /// Why nothing is known about a requirement.
    pub fn why_inconclusive(&self, requirement: RequirementId) -> String {
        // A step that shows it got no answer, or an invariant that stands for it saw too little.
        let of_step = self.unanswered().find_map(|(_, text)| {
            let shows = text.shows.contains(&requirement);
            shows.then(|| format!("line {}: {} got no answer", text.line, text.what))
        });
        let of_invariant = || {
            let results = self.judgement.invariants.iter();
            let mut stand =
                results.filter(|(invariant, _)| invariant.requirements.contains(&requirement));
            stand.find_map(|(_, verdict)| match verdict {
                Verdict::Inconclusive { why } => Some(why.clone()),
                _ => None,
            })
        };
        of_step
            .or_else(of_invariant)
            .or_else(|| self.judgement.doubts.first().cloned())
            .unwrap_or_else(|| "it could not be told".to_owned())
    }

    fn unanswered(&self) -> impl Iterator<Item = (&StepResult, &StepText)> {
        let steps = self.judgement.steps.iter();
        steps
            .filter(|step| step.met.is_none())
            .filter_map(|step| Some((step, self.story.steps.get(step.step)?)))
    }

    /// Why the run as a whole proves nothing: its doubts, steps that got no answer, faults that did
    /// nothing.
    pub fn whole_doubts(&self) -> Vec<String> {
        if !self.judgement.doubts.is_empty() {
            return self.judgement.doubts.clone();
        }
        let steps = self.unanswered();
        let steps =
            steps.map(|(_, text)| format!("line {}: {} got no answer", text.line, text.what));
        let idle = self
            .judgement
            .faults
            .iter()
            .filter(|fault| fault.effect == 0);
        let idle = idle.filter_map(|fault| {
            let text = self.story.faults.get(fault.fault)?;
            Some(format!("line {}: {} had no effect", text.line, text.what))
        });
        steps.chain(idle).collect()
    }
}

/// Beginning and end of a step, and between them the answers that bear on it.
fn meanwhile(plan: &Plan, history: &History, step: &StepResult) -> Vec<usize> {
    let mut evidence = step.evidence.clone();
    let by = plan.steps.get(step.step).map(|planned| &planned.deed);
    if let (Some(Deed::Party(by, _)), Some(first), Some(last)) =
        (by, evidence.first().copied(), evidence.last().copied())
    {
        let between = history.observations().iter().enumerate();
        let between = between.take(last).skip(first);
        evidence.extend(between.filter_map(|(index, observation)| {
            let bears = match &observation.event {
                Event::Answered {
                    by: asker, reply, ..
                } => asker == by && concerns_data(reply),
                Event::NoAnswer { by: asker, .. } => asker == by,
                Event::Judged { by: judge, .. } => judge == by,
                _ => false,
            };
            bears.then_some(index)
        }));
    }
    evidence.sort_unstable();
    evidence.dedup();
    evidence
}

/// Whether an answer is about data, and not about how to ask.
const fn concerns_data(reply: &Reply) -> bool {
    match reply {
        Reply::Health { .. } | Reply::Account { .. } | Reply::Challenge(_) => false,
        Reply::Included { .. }
        | Reply::Submitted
        | Reply::Rejected(_)
        | Reply::TimedOut
        | Reply::TxStatus(_)
        | Reply::View { .. }
        | Reply::ClaimRefused(_)
        | Reply::Behind
        | Reply::Halted => true,
    }
}

/// A run the harness itself spoilt.
#[derive(Clone, Debug)]
pub struct Mishap {
    /// Name of the story.
    pub name: String,
    /// See [`Story::replay_as`].
    pub replay_as: String,
    /// The seed.
    pub seed: u64,
    /// What went wrong.
    pub trouble: Trouble,
}

/// How a run was spoilt.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// A node of the target does not start, or does not get ready.
    NoTarget {
        /// What was tried, what came of it, and where to look.
        why: String,
    },
    /// The harness could not carry the run out.
    Failed {
        /// What, and why.
        message: String,
    },
    /// The harness panicked.
    Panicked {
        /// What it said, and where.
        message: String,
    },
    /// The same plan and seed gave two histories.
    Differed {
        /// The first observation that differs; nothing when only what is not recorded differs.
        index: Option<usize>,
        /// It in the first run.
        first: String,
        /// It in the second run.
        second: String,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::NoTarget { why } => f.write_str(why),
            Trouble::Failed { message } => write!(f, "the harness failed: {message}"),
            Trouble::Panicked { message } => write!(f, "the harness panicked: {message}"),
            Trouble::Differed {
                index: Some(index),
                first,
                second,
            } => write!(
                f,
                "two runs of one seed differ, first in observation {index}: `{first}` against `{second}`"
            ),
            Trouble::Differed { index: None, .. } => f.write_str(
                "two runs of one seed differ: their observations agree, what went over the wire does not",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_command_can_be_pasted() {
        for (word, safe) in [
            ("grants/locked-revoke", "grants/locked-revoke"),
            ("my stories/a.toml", "'my stories/a.toml'"),
            ("it's.toml", r"'it'\''s.toml'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), safe);
        }
    }
}

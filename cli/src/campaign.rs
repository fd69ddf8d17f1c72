//! Stories carried out in a world: what `run`, `certify` and `assay` alone have in common.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use assay_conformance::certify::Skipped;
use assay_reports::worlds::InWorld;
use assay_reports::{Report, Seeds, Untestable};
use assay_scenarios::Overrides;

use crate::progress;
use crate::runner::{Ended, carry_out};
use crate::select::Chosen;
use crate::world::{Job, World};

/// What is to be carried out.
pub(crate) struct Campaign<'a> {
    pub(crate) stories: &'a [Chosen],
    pub(crate) overrides: Overrides,
    pub(crate) seeds: Seeds,
    pub(crate) jobs: Option<NonZeroUsize>,
    /// The command that gives the same report.
    pub(crate) command: String,
    /// What a replay must be told besides story and seed.
    pub(crate) flags: String,
    /// Name of the cryptography.
    pub(crate) crypto: &'a str,
}

/// What became of it in one world, and what could not be tried there.
pub(crate) struct Outcome {
    pub(crate) told: InWorld,
    pub(crate) skipped: Vec<Skipped>,
}

impl Campaign<'_> {
    pub(crate) fn carry_out(
        &self,
        world: &dyn World,
        name: &'static str,
        interrupted: &AtomicBool,
    ) -> Outcome {
        let mut jobs = Vec::new();
        let mut skipped = Vec::new();
        for story in self.stories {
            let job = story.job(&self.overrides);
            match world.cannot(&job.plan) {
                reasons if reasons.is_empty() => jobs.push(job),
                reasons => skipped.push(Skipped::new(&job.plan, reasons.join("; "))),
            }
        }
        let planned = (jobs.len() as u64).saturating_mul(self.seeds.count());
        let bar = progress::bar(planned);
        let threads = self.jobs.or(world.threads());
        let ended = carry_out(world, &jobs, self.seeds, threads, interrupted, &bar);
        bar.finish_and_clear();
        let mut report = Report {
            command: self.command.clone(),
            world: name,
            rules: common_rules(&jobs),
            crypto: self.crypto.to_owned(),
            seeds: self.seeds,
            planned,
            replay_flags: self.flags.clone(),
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
        let untestable = skipped.iter().map(|skipped| Untestable {
            story: skipped.story.clone(),
            reason: skipped.reason.clone(),
        });
        Outcome {
            told: InWorld {
                report,
                untestable: untestable.collect(),
            },
            skipped,
        }
    }
}

fn common_rules(jobs: &[Job]) -> String {
    match jobs {
        [] => "none".to_owned(),
        [first, others @ ..]
            if others
                .iter()
                .all(|job| job.story.rules == first.story.rules) =>
        {
            first.story.rules.clone()
        }
        _ => "as each story says".to_owned(),
    }
}

//! The world stories take place in. The only place that knows which cryptography a run gets.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use assay_conformance::live::target::Target;
use assay_conformance::live::{self, Stand};
use assay_conformance::{sockets, venue};
use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_model::history::History;
use assay_reports::{Story, Trouble};
use assay_scenarios::Script;
use assay_scenarios::judge::{Judgement, Metrics, RunVerdict, judge};
use assay_scenarios::plan::Plan;
use assay_scenarios::worlds::{WorldKind, cannot_make};
use assay_sim::{Run, Seed};

use crate::args::{self, Crypto};
use crate::command::load;
use crate::failure::{Complaint, Failure};

/// A story to be carried out.
pub(crate) struct Job {
    pub(crate) script: Script,
    /// Its plan on a network of its own.
    pub(crate) plan: Plan,
    pub(crate) story: Arc<Story>,
}

/// A story that was carried out.
pub(crate) struct Ran<'j> {
    /// As it was for the place where it was told.
    pub(crate) plan: Cow<'j, Plan>,
    pub(crate) history: History,
    pub(crate) metrics: Metrics,
}

/// Carries stories out and judges what came of them.
pub(crate) trait World: Sync {
    /// Carries out one story, or all of a company. There is an outcome for each, in order.
    fn run<'j>(&self, jobs: &[&'j Job], seed: u64) -> Vec<Result<Ran<'j>, Trouble>>;

    /// Companies of stories that are carried out together, by their places; every story is in one.
    fn companies(&self, jobs: &[Job]) -> Vec<Vec<usize>> {
        (0..jobs.len()).map(|job| vec![job]).collect()
    }

    fn judge(&self, plan: &Plan, history: &History, metrics: Metrics) -> Judgement {
        judge(plan, history, metrics)
    }

    /// Why a plan cannot be carried out here, one sentence each; nothing when it can.
    fn cannot(&self, plan: &Plan) -> Vec<String>;

    /// How many runs go on at a time when nobody says; nothing for as many as there are cores.
    fn threads(&self) -> Option<NonZeroUsize> {
        None
    }

    /// Whether the same plan and seed always give the same history.
    fn repeats_itself(&self) -> bool {
        true
    }
}

/// Stories that have nothing to do with each other.
pub(crate) fn each<'j>(
    jobs: &[&'j Job],
    run: impl Fn(&Plan) -> Result<(History, Metrics), Trouble>,
) -> Vec<Result<Ran<'j>, Trouble>> {
    let ran = |job: &&'j Job| {
        let (history, metrics) = run(&job.plan)?;
        Ok(Ran {
            plan: Cow::Borrowed(&job.plan),
            history,
            metrics,
        })
    };
    jobs.iter().map(ran).collect()
}

fn unmade(world: WorldKind, plan: &Plan) -> Vec<String> {
    let lacks = cannot_make(world, plan);
    lacks.iter().map(ToString::to_string).collect()
}

/// Makes suites of one kind of cryptography.
struct Suites {
    crypto: Crypto,
    // Deriving a key from a password takes longer than many a run, and all runs use the same few.
    kdf: Arc<KdfMemo>,
}

impl Suites {
    fn new(crypto: Crypto) -> Suites {
        Suites {
            crypto,
            kdf: Arc::default(),
        }
    }

    /// A suite remembers what it worked out, so every run gets its own.
    fn suite(&self) -> Arc<dyn Suite> {
        match self.crypto {
            Crypto::Real => Arc::new(Real::new(self.kdf.clone())),
            Crypto::Symbolic => Arc::new(Symbolic),
        }
    }
}

/// The simulated world.
pub(crate) struct Sim {
    suites: Suites,
}

impl Sim {
    pub(crate) fn new(crypto: Crypto) -> Sim {
        Sim {
            suites: Suites::new(crypto),
        }
    }
}

impl Sim {
    pub(crate) fn tell(&self, plan: &Plan, seed: u64) -> Run {
        assay_sim::run(plan, Seed(seed), self.suites.suite())
    }
}

impl World for Sim {
    fn run<'j>(&self, jobs: &[&'j Job], seed: u64) -> Vec<Result<Ran<'j>, Trouble>> {
        each(jobs, |plan| {
            let Run { history, metrics } = self.tell(plan, seed);
            Ok((history, metrics))
        })
    }

    fn cannot(&self, plan: &Plan) -> Vec<String> {
        unmade(WorldKind::Simulated, plan)
    }
}

/// The reference node's own code on turmoil's sockets.
pub(crate) struct Turmoil {
    suites: Suites,
}

impl World for Turmoil {
    fn run<'j>(&self, jobs: &[&'j Job], seed: u64) -> Vec<Result<Ran<'j>, Trouble>> {
        each(jobs, |plan| {
            let told = sockets::run(plan, Seed(seed), self.suites.suite()).map_err(trouble)?;
            Ok((told.history, told.metrics))
        })
    }

    fn cannot(&self, plan: &Plan) -> Vec<String> {
        unmade(WorldKind::Turmoil, plan)
    }
}

/// Real processes of a target.
pub(crate) struct OnTarget {
    suites: Suites,
    stand: Stand,
    /// Where what nodes leave behind is kept; nothing is kept of runs without one.
    keep: Option<PathBuf>,
}

impl OnTarget {
    pub(crate) fn new(target: Target, keep: Option<PathBuf>) -> Result<OnTarget, Failure> {
        let assay = std::env::current_exe().map_err(|error| {
            let what = format!("this program does not know where it is: {error}");
            Failure::usage(Complaint::new(what))
        })?;
        Ok(OnTarget {
            suites: Suites::new(Crypto::Real),
            stand: Stand { target, assay },
            keep,
        })
    }
}

/// How often an inconclusive story is told again.
const REPEATS: u32 = 3;
/// Most stories that share a network: more, and one that goes wrong makes too many be told again.
const COMPANY: usize = 8;

impl OnTarget {
    /// Tells stories once, on one network. Logs are kept, and everything else that nodes left behind where
    /// it is evidence. Stories after one that did not come to its end are not told.
    fn tell(&self, jobs: &[&Job], seed: u64, repeat: u32) -> Result<Vec<Tried>, Trouble> {
        let failed = |error: std::io::Error| Trouble::Failed {
            message: format!("no directory for a network: {error}"),
        };
        let scratch = tempfile::tempdir().map_err(failed)?;
        let seeded = match repeat {
            0 => format!("seed-{seed}"),
            _ => format!("seed-{seed}-again-{repeat}"),
        };
        let dir = match &self.keep {
            Some(keep) => keep.join(&jobs[0].plan.name).join(&seeded),
            None => scratch.path().join("network"),
        };
        clear(&dir).map_err(failed)?;
        let scripts: Vec<&Script> = jobs.iter().map(|job| &job.script).collect();
        let told = self
            .stand
            .tell(&scripts, Seed(seed), self.suites.suite(), &dir);
        let told = told.map_err(trouble)?.into_iter();
        let tried: Vec<Tried> = told
            .map(|(plan, told)| Tried {
                verdict: judge(&plan, &told.history, told.metrics).verdict,
                ran: Ran {
                    plan: Cow::Owned(plan),
                    history: told.history,
                    metrics: told.metrics,
                },
            })
            .collect();
        if tried.iter().all(Tried::is_as_it_should_be) {
            live::leave_logs(&dir).map_err(failed)?;
        }
        if let Some(keep) = &self.keep {
            for job in &jobs[1..tried.len()] {
                point(keep, &job.plan.name, &jobs[0].plan.name, &seeded).map_err(failed)?;
            }
        }
        Ok(tried)
    }

    /// Tells a story on a network of its own, and again while it is inconclusive.
    fn tell_alone(&self, job: &Job, seed: u64, mut repeats: u32) -> Result<Tried, Trouble> {
        loop {
            let mut tried = self.tell(&[job], seed, repeats)?.remove(0);
            tried.ran.metrics.repeats = repeats;
            // What broke is broken; only what could not be told may be told again.
            if tried.verdict != RunVerdict::Inconclusive || repeats == REPEATS {
                return Ok(tried);
            }
            repeats += 1;
        }
    }
}

/// A story that was told on real processes, and what it came to.
struct Tried {
    ran: Ran<'static>,
    verdict: RunVerdict,
}

impl Tried {
    fn is_as_it_should_be(&self) -> bool {
        matches!(self.verdict, RunVerdict::Held | RunVerdict::BrokeAsExpected)
    }
}

/// What is to be said of each story of a company. Those that were not reached, and those that prove
/// nothing, are told alone; so is what broke, because alone it shows whether it was this story that broke
/// it. If it does not break there, it is broken all the same. A network that does not start is no better for
/// having company; any other trouble was with the company, and each story is told alone.
fn after_company(
    jobs: &[&Job],
    together: Result<Vec<Tried>, Trouble>,
    tell_alone: impl Fn(&Job) -> Result<Tried, Trouble>,
) -> Vec<Result<Ran<'static>, Trouble>> {
    if let Err(trouble @ Trouble::NoTarget { .. }) = together {
        return jobs.iter().map(|_| Err(trouble.clone())).collect();
    }
    let mut together = together.unwrap_or_default().into_iter();
    let ran = jobs.iter().map(|job| match together.next() {
        Some(tried) if tried.is_as_it_should_be() => Ok(tried.ran),
        Some(tried) if tried.verdict != RunVerdict::Inconclusive => match tell_alone(job) {
            Ok(alone) if alone.verdict == tried.verdict => Ok(alone.ran),
            _ => Ok(tried.ran),
        },
        _ => tell_alone(job).map(|alone| alone.ran),
    });
    ran.collect()
}

impl World for OnTarget {
    fn run<'j>(&self, jobs: &[&'j Job], seed: u64) -> Vec<Result<Ran<'j>, Trouble>> {
        if let [job] = jobs {
            return vec![self.tell_alone(job, seed, 0).map(|tried| tried.ran)];
        }
        let together = self.tell(jobs, seed, 0);
        after_company(jobs, together, |job| self.tell_alone(job, seed, 1))
    }

    fn companies(&self, jobs: &[Job]) -> Vec<Vec<usize>> {
        let mut companies: Vec<Vec<usize>> = Vec::new();
        for (place, job) in jobs.iter().enumerate() {
            let joins = |company: &&mut Vec<usize>| {
                let other = &jobs[company[0]].plan;
                company.len() < COMPANY
                    && live::may_share(&job.plan)
                    && live::may_share(other)
                    && live::suit_each_other(&job.plan, other)
            };
            match companies.iter_mut().find(joins) {
                Some(company) => company.push(place),
                None => companies.push(vec![place]),
            }
        }
        companies
    }

    fn cannot(&self, plan: &Plan) -> Vec<String> {
        self.stand.cannot(plan)
    }

    fn repeats_itself(&self) -> bool {
        false
    }

    fn threads(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(LIVE_AT_ONCE)
    }
}

/// Takes away what an earlier certification has left in the same directory.
fn clear(dir: &Path) -> io::Result<()> {
    if dir.is_symlink() {
        return fs::remove_file(dir);
    }
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Lets the evidence of a story be found where it is looked for, though it is another's too.
fn point(keep: &Path, story: &str, other: &str, seeded: &str) -> io::Result<()> {
    let link = keep.join(story).join(seeded);
    clear(&link)?;
    fs::create_dir_all(keep.join(story))?;
    let up: PathBuf = Path::new(story).components().map(|_| "..").collect();
    std::os::unix::fs::symlink(up.join(other).join(seeded), link)
}

/// Networks of processes mostly wait, so more of them than cores go on at a time.
const LIVE_AT_ONCE: usize = 4;

fn trouble(trouble: venue::Trouble) -> Trouble {
    match trouble {
        venue::Trouble::Init(_) | venue::Trouble::Start { .. } => Trouble::NoTarget {
            why: trouble.to_string(),
        },
        venue::Trouble::Harness(message) => Trouble::Failed { message },
    }
}

/// The world of this name.
pub(crate) fn world(
    world: args::World,
    crypto: Crypto,
    target: &str,
) -> Result<Box<dyn World>, Failure> {
    match world {
        args::World::Sim => Ok(Box::new(Sim::new(crypto))),
        args::World::Turmoil => Ok(Box::new(Turmoil {
            suites: Suites::new(crypto),
        })),
        args::World::Live if crypto == Crypto::Symbolic => {
            let what = "real nodes know real cryptography only".to_owned();
            let hint = Some("leave `--crypto symbolic` away, or out of the live world".to_owned());
            Err(Failure::usage(Complaint::new(what).hint(hint)))
        }
        args::World::Live => Ok(Box::new(OnTarget::new(load(target)?, None)?)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use RunVerdict::{Held, Inconclusive, Violated};

    use super::*;
    use crate::testing::{Fake, jobs};

    /// A story that came to this; `mark` tells it from others.
    fn tried(verdict: RunVerdict, mark: u64) -> Tried {
        let jobs = jobs(1);
        let ran = Fake::new(|seed| seed)
            .run(&[&jobs[0]], 1)
            .remove(0)
            .unwrap();
        Tried {
            verdict,
            ran: Ran {
                plan: Cow::Owned(ran.plan.into_owned()),
                history: ran.history,
                metrics: Metrics {
                    events: mark,
                    ..ran.metrics
                },
            },
        }
    }

    #[test]
    fn what_a_company_broke_is_broken_whatever_it_comes_to_alone() {
        const COMPANY: u64 = 1;
        const ALONE: u64 = 2;
        let jobs = jobs(1);
        let check = |together: Option<RunVerdict>, alone: RunVerdict, told: u64| {
            let company = together.map(|verdict| tried(verdict, COMPANY));
            let company = Ok(company.into_iter().collect());
            let said = after_company(&[&jobs[0]], company, |_| Ok(tried(alone, ALONE)));
            let [Ok(ran)] = &said[..] else {
                panic!("{together:?} and {alone:?} are told as nothing");
            };
            assert_eq!(ran.metrics.events, told, "{together:?}, alone {alone:?}");
        };
        check(Some(Held), Violated, COMPANY);
        check(Some(Violated), Violated, ALONE);
        check(Some(Violated), Held, COMPANY);
        check(Some(Violated), Inconclusive, COMPANY);
        check(Some(Inconclusive), Held, ALONE);
        check(Some(Inconclusive), Violated, ALONE);
        // A story that was not reached.
        check(None, Held, ALONE);
    }

    #[test]
    fn a_story_that_cannot_be_told_alone_stays_as_its_company_left_it() {
        let jobs = jobs(1);
        let fails = |_: &Job| {
            Err(Trouble::Failed {
                message: "no room".to_owned(),
            })
        };
        let said = after_company(&[&jobs[0]], Ok(vec![tried(Violated, 1)]), fails);
        assert!(matches!(&said[..], [Ok(_)]));
        let said = after_company(&[&jobs[0]], Ok(vec![tried(Inconclusive, 1)]), fails);
        assert!(matches!(&said[..], [Err(Trouble::Failed { .. })]));
    }
    #[test]
    fn trouble_with_a_company_is_not_that_of_each_of_its_stories() {
        let jobs = jobs(3);
        let jobs: Vec<&Job> = jobs.iter().collect();
        let alone = AtomicU32::new(0);
        let tell_alone = |_: &Job| {
            alone.fetch_add(1, Relaxed);
            Ok(tried(Held, 2))
        };
        let lost = Trouble::Failed {
            message: "a node could not be looked into".to_owned(),
        };
        let said = after_company(&jobs, Err(lost), tell_alone);
        assert!(matches!(&said[..], [Ok(_), Ok(_), Ok(_)]));
        assert_eq!(alone.swap(0, Relaxed), 3);

        // What was told before the trouble counts.
        let said = after_company(&jobs, Ok(vec![tried(Held, 1)]), tell_alone);
        let marks = said
            .iter()
            .map(|said| said.as_ref().unwrap().metrics.events);
        assert_eq!(marks.collect::<Vec<_>>(), [1, 2, 2]);
        assert_eq!(alone.swap(0, Relaxed), 2);

        let absent = Trouble::NoTarget {
            why: "n0 did not start".to_owned(),
        };
        let said = after_company(&jobs, Err(absent), tell_alone);
        assert_eq!(said.len(), 3);
        for said in &said {
            assert!(matches!(said, Err(Trouble::NoTarget { .. })));
        }
        assert_eq!(alone.load(Relaxed), 0);
    }
}

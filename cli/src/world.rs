//! The world stories take place in. The only place that knows which cryptography a run gets.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use assay_conformance::live::target::Target;
use assay_conformance::live::{self, Stand};
use assay_conformance::{sockets, venue};
use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_model::history::History;
use assay_reports::Trouble;
use assay_scenarios::judge::{Judgement, Metrics, RunVerdict, judge};
use assay_scenarios::plan::Plan;
use assay_scenarios::worlds::{WorldKind, cannot_make};
use assay_sim::{Run, Seed};

use crate::args::{self, Crypto};
use crate::command::load;
use crate::failure::{Complaint, Failure};

/// Carries plans out and judges what came of it.
pub(crate) trait World: Sync {
    fn run(&self, plan: &Plan, seed: u64) -> Result<(History, Metrics), Trouble>;
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

impl World for Sim {
    fn run(&self, plan: &Plan, seed: u64) -> Result<(History, Metrics), Trouble> {
        let Run { history, metrics } = assay_sim::run(plan, Seed(seed), self.suites.suite());
        Ok((history, metrics))
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
    fn run(&self, plan: &Plan, seed: u64) -> Result<(History, Metrics), Trouble> {
        let told = sockets::run(plan, Seed(seed), self.suites.suite()).map_err(trouble)?;
        Ok((told.history, told.metrics))
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

impl OnTarget {
    /// Tells a story once. Logs are kept, and everything else that nodes left behind where it is evidence.
    fn tell(&self, plan: &Plan, seed: u64, repeat: u32) -> Result<(History, Metrics), Trouble> {
        let failed = |error: std::io::Error| Trouble::Failed {
            message: format!("no directory for a network: {error}"),
        };
        let scratch = tempfile::tempdir().map_err(failed)?;
        let dir = match (&self.keep, repeat) {
            (Some(keep), 0) => keep.join(&plan.name).join(format!("seed-{seed}")),
            (Some(keep), _) => keep
                .join(&plan.name)
                .join(format!("seed-{seed}-again-{repeat}")),
            (None, _) => scratch.path().join("network"),
        };
        if dir.exists() {
            // Left by an earlier certification into the same directory.
            std::fs::remove_dir_all(&dir).map_err(failed)?;
        }
        let suite = self.suites.suite();
        let told = self.stand.tell(plan, Seed(seed), suite, &dir);
        let told = told.map_err(trouble)?;
        let verdict = judge(plan, &told.history, told.metrics).verdict;
        if matches!(verdict, RunVerdict::Held | RunVerdict::BrokeAsExpected) {
            live::leave_logs(&dir).map_err(failed)?;
        }
        Ok((told.history, told.metrics))
    }
}

/// How often an inconclusive story is told again.
const REPEATS: u32 = 3;

impl World for OnTarget {
    fn run(&self, plan: &Plan, seed: u64) -> Result<(History, Metrics), Trouble> {
        let mut repeats = 0;
        loop {
            let (history, mut metrics) = self.tell(plan, seed, repeats)?;
            let verdict = judge(plan, &history, metrics).verdict;
            metrics.repeats = repeats;
            // What broke is broken; only what could not be told may be told again.
            if verdict != RunVerdict::Inconclusive || repeats == REPEATS {
                return Ok((history, metrics));
            }
            repeats += 1;
        }
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

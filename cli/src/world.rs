//! The world stories take place in. The only place that knows which cryptography a run gets.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use assay_conformance::live::Stand;
use assay_conformance::live::target::Target;
use assay_conformance::{sockets, venue};
use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_model::history::History;
use assay_reports::Trouble;
use assay_scenarios::judge::{Judgement, Metrics, judge};
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

impl World for OnTarget {
    fn run(&self, plan: &Plan, seed: u64) -> Result<(History, Metrics), Trouble> {
        let failed = |error: std::io::Error| Trouble::Failed {
            message: format!("no directory for a network: {error}"),
        };
        let scratch = tempfile::tempdir().map_err(failed)?;
        let dir = match &self.keep {
            Some(keep) => keep.join(&plan.name).join(format!("seed-{seed}")),
            None => scratch.path().join("network"),
        };
        let suite = self.suites.suite();
        let told = self
            .stand
            .tell(plan, Seed(seed), suite, &dir)
            .map_err(trouble)?;
        Ok((told.history, told.metrics))
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

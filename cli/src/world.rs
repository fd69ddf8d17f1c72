//! The world stories take place in. The only place that knows which cryptography a run gets.

use std::sync::Arc;

use assay_conformance::{sockets, venue};
use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_model::history::History;
use assay_reports::Trouble;
use assay_scenarios::judge::{Judgement, Metrics, judge};
use assay_scenarios::plan::Plan;
use assay_sim::{Run, Seed};

use crate::args::{self, Crypto};
use crate::failure::{Complaint, Failure};

/// Carries plans out and judges what came of it.
pub(crate) trait World: Sync {
    fn run(&self, plan: &Plan, seed: u64) -> Result<(History, Metrics), Trouble>;
    fn judge(&self, plan: &Plan, history: &History, metrics: Metrics) -> Judgement {
        judge(plan, history, metrics)
    }

    /// Whether the same plan and seed always give the same history.
    fn repeats_itself(&self) -> bool {
        true
    }
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
}

fn trouble(trouble: venue::Trouble) -> Trouble {
    match trouble {
        venue::Trouble::Init(_) | venue::Trouble::Start { .. } => Trouble::NoTarget {
            why: trouble.to_string(),
        },
        venue::Trouble::Harness(message) => Trouble::Failed { message },
    }
}

/// The world of this name, if this build has it.
pub(crate) fn world(world: args::World, crypto: Crypto) -> Result<Box<dyn World>, Failure> {
    match world {
        args::World::Sim => Ok(Box::new(Sim::new(crypto))),
        args::World::Turmoil => Ok(Box::new(Turmoil {
            suites: Suites::new(crypto),
        })),
        args::World::Live => {
            let what = format!("this build has no `{}` world yet", world.name());
            let hint = Some("known here: sim, turmoil".to_owned());
            Err(Failure::usage(Complaint::new(what).hint(hint)))
        }
    }
}

//! The world stories take place in. The only place that knows which cryptography a run gets.

use std::sync::Arc;

use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_model::history::History;
use assay_scenarios::judge::{Judgement, Metrics, judge};
use assay_scenarios::plan::Plan;
use assay_sim::{Run, Seed};

use crate::args::{self, Crypto};
use crate::failure::{Complaint, Failure};

/// Carries plans out and judges what came of it.
pub(crate) trait World: Sync {
    fn run(&self, plan: &Plan, seed: u64) -> (History, Metrics);
    fn judge(&self, plan: &Plan, history: &History, metrics: Metrics) -> Judgement;
}

/// The simulated world.
pub(crate) struct Sim {
    crypto: Crypto,
    // Deriving a key from a password takes longer than many a run, and all runs use the same few.
    kdf: Arc<KdfMemo>,
}

impl Sim {
    pub(crate) fn new(crypto: Crypto) -> Sim {
        Sim {
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

impl World for Sim {
    fn run(&self, plan: &Plan, seed: u64) -> (History, Metrics) {
        let Run { history, metrics } = assay_sim::run(plan, Seed(seed), self.suite());
        (history, metrics)
    }

    fn judge(&self, plan: &Plan, history: &History, metrics: Metrics) -> Judgement {
        judge(plan, history, metrics)
    }
}

/// The world of this name, if this build has it.
pub(crate) fn world(world: args::World, crypto: Crypto) -> Result<Sim, Failure> {
    match world {
        args::World::Sim => Ok(Sim::new(crypto)),
        args::World::Turmoil | args::World::Live => {
            let what = format!("this build has no `{}` world yet", world.name());
            let hint = Some("known here: sim".to_owned());
            Err(Failure::usage(Complaint::new(what).hint(hint)))
        }
    }
}

//! The simulated world: carries a plan out on a discrete-event kernel and records what happened.
//!
//! A run is single-threaded and a pure function of plan, seed and suite; runs of different seeds may go
//! in parallel. Start with [`run`].

use std::sync::Arc;

use assay_model::crypto::Suite;
use assay_model::history::History;
use assay_scenarios::judge::Metrics;
use assay_scenarios::plan::Plan;

/// Decides everything that is left to chance in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

/// What a run leaves behind.
#[derive(Clone, Debug)]
pub struct Run {
    /// Everything that happened.
    pub history: History,
    /// How much of it there was.
    pub metrics: Metrics,
}

/// Carries the plan out.
pub fn run(plan: &Plan, seed: Seed, suite: Arc<dyn Suite>) -> Run {
    let _ = (plan, seed, suite);
    unimplemented!("the world is being built")
}

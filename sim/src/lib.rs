//! The simulated world: carries a plan out on a discrete-event kernel and records what happened.
//!
//! A run is single-threaded and a pure function of plan, seed and suite; runs of different seeds may go
//! in parallel. Nothing here judges: that is the part of `assay-scenarios`. Start with [`run`].

pub mod clock;
mod disk;
pub mod fault;
pub mod kernel;
mod network;
mod scan;
mod seed;
mod setting;
pub mod spelling;
mod world;

use std::sync::Arc;

use assay_model::crypto::Suite;
use assay_model::history::History;
use assay_scenarios::judge::Metrics;
use assay_scenarios::plan::Plan;

pub use seed::{Domain, Draw, Seed};
pub use setting::Setting;
pub use world::node_key;

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
    let (history, metrics) = world::World::new(plan, seed, suite).run();
    Run { history, metrics }
}

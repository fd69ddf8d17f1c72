//! Stories told only to be counted: in the simulated world, with the cryptography that is faster and says the
//! same, one seed each.

use std::borrow::Cow;

use assay_reports::Exit;
use assay_scenarios::judge::{Judgement, judge};
use assay_scenarios::plan::Plan;
use rayon::prelude::*;

use crate::args::Crypto;
use crate::failure::{Complaint, Failure};
use crate::progress;
use crate::runner::caught;
use crate::world::Sim;

const SEED: u64 = 1;

/// Carries out the plan of each of these, in parallel, and keeps what is made of its judgement; the results come
/// in the order of what they are of. Plans last no longer than their telling.
pub(crate) fn survey<'p, T: Sync, R: Send>(
    all: &'p [T],
    plan: impl Fn(&'p T) -> Cow<'p, Plan> + Sync,
    keep: impl Fn(&T, &Plan, Judgement) -> R + Sync,
) -> Result<Vec<R>, Failure> {
    let sim = Sim::new(Crypto::Symbolic);
    let bar = progress::bar(all.len() as u64);
    let tell = |one: &'p T| {
        let plan = plan(one);
        let told = caught(|| {
            let run = sim.tell(&plan, SEED);
            keep(one, &plan, judge(&plan, &run.history, run.metrics))
        });
        bar.inc(1);
        told.map_err(|message| format!("{} with rules {}: {message}", plan.name, plan.rules))
    };
    let told: Result<Vec<R>, String> = all.par_iter().map(tell).collect();
    bar.finish_and_clear();
    told.map_err(|message| Failure {
        exit: Exit::Harness,
        reasons: vec![Complaint::new(format!("the harness panicked: {message}")).into()],
    })
}

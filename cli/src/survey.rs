//! Stories told only to be counted: in the simulated world, with the cryptography that is faster and says the
//! same, one seed each.

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

/// Carries out every plan, in parallel, and judges it; the results come in the order of the plans.
pub(crate) fn survey(plans: &[Plan]) -> Result<Vec<Judgement>, Failure> {
    let sim = Sim::new(Crypto::Symbolic);
    let bar = progress::bar(plans.len() as u64);
    let tell = |plan: &Plan| {
        let told = caught(|| {
            let run = sim.tell(plan, SEED);
            judge(plan, &run.history, run.metrics)
        });
        bar.inc(1);
        told.map_err(|message| format!("{} with rules {}: {message}", plan.name, plan.rules))
    };
    let told: Result<Vec<Judgement>, String> = plans.par_iter().map(tell).collect();
    bar.finish_and_clear();
    told.map_err(|message| Failure {
        exit: Exit::Harness,
        reasons: vec![Complaint::new(format!("the harness panicked: {message}")).into()],
    })
}

//! One plan and one seed give one history, and the suites agree on what it is worth.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_model::catalogue::RequirementId;
use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_scenarios::judge::{Outcome, RunVerdict, judge};
use assay_scenarios::plan::Plan;
use assay_scenarios::{Overrides, library, load};
use assay_sim::{Seed, run};

fn plans() -> Vec<Plan> {
    let plans: Vec<Plan> = library()
        .iter()
        .map(|source| load(source).unwrap().plan(&Overrides::none()))
        .collect();
    assert!(plans.len() >= 14, "the library is there");
    plans
}

fn real(kdf: &Arc<KdfMemo>) -> Arc<dyn Suite> {
    Arc::new(Real::new(kdf.clone()))
}

#[test]
fn a_run_repeated_is_the_same_run() {
    let kdf = Arc::default();
    for plan in plans() {
        let digests = [(); 2].map(|()| run(&plan, Seed(7), real(&kdf)).history.digest());
        assert_eq!(digests[0], digests[1], "{}", plan.name);
        let [one, other] = [7, 8].map(|seed| run(&plan, Seed(seed), Arc::new(Symbolic)));
        assert_ne!(
            one.history.digest(),
            other.history.digest(),
            "{}",
            plan.name
        );
    }
}

#[test]
fn both_suites_come_to_the_same_verdicts() {
    type Worth = (RunVerdict, BTreeMap<RequirementId, (Outcome, u64)>);
    let worth = |plan: &Plan, suite| -> Worth {
        let run = run(plan, Seed(3), suite);
        let judgement = judge(plan, &run.history, run.metrics);
        let requirements = judgement.requirements.iter();
        (
            judgement.verdict,
            requirements
                .map(|(id, r)| (*id, (r.outcome, r.checked)))
                .collect(),
        )
    };
    let kdf = Arc::default();
    for plan in plans() {
        let (real, symbolic) = (worth(&plan, real(&kdf)), worth(&plan, Arc::new(Symbolic)));
        assert_eq!(real, symbolic, "{}", plan.name);
    }
}

#[test]
fn a_step_taken_away_leaves_what_was_before_it_as_it_was() {
    let plan = plans()
        .into_iter()
        .find(|plan| plan.name == "grants/locked-revoke")
        .unwrap();
    let mut shorter = plan.clone();
    let last = shorter.steps.pop().unwrap();
    let before = |plan: &Plan| {
        let run = run(plan, Seed(5), Arc::new(Symbolic));
        let observations = run.history.observations().iter();
        let early = observations.take_while(|observation| observation.at < last.at);
        early
            .map(|observation| format!("{observation:?}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(before(&plan), before(&shorter));
}

#[test]
fn a_run_that_takes_too_long_is_a_verdict_and_not_a_hang() {
    let mut plan = plans().remove(0);
    plan.events = 100;
    let run = run(&plan, Seed(1), Arc::new(Symbolic));
    let judgement = judge(&plan, &run.history, run.metrics);
    assert!(
        judgement
            .doubts
            .contains(&"the run was stopped after 100 events".to_owned())
    );
}

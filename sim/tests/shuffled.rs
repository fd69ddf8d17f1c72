//! Stories told out of order: however the steps of the library are shuffled, dropped and done again, under the
//! documented rules no invariant is broken.

use std::sync::{Arc, LazyLock};

use assay_laws::laws;
use assay_model::actor::Order;
use assay_model::crypto::Symbolic;
use assay_model::rules::Rules;
use assay_scenarios::judge::judge;
use assay_scenarios::plan::{Deed, Expect, Plan};
use assay_scenarios::{Overrides, library, load};
use assay_sim::{Seed, run};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// The plans of all stories that keep every promise.
static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let plans = library().into_iter().map(|source| {
        let story = load(&source).expect("library stories are well formed");
        story.plan(&Overrides::none())
    });
    plans
        .filter(|plan| plan.rules == Rules::documented() && plan.breaks.is_empty())
        .collect()
});

/// What becomes of a step: where its deed goes, and whether it is done, left out, or another done instead.
type Choice = (u16, u8, Index);

/// Whether a deed has its place in the story: trouble is timed by what operators do, and nobody answers a
/// request that was not made.
fn stays(deed: &Deed) -> bool {
    match deed {
        Deed::AppointLeader(_) => true,
        Deed::Party(_, task) => matches!(
            task.order,
            Order::Request { .. } | Order::Approve { .. } | Order::Deny { .. }
        ),
    }
}

/// The story with its parties' deeds in another order.
fn shuffled(plan: &Plan, choices: &[Choice]) -> Plan {
    let mut plan = plan.clone();
    let (fixed, mut parties): (Vec<_>, Vec<_>) =
        plan.steps.drain(..).partition(|step| stays(&step.deed));
    let deeds: Vec<Deed> = parties.iter().map(|step| step.deed.clone()).collect();
    let choice = |place: usize| &choices[place % choices.len()];
    let mut order: Vec<usize> = (0..parties.len()).collect();
    order.sort_by_key(|place| (choice(*place).0, *place));
    for (place, step) in parties.iter_mut().enumerate() {
        let (_, kind, other) = choice(place);
        let taken = match kind {
            0..32 => other.index(deeds.len()),
            _ => order[place],
        };
        step.deed = deeds[taken].clone();
    }
    let mut place = 0;
    parties.retain(|_| {
        place += 1;
        !matches!(choice(place - 1).1, 32..64)
    });
    plan.steps = fixed.into_iter().chain(parties).collect();
    plan.steps.sort_by_key(|step| step.at);
    for step in &mut plan.steps {
        step.expect = Expect::Anything;
        step.shows.clear();
    }
    plan
}

laws! {
    48;

    fn no_order_of_deeds_breaks_a_promise(
        story in any::<Index>(),
        seed in any::<u64>(),
        choices in vec(any::<Choice>(), 40),
    ) {
        let plan = shuffled(story.get(&PLANS), &choices);
        let run = run(&plan, Seed(seed), Arc::new(Symbolic));
        let judgement = judge(&plan, &run.history, run.metrics);
        let mut broken = judgement.requirements.iter();
        let broken = broken.find(|(_, result)| !result.findings.is_empty());
        prop_assert!(broken.is_none(), "{} seed {}: {:?}", plan.name, seed, broken);
    }
}

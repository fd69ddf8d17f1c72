//! Stories told out of order: however the steps of the library are shuffled, dropped and done again, under the
//! documented rules no invariant is broken.

use std::sync::{Arc, LazyLock};

use assay_laws::laws;
use assay_model::actor::Order;
use assay_model::catalogue::RequirementId;
use assay_model::crypto::Symbolic;
use assay_model::history::Role;
use assay_model::rules::Rules;
use assay_scenarios::judge::judge;
use assay_scenarios::plan::{Deed, Expect, Plan, Step};
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

/// Whether a deed has its place in the story: trouble is timed by what operators do, nobody answers a request that
/// was not made, and a wallet is bound at the network and at share nodes one after the other, so that who recovers
/// a key just then meets either.
fn stays(plan: &Plan, deed: &Deed) -> bool {
    let share_nodes = || {
        plan.parties
            .iter()
            .any(|party| party.role == Role::ShareNode)
    };
    match deed {
        Deed::AppointLeader(_) => true,
        Deed::Party(_, task) => match task.order {
            Order::Request { .. } | Order::Approve { .. } | Order::Deny { .. } => true,
            Order::AddWallet { .. } | Order::RemoveWallet { .. } => share_nodes(),
            _ => false,
        },
    }
}

/// Whether a deed breaks a promise by itself, if nothing is there that refuses it: it replaces an action by one that
/// does not keep the promise, so that what is done after it is not done under the documented rules, or it writes
/// the ciphertext of one row into another.
fn breaks_by_itself(deed: &Deed) -> bool {
    let Deed::Party(_, task) = deed else {
        return false;
    };
    match task.order {
        Order::ReplaceAction { on, .. } => !on,
        Order::StoreAgain {
            issued, credential, ..
        } => issued != credential,
        _ => false,
    }
}

/// The story with its parties' deeds in another order, less what breaks a promise by itself.
fn shuffled(told: &Plan, choices: &[Choice]) -> Plan {
    let mut plan = told.clone();
    plan.steps.retain(|step| !breaks_by_itself(&step.deed));
    let (fixed, mut parties): (Vec<_>, Vec<_>) = plan
        .steps
        .drain(..)
        .partition(|step| stays(told, &step.deed));
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

/// Tells a story with the last of one kind of deed and the last of another in each other's place, and gives the
/// requirements that broke.
fn exchanged(name: &str, one: fn(&Order) -> bool, other: fn(&Order) -> bool) -> Vec<RequirementId> {
    let plan = PLANS.iter().find(|plan| plan.name == name);
    let mut plan = plan.expect("the story is there").clone();
    let [one, other] = [one, other].map(|wanted| {
        let is = |step: &Step| matches!(&step.deed, Deed::Party(_, task) if wanted(&task.order));
        plan.steps.iter().rposition(is).expect("it is done")
    });
    let [first, second] = [one, other].map(|place| plan.steps[place].deed.clone());
    (plan.steps[one].deed, plan.steps[other].deed) = (second, first);
    for step in &mut plan.steps {
        step.expect = Expect::Anything;
        step.shows.clear();
    }
    let run = run(&plan, Seed(0), Arc::new(Symbolic));
    let judgement = judge(&plan, &run.history, run.metrics);
    let broken = judgement.requirements.iter();
    let broken = broken.filter(|(_, result)| !result.findings.is_empty());
    broken.map(|(id, _)| *id).collect()
}

#[test]
fn a_grant_that_is_made_after_locks_have_fallen_has_no_lock() {
    let broken = exchanged(
        "governance/locks-outlive-changes",
        |order| matches!(order, Order::Share(_)),
        |order| matches!(order, Order::ReplaceAction { .. }),
    );
    assert!(broken.contains(&"GRANT-05"), "{broken:?}");
}

#[test]
fn what_is_stored_over_a_copy_that_is_not_there_yet_is_a_second_row_of_one_ciphertext() {
    let broken = exchanged(
        "grants/copies-are-not-edited",
        |order| matches!(order, Order::Share(_)),
        |order| matches!(order, Order::StoreAgain { issued, credential, .. } if issued != credential),
    );
    assert_eq!(broken, ["ENC-03"]);
}

//! Every invariant on histories by hand: some that break it, requirement by requirement, and some that
//! it holds on. One family per file, as the invariants are.

mod access;
mod attributes;
mod audit;
mod consensus;
mod consumer;
mod dashboard;
mod deletion;
mod deposits;
mod disclosure;
mod durability;
mod economy;
mod escrow;
mod freshness;
mod governance;
mod identity;
mod inclusion;
mod keys;
mod limits;
mod locks;
mod papers;
mod passporting;
mod personhood;
mod plaintext;
mod random;
mod requests;
mod staking;
mod statements;
mod status;
mod story;
mod strangers;
mod words;
mod write_grants;
mod writes;

use std::collections::BTreeSet;

use story::Story;

use super::{Chronicle, Finding, Invariant, Verdict, all};
use crate::catalogue::RequirementId;
use crate::history::History;

/// A story and what an invariant has to say about it.
struct Case {
    /// The story in a few words.
    title: &'static str,
    story: Story,
    invariant: &'static Invariant,
    expected: Expected,
}

/// What an invariant has to say.
#[derive(Clone, Copy)]
enum Expected {
    /// It is broken, in exactly these requirements.
    Broken(&'static [RequirementId]),
    /// It holds, and these requirements were really tested.
    Held(&'static [RequirementId]),
    /// Nothing in it tests anything.
    Untested,
}

fn case(
    title: &'static str,
    story: Story,
    invariant: &'static Invariant,
    expected: Expected,
) -> Case {
    Case {
        title,
        story,
        invariant,
        expected,
    }
}

fn broken(requirements: &'static [RequirementId]) -> Expected {
    Expected::Broken(requirements)
}

fn held(requirements: &'static [RequirementId]) -> Expected {
    Expected::Held(requirements)
}

fn check(case: &Case) {
    let history = case.story.history();
    let verdict = (case.invariant.check)(&Chronicle::read(history));
    let told = format!("{} in: {}\n{verdict:#?}", case.invariant.name, case.title);
    match (&verdict, case.expected) {
        (Verdict::Violated { findings, .. }, Expected::Broken(requirements)) => {
            let named: BTreeSet<_> = findings.iter().map(|f| f.requirement).collect();
            let expected: BTreeSet<_> = requirements.iter().copied().collect();
            assert_eq!(named, expected, "{told}");
        }
        (Verdict::Held { checked }, Expected::Held(requirements)) => {
            let tested: BTreeSet<_> = checked.keys().copied().collect();
            let expected: BTreeSet<_> = requirements.iter().copied().collect();
            assert_eq!(tested, expected, "{told}");
            assert!(checked.values().all(|count| *count > 0), "{told}");
        }
        (Verdict::Inconclusive { .. }, Expected::Untested) => {}
        _ => panic!("{told}"),
    }
    is_well_told(case.invariant, history, &verdict);
}

/// A verdict speaks of its invariant's requirements, and each finding can be read and proven.
fn is_well_told(invariant: &Invariant, history: &History, verdict: &Verdict) {
    let (checked, findings) = match verdict {
        Verdict::Held { checked } => (checked, &[][..]),
        Verdict::Violated { checked, findings } => (checked, &findings[..]),
        Verdict::Inconclusive { why } => {
            assert!(!why.is_empty(), "{}", invariant.name);
            return;
        }
    };
    let known = |id: &RequirementId| invariant.requirements.contains(id);
    assert!(checked.keys().all(known), "{}: {checked:?}", invariant.name);
    for finding in findings {
        let Finding {
            requirement,
            sentence,
            evidence,
        } = finding;
        let told = format!("{}: {finding:?}", invariant.name);
        assert!(checked[requirement] > 0, "{told}");
        assert!(!evidence.is_empty(), "{told}");
        assert!(evidence.is_sorted_by(|one, next| one < next), "{told}");
        let last = evidence[evidence.len() - 1];
        assert!(last < history.observations().len(), "{told}");
        let first = sentence.chars().next().expect("a sentence says something");
        assert!(!first.is_uppercase() && !first.is_whitespace(), "{told}");
        assert!(!sentence.ends_with('.'), "{told}");
    }
}

/// Every case of every family.
fn cases() -> Vec<Case> {
    [
        plaintext::cases(),
        keys::cases(),
        access::cases(),
        locks::cases(),
        deletion::cases(),
        deposits::cases(),
        papers::cases(),
        write_grants::cases(),
        attributes::cases(),
        governance::cases(),
        status::cases(),
        statements::cases(),
        consumer::cases(),
        requests::cases(),
        audit::cases(),
        dashboard::cases(),
        limits::cases(),
        disclosure::cases(),
        personhood::cases(),
        passporting::cases(),
        identity::cases(),
        writes::cases(),
        strangers::cases(),
        consensus::cases(),
        inclusion::cases(),
        freshness::cases(),
        durability::cases(),
        economy::cases(),
        escrow::cases(),
        staking::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn plaintext_is_looked_for() {
    plaintext::cases().iter().for_each(check);
}

#[test]
fn keys_are_judged() {
    keys::cases().iter().for_each(check);
}

#[test]
fn reads_are_judged() {
    access::cases().iter().for_each(check);
}

#[test]
fn locks_are_judged() {
    locks::cases().iter().for_each(check);
}

#[test]
fn deletions_are_judged() {
    deletion::cases().iter().for_each(check);
}

#[test]
fn papers_are_judged() {
    papers::cases().iter().for_each(check);
}

#[test]
fn write_grants_are_judged() {
    write_grants::cases().iter().for_each(check);
}

#[test]
fn attributes_are_judged() {
    attributes::cases().iter().for_each(check);
}

#[test]
fn governance_is_judged() {
    governance::cases().iter().for_each(check);
}

#[test]
fn statuses_are_judged() {
    status::cases().iter().for_each(check);
}

#[test]
fn statements_are_judged() {
    statements::cases().iter().for_each(check);
}

#[test]
fn consumers_are_judged() {
    consumer::cases().iter().for_each(check);
}

#[test]
fn requests_are_judged() {
    requests::cases().iter().for_each(check);
}

#[test]
fn the_record_is_judged() {
    audit::cases().iter().for_each(check);
}

#[test]
fn dashboards_are_judged() {
    dashboard::cases().iter().for_each(check);
}

#[test]
fn limits_are_judged() {
    limits::cases().iter().for_each(check);
}

#[test]
fn disclosures_are_judged() {
    disclosure::cases().iter().for_each(check);
}

#[test]
fn reliance_is_judged() {
    passporting::cases().iter().for_each(check);
}

#[test]
fn persons_are_judged() {
    personhood::cases().iter().for_each(check);
}

#[test]
fn wallets_and_profiles_are_judged() {
    identity::cases().iter().for_each(check);
}

#[test]
fn writes_are_judged() {
    writes::cases().iter().for_each(check);
}

#[test]
fn consensus_is_judged() {
    consensus::cases().iter().for_each(check);
}

#[test]
fn inclusion_is_judged() {
    inclusion::cases().iter().for_each(check);
}

#[test]
fn what_strangers_learn_is_judged() {
    strangers::cases().iter().for_each(check);
}

#[test]
fn the_age_of_answers_is_judged() {
    freshness::cases().iter().for_each(check);
}

#[test]
fn lasting_is_judged() {
    durability::cases().iter().for_each(check);
}

#[test]
fn the_economy_is_judged() {
    economy::cases().iter().for_each(check);
}

#[test]
fn escrows_are_judged() {
    escrow::cases().iter().for_each(check);
}

#[test]
fn stakes_are_judged() {
    staking::cases().iter().for_each(check);
}

#[test]
fn an_empty_history_says_nothing() {
    let story = Story::new();
    for invariant in all() {
        let verdict = (invariant.check)(&Chronicle::read(story.history()));
        assert!(
            matches!(verdict, Verdict::Inconclusive { .. }),
            "{}: {verdict:?}",
            invariant.name
        );
        is_well_told(invariant, story.history(), &verdict);
    }
}

#[test]
fn every_requirement_of_every_invariant_is_broken_and_held() {
    let declared: BTreeSet<(&str, RequirementId)> = all()
        .iter()
        .flat_map(|invariant| {
            invariant
                .requirements
                .iter()
                .map(|id| (invariant.name, *id))
        })
        .collect();
    let (mut broken, mut held) = (BTreeSet::new(), BTreeSet::new());
    for case in cases() {
        let (into, requirements) = match case.expected {
            Expected::Broken(requirements) => (&mut broken, requirements),
            Expected::Held(requirements) => (&mut held, requirements),
            Expected::Untested => continue,
        };
        into.extend(requirements.iter().map(|id| (case.invariant.name, *id)));
    }
    assert_eq!(broken, declared);
    assert_eq!(held, declared);
}

#[test]
fn no_case_has_the_title_of_another() {
    let mut titles = BTreeSet::new();
    for case in cases() {
        let fresh = titles.insert((case.invariant.name, case.title));
        assert!(fresh, "{}: {}", case.invariant.name, case.title);
    }
}

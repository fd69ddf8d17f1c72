//! Stories of the library on nodes that are wrong on purpose: each wrong is failed on a requirement that it
//! is about, and the right node holds on the same stories. The node's executable is this test.

mod bad_node;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use assay_conformance::live::Stand;
use assay_conformance::live::target::{Target, built_in};
use assay_model::crypto::{KdfMemo, Real};
use assay_model::history::{Event, History, Place, Role};
use assay_model::id::{CredentialId, NodeId};
use assay_node::wrong::Wrong;
use assay_scenarios::judge::{Judgement, Outcome, RunVerdict, judge};
use assay_scenarios::plan::Plan;
use assay_scenarios::{Overrides, Script, Source, find, load};
use assay_sim::Seed;
use libtest_mimic::{Arguments, Failed, Trial};

/// Networks that are up at a time; they mostly wait.
const AT_ONCE: usize = 3;
/// How often a story is told that proves nothing, since a busy machine may be why.
const TELLINGS: u64 = 3;

/// Stories that share a network.
const COMPANY: &[&str] = &[
    "grants/denied",
    "grants/lock-boundary",
    "deletion/original-with-copies",
];

/// Which nodes are wrong, and the stories that show it.
struct Case {
    wrong: Wrong,
    on: &'static str,
    stories: &'static [&'static str],
}

const fn case(wrong: Wrong, on: &'static str, stories: &'static [&'static str]) -> Case {
    Case { wrong, on, stories }
}

/// Where nodes have to agree on what is wrong, all of them are.
const CASES: &[Case] = &[
    case(Wrong::ServesWithoutGrant, "all", &["grants/denied"]),
    case(Wrong::RefusesGrantees, "all", &["grants/denied"]),
    case(Wrong::HidesGrants, "n2", &["grants/denied"]),
    case(Wrong::ForgetsDelete, "n3", &["deletion/away-node"]),
    case(Wrong::KeepsDeletedRows, "n2", &["deletion/away-node"]),
    case(
        Wrong::KeepsCopies,
        "all",
        &["deletion/original-with-copies"],
    ),
    case(Wrong::LockOffByOne, "all", &["grants/lock-boundary"]),
    case(Wrong::DagReusable, "all", &["grants/delegated-once"]),
    case(Wrong::StatusErasable, "all", &["reuse/status-stands"]),
    case(
        Wrong::AcceptsBadSignature,
        "all",
        &["identity/wallet-proofs", "inserters/forged-credentials"],
    ),
    case(Wrong::AcceptsAnyReader, "all", &["grants/foreign-hands"]),
    case(Wrong::PlaintextInLog, "all", &["privacy/plaintext"]),
    case(Wrong::StoresPlaintext, "all", &["privacy/plaintext"]),
    case(Wrong::DivergesSilently, "n3", &["grants/denied"]),
    case(Wrong::StaleReads, "n3", &["deletion/away-node"]),
    case(Wrong::WrongErrorText, "all", &["grants/lock-boundary"]),
    case(Wrong::RefusedTakesEffect, "all", &["faults/wiped-follower"]),
    case(
        Wrong::LosesAcknowledged,
        "n2",
        &["faults/killed-under-load"],
    ),
    case(Wrong::DoesNotSync, "n2", &["faults/killed-under-load"]),
    case(Wrong::DoesNotCatchUp, "n3", &["deletion/away-node"]),
    case(Wrong::CommitsWithoutQuorum, "all", &["grants/denied"]),
    case(
        Wrong::BelievesTheLeadersClock,
        "all",
        &["time/leader-far-ahead"],
    ),
    case(Wrong::CreditsTooSoon, "all", &["economy/deposit-credited"]),
];

/// The right node's program and arguments, with a wrong that some of the nodes have.
fn target(case: Option<&Case>) -> Target {
    let mut source = built_in("reference").expect("it is built in");
    if let Some(Case { wrong, on, .. }) = case {
        let told = format!(
            "\"--wrong\", \"{}\", \"--on\", \"{on}\", \"--node\", \"{{node}}\"",
            wrong.name()
        );
        let text = source.text.replace(
            "\"--home\", \"{home}\"",
            &format!("\"--home\", \"{{home}}\", {told}"),
        );
        source = Source {
            text: text.into(),
            ..source
        };
    }
    Target::parse(&source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A story, and how long a node that is wrong may owe something before it owes it for good.
fn script(story: &str, settle: Option<&str>) -> Script {
    let mut source = find(story).unwrap_or_else(|problem| panic!("{problem:?}"));
    if let Some(settle) = settle {
        source.text = format!("settle = \"{settle}\"\n{}", source.text).into();
    }
    let scenario = load(&source).unwrap_or_else(|problems| panic!("{problems:?}"));
    Script::new(scenario, Overrides::none())
}

/// Tells stories on one network.
fn tell(
    case: Option<&Case>,
    stories: &[&str],
    seed: u64,
) -> Result<Vec<(Plan, History, Judgement)>, Failed> {
    tell_on(target(case), case.map(|_| "20s"), stories, seed)
}

/// The same on any target.
fn tell_on(
    target: Target,
    settle: Option<&str>,
    stories: &[&str],
    seed: u64,
) -> Result<Vec<(Plan, History, Judgement)>, Failed> {
    // Deriving a key from a password takes long, and all stories use the same few.
    static KEYS: LazyLock<Arc<KdfMemo>> = LazyLock::new(Arc::default);
    let stand = Stand {
        target,
        assay: std::env::current_exe()?,
    };
    let scripts: Vec<Script> = stories.iter().map(|story| script(story, settle)).collect();
    let scripts: Vec<&Script> = scripts.iter().collect();
    let folder = tempfile::tempdir()?;
    let suite = Arc::new(Real::new(KEYS.clone()));
    let dir = folder.path().join("network");
    let told = stand.tell(&scripts, Seed(seed), suite, &dir)?;
    let judged = told.into_iter().map(|(plan, told)| {
        let judgement = judge(&plan, &told.history, told.metrics);
        (plan, told.history, judgement)
    });
    Ok(judged.collect())
}

/// Tells a story on a network of its own until it proves something.
fn tell_alone(case: Option<&Case>, story: &str) -> Result<Judgement, Failed> {
    let mut doubts = Vec::new();
    for seed in 1..=TELLINGS {
        let (_, _, judgement) = tell(case, &[story], seed)?.remove(0);
        if judgement.verdict != RunVerdict::Inconclusive {
            return Ok(judgement);
        }
        doubts = judgement.doubts;
    }
    Err(format!("`{story}` proves nothing in {TELLINGS} tellings: {doubts:#?}").into())
}

/// What was found broken, a line each.
fn broken(judgement: &Judgement) -> Vec<String> {
    let failed = judgement
        .requirements
        .iter()
        .filter(|(_, result)| result.outcome == Outcome::Failed);
    let lines = failed.map(|(id, result)| {
        let (by, finding) = &result.findings[0];
        format!(
            "{id} ({by}, {}): {}",
            result.findings.len(),
            finding.sentence
        )
    });
    lines.collect()
}

fn is_failed(case: &Case) -> Result<(), Failed> {
    let Case { wrong, on, stories } = case;
    let mut seen = Vec::new();
    let mut missed: BTreeSet<_> = wrong.requirements().iter().copied().collect();
    for story in *stories {
        let judgement = tell_alone(Some(case), story)?;
        for id in wrong.requirements() {
            let result = &judgement.requirements[id];
            if result.outcome == Outcome::Failed && missed.remove(id) {
                let (by, finding) = &result.findings[0];
                println!("{}: {id} by {by}: {}", wrong.name(), finding.sentence);
            }
        }
        seen.extend(broken(&judgement));
        seen.extend(judgement.doubts);
    }
    if missed.is_empty() {
        return Ok(());
    }
    let (name, does) = (wrong.name(), wrong.sentence());
    Err(
        format!("`{name}` on {on}, which {does}, is not failed on {missed:?}, but: {seen:#?}")
            .into(),
    )
}

fn holds(story: &str) -> Result<(), Failed> {
    let judgement = tell_alone(None, story)?;
    if judgement.verdict == RunVerdict::Held {
        return Ok(());
    }
    let (verdict, seen) = (judgement.verdict, broken(&judgement));
    Err(format!("the right node came to {verdict:?} on `{story}`: {seen:#?}").into())
}

/// Tells a company until every story in it was told and proves something.
fn tell_company(case: Option<&Case>) -> Result<Vec<(Plan, History, Judgement)>, Failed> {
    let conclusive = |(_, _, judgement): &(Plan, History, Judgement)| {
        judgement.verdict != RunVerdict::Inconclusive
    };
    for seed in 1..=TELLINGS {
        let told = tell(case, COMPANY, seed)?;
        if told.len() == COMPANY.len() && told.iter().all(conclusive) {
            return Ok(told);
        }
    }
    Err(format!("{COMPANY:?} prove nothing in {TELLINGS} tellings").into())
}

/// Every story of a company finds its own people and rows, and none of another's.
fn a_company_holds() -> Result<(), Failed> {
    let mut remains = BTreeSet::new();
    for (plan, history, judgement) in tell_company(None)? {
        let name = &plan.name;
        if judgement.verdict != RunVerdict::Held {
            let seen = broken(&judgement);
            return Err(format!("`{name}` came to {:?}: {seen:#?}", judgement.verdict).into());
        }
        let own = plan.parties.iter().filter(|party| party.role == Role::User);
        let own: BTreeSet<_> = own.map(|party| party.user).collect();
        let found =
            history
                .observations()
                .iter()
                .filter_map(|observation| match &observation.event {
                    Event::Inspected { users, .. } => Some(users),
                    _ => None,
                });
        let found: Vec<BTreeSet<_>> = found.map(|users| users.iter().copied().collect()).collect();
        if found.len() != usize::from(plan.nodes) || found.iter().any(|found| *found != own) {
            return Err(format!("`{name}` has {own:?}, and its nodes {found:?}").into());
        }
        let (searched, looked_for) = searches(&history);
        if searched.len() != usize::from(plan.nodes) {
            return Err(format!("for `{name}` the disks of {searched:?} were searched").into());
        }
        // A copy goes with the last grant on it, so the other two leave something to look for.
        let deletes = name != "grants/denied";
        if looked_for.is_empty() == deletes || looked_for.iter().any(|id| !remains.insert(*id)) {
            return Err(format!("`{name}` looked for {looked_for:?} at rest").into());
        }
    }
    Ok(())
}

/// The nodes whose disks were searched, and the deleted credentials that were looked for.
fn searches(history: &History) -> (BTreeSet<NodeId>, BTreeSet<CredentialId>) {
    let (mut searched, mut looked_for) = (BTreeSet::new(), BTreeSet::new());
    for observation in history.observations() {
        match &observation.event {
            Event::Scanned {
                node,
                place: Place::Disk,
                ..
            } => {
                searched.insert(*node);
            }
            Event::Remained { credential, .. } => {
                looked_for.insert(*credential);
            }
            _ => {}
        }
    }
    (searched, looked_for)
}

/// Where the clock cannot be set, locks of minutes hold for seconds, and to the second.
fn holds_in_real_time() -> Result<(), Failed> {
    let mut doubts = Vec::new();
    for seed in 1..=TELLINGS {
        let source = built_in("reference-real-time").expect("it is built in");
        let target = Target::parse(&source).unwrap_or_else(|problems| panic!("{problems:?}"));
        let (plan, history, judgement) =
            tell_on(target, None, &["grants/lock-boundary"], seed)?.remove(0);
        if judgement.verdict == RunVerdict::Inconclusive {
            doubts = judgement.doubts;
            continue;
        }
        let whole = script("grants/lock-boundary", None).plan();
        let lasted = history.observations().last().map(|last| last.at);
        let cut = plan.duration < whole.duration && lasted < Some(whole.duration);
        return if judgement.verdict == RunVerdict::Held && cut {
            Ok(())
        } else {
            let (verdict, seen) = (judgement.verdict, broken(&judgement));
            Err(format!("it came to {verdict:?} after {lasted:?}: {seen:#?}").into())
        };
    }
    Err(format!("it proves nothing in {TELLINGS} tellings: {doubts:#?}").into())
}

/// What is wrong with a node is told by the story it shows in, and by no other on the same network.
fn a_company_says_which_story_broke() -> Result<(), Failed> {
    let wrong = Wrong::LockOffByOne;
    let case = CASES.iter().find(|case| case.wrong == wrong);
    for (plan, _, judgement) in tell_company(case)? {
        let expected = plan.name == "grants/lock-boundary";
        let is_broken = judgement.verdict == RunVerdict::Violated;
        if is_broken != expected {
            let seen = broken(&judgement);
            let (name, verdict) = (plan.name, judgement.verdict);
            return Err(format!("`{name}` came to {verdict:?}: {seen:#?}").into());
        }
    }
    Ok(())
}

fn every_wrong_has_its_stories() -> Result<(), Failed> {
    let cases: Vec<Wrong> = CASES.iter().map(|case| case.wrong).collect();
    if cases == Wrong::ALL {
        return Ok(());
    }
    Err(format!("the table has {cases:?}").into())
}

fn main() -> ExitCode {
    if let Some(done) = bad_node::play() {
        let Err(error) = done else {
            return ExitCode::SUCCESS;
        };
        eprintln!("node: {error}");
        return ExitCode::FAILURE;
    }
    let stories: BTreeSet<&str> = CASES
        .iter()
        .flat_map(|case| case.stories)
        .copied()
        .collect();
    let mut trials = vec![Trial::test(
        "every_wrong_has_its_stories",
        every_wrong_has_its_stories,
    )];
    trials.extend(CASES.iter().map(|case| {
        let name = format!(
            "a_node_with_the_wrong_{}_is_failed",
            case.wrong.name().replace('-', "_")
        );
        Trial::test(name, || is_failed(case))
    }));
    trials.extend(stories.into_iter().map(|story| {
        let name = format!("the_right_node_holds_on_{}", story.replace(['/', '-'], "_"));
        Trial::test(name, move || holds(story))
    }));
    trials.push(Trial::test(
        "the_right_node_holds_in_company",
        a_company_holds,
    ));
    trials.push(Trial::test(
        "a_company_says_which_story_broke",
        a_company_says_which_story_broke,
    ));
    trials.push(Trial::test(
        "the_right_node_holds_in_real_time",
        holds_in_real_time,
    ));
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    libtest_mimic::run(&arguments, trials).exit_code()
}

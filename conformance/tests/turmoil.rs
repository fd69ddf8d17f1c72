//! Stories on the reference node's own code and simulated sockets: as deterministic as the simulated world,
//! and with the same verdicts.

use std::process::Command;
use std::sync::Arc;

use assay_conformance::sockets;
use assay_model::crypto::{KdfMemo, Real, Suite};
use assay_scenarios::judge::{RunVerdict, judge};
use assay_scenarios::plan::Plan;
use assay_scenarios::{find, load};
use assay_sim::Seed;

/// Stories that between them crash, wipe, roll back and cut off nodes, change the leader, set clocks wrong
/// and lose answers.
const STORIES: &[&str] = &[
    "broken/open-reads",
    "consensus/leader-in-a-minority",
    "consensus/leader-replaced",
    "deletion/away-node",
    "faults/lost-reply",
    "faults/rolled-back-follower",
    "faults/stalled-link",
    "faults/wiped-follower",
    "grants/five-years",
    "grants/lock-boundary-skewed",
    "identity/five-wallets",
];

fn plan(name: &str) -> Plan {
    let source = find(name).unwrap_or_else(|_| panic!("the library has no {name}"));
    load(&source).expect("the library is sound").plan
}

fn suite() -> Arc<dyn Suite> {
    Arc::new(Real::new(Arc::new(KdfMemo::default())))
}

#[test]
fn a_story_comes_to_the_same_as_in_the_simulated_world() {
    for name in STORIES {
        let plan = plan(name);
        let simulated = assay_sim::run(&plan, Seed(3), suite());
        let simulated = judge(&plan, &simulated.history, simulated.metrics);
        let told = sockets::run(&plan, Seed(3), suite()).expect("the shell starts");
        let judged = judge(&plan, &told.history, told.metrics);
        assert_eq!(
            judged.verdict, simulated.verdict,
            "{name}: {:?}",
            judged.doubts
        );
        let expected = [RunVerdict::Held, RunVerdict::BrokeAsExpected];
        assert!(expected.contains(&judged.verdict), "{name}");
    }
}

fn digest(name: &str, seed: u64) -> String {
    let told = sockets::run(&plan(name), Seed(seed), suite()).expect("the shell starts");
    hex::encode(told.history.digest())
}

/// Not a test of its own: what another process has to say.
#[test]
#[ignore = "run by the test below in processes of its own"]
fn digests_of_another_process() {
    for name in STORIES {
        println!("digest {name} {}", digest(name, 7));
    }
}

#[test]
fn two_processes_and_a_third_tell_the_same_histories() {
    let other = || {
        let this = std::env::current_exe().unwrap();
        let run = Command::new(this)
            .args([
                "--ignored",
                "--exact",
                "digests_of_another_process",
                "--nocapture",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        let told = text.lines().filter(|line| line.contains("digest "));
        told.map(|line| line.split("digest ").last().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = other();
    assert_eq!(first.len(), STORIES.len());
    assert_eq!(first, other());
    // Here the order of tasks is another one, since other simulations ran before.
    let here = STORIES
        .iter()
        .map(|name| format!("{name} {}", digest(name, 7)));
    assert_eq!(first, here.collect::<Vec<_>>());
}

#[test]
fn another_seed_tells_another_history() {
    assert_ne!(
        digest("grants/lock-boundary-skewed", 1),
        digest("grants/lock-boundary-skewed", 2)
    );
}

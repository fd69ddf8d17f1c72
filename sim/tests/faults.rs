//! What faults do to nodes, links and clients, seen in the history.

use std::sync::Arc;

use assay_model::crypto::Symbolic;
use assay_model::history::{Asked, Event, Observation};
use assay_model::id::{Height, NodeId};
use assay_model::time::Millis;
use assay_scenarios::judge::judge;
use assay_scenarios::{Overrides, Source, find, load};
use assay_sim::{Seed, run};

const N3: NodeId = NodeId(2);
const BEGIN: Millis = Millis::seconds(9);
const END: Millis = Millis::seconds(29);

/// What happens when the story's only fault is this one. The story has to go well all the same, and the
/// fault has to have an effect.
fn with(fault: &str) -> Vec<Observation> {
    let text = format!(
        r#"
        claim = "Something goes wrong."
        actors = {{ users = ["alice"], issuers = ["kyc-co"], consumers = ["bank"] }}
        steps = [
          {{ at = "1s",  by = "kyc-co", do = "issue", to = "alice", as = "passport" }},
          {{ at = "10s", by = "alice",  do = "share", credential = "passport", to = "bank", as = "g1" }},
          {{ at = "60s", by = "bank",   do = "use",   copy = "g1" }},
        ]
        faults = [{{ at = "9s", for = "20s", {fault} }}]
        "#
    );
    let source = Source {
        name: "story".to_owned(),
        path: "story.toml".to_owned(),
        text: text.into(),
    };
    let scenario = load(&source).unwrap_or_else(|problems| panic!("{problems:?}"));
    let plan = scenario.plan(&Overrides::none());
    let run = run(&plan, Seed(1), Arc::new(Symbolic));
    let judgement = judge(&plan, &run.history, run.metrics);
    let steps = judgement.steps.iter().all(|step| step.met == Some(true));
    assert!(steps, "{fault}: {:?}", judgement.steps);
    assert_eq!(judgement.doubts, [""; 0], "{fault}");
    run.history.observations().to_vec()
}

/// When a node committed which block.
fn commits(history: &[Observation], of: NodeId) -> Vec<(Millis, Height)> {
    let commits = history.iter().filter_map(|seen| match &seen.event {
        Event::Committed {
            node, committed, ..
        } if *node == of => Some((seen.at, committed.block.height)),
        _ => None,
    });
    commits.collect()
}

fn during(at: Millis) -> bool {
    (BEGIN..END).contains(&at)
}

/// The blocks that n3 has from others after the fault; what its own disk holds is there at once.
fn learned(history: &[Observation]) -> Vec<Height> {
    let commits = commits(history, N3);
    let later = commits.iter().filter(|(at, _)| *at > END);
    later.map(|(_, height)| *height).collect()
}

fn count(history: &[Observation], what: impl Fn(&Event) -> bool) -> usize {
    history.iter().filter(|seen| what(&seen.event)).count()
}

#[test]
fn a_paused_node_does_nothing_and_goes_on_where_it_was() {
    let history = with(r#"fault = "pause", node = "n3""#);
    let commits = commits(&history, N3);
    assert!(commits.iter().all(|(at, _)| !during(*at)), "{commits:?}");
    let after = commits.iter().filter(|(at, _)| *at >= END).count();
    assert!(after > 0, "{commits:?}");
    let ended = |event: &Event| matches!(event, Event::Crashed { .. } | Event::Stopped { .. });
    assert_eq!(count(&history, ended), 0);
}

#[test]
fn a_stopped_node_ends_in_good_order_and_loses_nothing() {
    let history = with(r#"fault = "stop", node = "n3""#);
    let stopped = |event: &Event| matches!(event, Event::Stopped { node: N3 });
    let crashed = |event: &Event| matches!(event, Event::Crashed { .. });
    let again = |event: &Event| {
        matches!(
            event,
            Event::Started {
                node: N3,
                again: true
            }
        )
    };
    let counts = [&stopped as &dyn Fn(&Event) -> bool, &crashed, &again];
    assert_eq!(counts.map(|what| count(&history, what)), [1, 0, 1]);
    let before = commits(&history, N3)
        .iter()
        .filter(|(at, _)| *at < END)
        .count();
    assert_eq!(learned(&history)[0], Height(before as u64 + 1));
}

#[test]
fn a_node_learns_what_its_disk_lost_from_the_others() {
    let lost_all = with(r#"fault = "wipe", node = "n3""#);
    assert_eq!(learned(&lost_all)[0], Height(2));
    let rolled_back = with(r#"fault = "roll-back", node = "n3""#);
    let before = commits(&rolled_back, N3);
    let lost = before.iter().find(|(at, _)| during(*at));
    let (_, lost) = lost.expect("a block was committed after the copy was made");
    assert_eq!(learned(&rolled_back)[0], *lost);
}

#[test]
fn a_lost_reply_is_followed_by_a_question_about_the_transaction() {
    let history = with(r#"fault = "lost-reply", party = "alice""#);
    let broadcast = history.iter().find_map(|seen| match &seen.event {
        Event::Asked {
            id,
            what: Asked::Broadcast(_),
            ..
        } if during(seen.at) => Some(*id),
        _ => None,
    });
    let unanswered =
        |event: &Event| matches!(event, Event::NoAnswer { id, .. } if Some(*id) == broadcast);
    assert_eq!(count(&history, unanswered), 1);
    let asks = |event: &Event| {
        let query = Asked::Housekeeping("tx_query");
        matches!(event, Event::Asked { what, .. } if format!("{what:?}") == format!("{query:?}"))
    };
    assert!(count(&history, asks) > 0);
}

#[test]
fn a_duplicated_request_leaves_one_transaction_in_the_chain() {
    let plain = with(r#"fault = "slow-clients", delay = "1ms""#);
    let doubled = with(r#"fault = "duplicated-request", party = "alice""#);
    let transactions = |history: &[Observation]| -> usize {
        let blocks = history.iter().filter_map(|seen| match &seen.event {
            Event::Committed {
                node: N3, results, ..
            } => Some(results.len()),
            _ => None,
        });
        blocks.sum()
    };
    assert_eq!(transactions(&doubled), transactions(&plain));
}

#[test]
fn every_fault_of_a_link_has_a_measured_effect() {
    for fault in ["one-way", "stall", "refuse", "reset"] {
        with(&format!(r#"fault = "{fault}", from = "leader", to = "n3""#));
    }
}

#[test]
fn a_follower_votes_while_its_clock_is_near_enough_and_not_beyond() {
    let scenario = load(&find("faults/skewed-follower").unwrap()).unwrap();
    let plan = scenario.plan(&Overrides::none());
    let (mut near, mut far) = (0, 0);
    for seed in (1..=5).map(Seed) {
        let run = run(&plan, seed, Arc::new(Symbolic));
        for seen in run.history.observations() {
            let Event::Committed { committed, .. } = &seen.event else {
                continue;
            };
            let voted = committed.votes.iter().any(|vote| vote.validator == N3);
            let second = seen.at.0 / 1_000;
            near += usize::from(voted && (9..23).contains(&second));
            far += usize::from(voted && (26..40).contains(&second));
        }
    }
    assert!(near > 0 && far == 0, "{near} votes near, {far} far");
}

//! How old answers are.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::{Contradiction, Event};
use crate::id::{Height, NodeId};
use crate::time::Millis;

/// What network delay may add to the age of an answer, in milliseconds.
const DELAY: u64 = 1_000;

pub(super) const ANSWERS_ARE_FRESH: Invariant = Invariant {
    name: "answers-are-fresh",
    claim: "an answer names its height, and is not from a state that most nodes had left longer ago than the network allows",
    source: "doc (immediately); idos-facts 6.4",
    requirements: &["READ-02"],
    check: answers_are_fresh,
};

/// An answer counts only where there was a state too old for it: before that, none could have been.
fn answers_are_fresh(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let observations = chronicle.history.observations();
    let left = heights_left(chronicle);
    // Block times and the clocks of nodes may both be off by the drift.
    let bound = cast.freshness + 2 * cast.drift + DELAY;
    let oldest = left.values().map(|(_, at)| *at).min();
    for view in &chronicle.views {
        let asked = observations[view.asked].at;
        let age = |at: Millis| asked.0.saturating_sub(at.0);
        if oldest.is_none_or(|at| age(at) <= bound) {
            continue;
        }
        let gone = left.get(&view.height);
        let fresh = gone.is_none_or(|(_, at)| age(*at) <= bound);
        tally.test("READ-02", fresh, || {
            let (seen, at) = gone.expect("only a state that was left is too old");
            let sentence = format!(
                "{} answered {} from height {}, which most nodes had left {} s before; {} s are allowed",
                view.node,
                view.query.name(),
                view.height,
                age(*at) / 1_000,
                cast.freshness / 1_000
            );
            (sentence, vec![*seen, view.asked, view.seen])
        });
    }
    for (seen, observation) in chronicle.observations() {
        if let Event::Contradicted {
            node,
            of: Contradiction::Height,
            what,
            expected,
            got,
            ..
        } = &observation.event
        {
            let sentence =
                format!("{node} answered {what} with {got}, where {expected} was to be told");
            tally.broken("READ-02", sentence, vec![seen]);
        }
    }
    tally.verdict("nobody read anything when there was a state too old to be read")
}

/// When more than half of the nodes had got beyond a height, and which observation shows it.
fn heights_left(chronicle: &Chronicle<'_>) -> BTreeMap<Height, (usize, Millis)> {
    let most = usize::from(chronicle.history.cast.nodes) / 2 + 1;
    let mut reached: BTreeMap<NodeId, Height> = BTreeMap::new();
    let mut beyond: BTreeMap<Height, BTreeSet<NodeId>> = BTreeMap::new();
    let mut left = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        let (node, height) = match &observation.event {
            Event::Committed {
                node, committed, ..
            } => (*node, committed.block.height),
            Event::Installed { node, height, .. } => (*node, *height),
            _ => continue,
        };
        let last = reached.entry(node).or_default();
        for below in last.0..height.0 {
            let nodes = beyond.entry(Height(below)).or_default();
            nodes.insert(node);
            if nodes.len() >= most {
                left.entry(Height(below)).or_insert((seen, observation.at));
            }
        }
        *last = height.max(*last);
    }
    left
}

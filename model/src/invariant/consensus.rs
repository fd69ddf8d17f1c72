//! One chain, one state, sound block times.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::catalogue::RequirementId;
use crate::history::{Contradiction, Event};
use crate::id::{AppHash, BlockId, Height, NodeId, TablesDigest};
use crate::node::{Block, Reply};
use crate::time::WallMillis;

/// What network delay may add to the distance of a block's time from the true time, in milliseconds.
const DELAY: u64 = 1_000;

pub(super) const ONE_STATE_PER_HEIGHT: Invariant = Invariant {
    name: "one-state-per-height",
    claim: "nodes at one height have the same block, app hash and tables, and answer alike",
    source: "S2; doc:decentralized-storage; idos-facts 6.2",
    requirements: &["CONS-01", "READ-03"],
    check: one_state_per_height,
};

fn one_state_per_height(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut blocks: BTreeMap<Height, (usize, BlockId)> = BTreeMap::new();
    let mut states: BTreeMap<Height, (usize, NodeId, AppHash)> = BTreeMap::new();
    let mut digests: BTreeMap<Height, (usize, NodeId, TablesDigest)> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        let (node, height, app_hash, tables) = match &observation.event {
            Event::Committed {
                node,
                committed,
                app_hash,
                tables,
                ..
            } => {
                let block = &committed.block;
                let (first, id) = *blocks.entry(block.height).or_insert((seen, block.id));
                tally.test("CONS-01", id == block.id, || {
                    let sentence =
                        format!("{node} committed another block at height {}", block.height);
                    (sentence, vec![first, seen])
                });
                (
                    *node,
                    block.height,
                    *app_hash,
                    tables.map(|tables| tables.1),
                )
            }
            Event::Inspected {
                node,
                height,
                app_hash,
                tables,
                ..
            } => (*node, *height, *app_hash, *tables),
            Event::Installed {
                node,
                height,
                app_hash,
                tables,
            } => (*node, *height, *app_hash, tables.map(|tables| tables.1)),
            _ => continue,
        };
        let (first, other, expected) = *states.entry(height).or_insert((seen, node, app_hash));
        if first != seen {
            tally.test("CONS-01", app_hash == expected, || {
                let sentence =
                    format!("{node} and {other} hold different states at height {height}");
                (sentence, vec![first, seen])
            });
        }
        let Some(tables) = tables else { continue };
        let (first, other, expected) = *digests.entry(height).or_insert((seen, node, tables));
        if first != seen {
            tally.test("CONS-01", tables == expected, || {
                let sentence =
                    format!("{node} and {other} hold different tables at height {height}");
                (sentence, vec![first, seen])
            });
        }
    }
    let mut answers = BTreeMap::new();
    for view in &chronicle.views {
        let question = (view.height, view.caller, format!("{:?}", view.query));
        let (node, result, first) =
            *answers
                .entry(question)
                .or_insert((view.node, view.result, view.seen));
        if node != view.node {
            tally.test("READ-03", result == view.result, || {
                let sentence = format!(
                    "{node} and {} answer {} differently at height {}",
                    view.node,
                    view.query.name(),
                    view.height
                );
                (sentence, vec![first, view.seen])
            });
        }
    }
    tally.verdict("fewer than two nodes were at one height")
}

pub(super) const ANSWERS_FOLLOW_THE_LEDGER: Invariant = Invariant {
    name: "answers-follow-the-ledger",
    claim: "what a node answers and says its blocks came to is what the ledger makes of what had committed",
    source: "S2; doc:decentralized-storage; idos-facts 6.2",
    requirements: &["CONS-01", "READ-03"],
    check: answers_follow_the_ledger,
};

/// The observer's own ledger stands for a node at the same height that nobody could have tampered with.
fn answers_follow_the_ledger(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut contradicted: BTreeMap<(NodeId, RequirementId), u64> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        if let Event::Contradicted {
            node,
            of,
            height,
            what,
            expected,
            got,
        } = &observation.event
        {
            let (requirement, said) = match of {
                Contradiction::View | Contradiction::Reply => ("READ-03", "answers"),
                Contradiction::Result => ("CONS-01", "makes of"),
                // Not what is answered, but how old it is: that is for `answers-are-fresh`.
                Contradiction::Height => continue,
            };
            *contradicted.entry((*node, requirement)).or_default() += 1;
            let sentence = format!(
                "{node} {said} {what} at height {height} with {got}, where the ledger has {expected}"
            );
            let block = chronicle.blocks.get(height).map(|block| block.0);
            let evidence = block.into_iter().chain([seen]).collect();
            tally.broken(requirement, sentence, evidence);
        }
    }
    for (_, observation) in chronicle.observations() {
        if let Event::Compared {
            node,
            answers,
            results,
        } = &observation.event
        {
            for (requirement, compared) in [("READ-03", *answers), ("CONS-01", *results)] {
                let counted = contradicted.remove(&(*node, requirement)).unwrap_or(0);
                tally.kept_times(requirement, compared.saturating_sub(counted));
            }
        }
    }
    tally.verdict("nothing was compared with a ledger of the observer's own")
}

pub(super) const QUORUMS_ARE_REAL: Invariant = Invariant {
    name: "quorums-are-real",
    claim: "a block is final only with the votes of more than half of distinct validators",
    source: "idos-facts 6.1",
    requirements: &["CONS-02"],
    check: quorums_are_real,
};

fn quorums_are_real(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        if let Event::Committed {
            node, committed, ..
        } = &observation.event
        {
            // Worked out here and not asked of the nodes, who may have it wrong.
            let cast = &chronicle.history.cast;
            let council = chronicle.council.at(committed.block.height);
            let validators = council.map_or(usize::from(cast.nodes), BTreeMap::len);
            let needed = validators / 2 + 1;
            // A stranger's vote, or one for another block or state, stands behind nothing.
            let is_validator = |node: NodeId| match (council, cast.keys.get(node.index())) {
                (Some(council), Some(key)) => council.contains_key(key),
                (Some(_), None) => false,
                (None, _) => node.index() < usize::from(cast.nodes),
            };
            let voters: BTreeSet<NodeId> = committed
                .votes
                .iter()
                .filter(|vote| vote.block == committed.block.id)
                .filter(|vote| vote.app_hash == committed.app_hash)
                .filter(|vote| is_validator(vote.validator))
                .map(|vote| vote.validator)
                .collect();
            tally.test("CONS-02", voters.len() >= needed, || {
                let sentence = format!(
                    "{node} committed block {} with the votes of {} validators; {needed} are needed",
                    committed.block.height,
                    voters.len()
                );
                (sentence, vec![seen])
            });
        }
    }
    tally.verdict("no block was committed")
}

pub(super) const BLOCK_TIME_IS_SOUND: Invariant = Invariant {
    name: "block-time-is-sound",
    claim: "block time never decreases, and a block is proposed with a time near the true one",
    source: "idos-facts 8.9, derived from timelocks",
    requirements: &["TIME-01"],
    check: block_time_is_sound,
};

fn block_time_is_sound(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let mut proposed: BTreeMap<(NodeId, Height, WallMillis), u64> = BTreeMap::new();
    let mut last: Option<(Height, WallMillis, usize)> = None;
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Proposed {
                node, height, time, ..
            } => {
                let true_time = WallMillis(cast.epoch.0 + observation.at.0);
                // A leader that comes back proposes the same block again, which is as old by then as it is.
                let strayed = proposed.entry((*node, *height, *time));
                strayed.or_insert_with(|| time.distance(true_time));
            }
            Event::Committed { committed, .. } => {
                let block = &committed.block;
                let first = chronicle.blocks.get(&block.height).map(|block| block.0);
                if first != Some(seen) {
                    continue;
                }
                if let Some((height, time, before)) = last
                    && height.next() == block.height
                {
                    tally.test("TIME-01", time <= block.time, || {
                        let sentence = format!(
                            "block {} has an earlier time than block {height}",
                            block.height
                        );
                        (sentence, vec![before, seen])
                    });
                }
                last = Some((block.height, block.time, seen));
                let strayed = proposed.get(&(block.proposer, block.height, block.time));
                let strayed = strayed.copied().or_else(|| from_outside(chronicle, block));
                if let Some(strayed) = strayed {
                    tally.test("TIME-01", strayed <= cast.drift + DELAY, || {
                        let sentence = format!(
                            "block {} was {} s away from the true time when {} proposed it",
                            block.height,
                            strayed / 1000,
                            block.proposer
                        );
                        (sentence, vec![seen])
                    });
                }
            }
            _ => {}
        }
    }
    tally.verdict("no block was proposed")
}

/// How far a block's time is at least from the true time it was proposed at, where nobody saw that: after
/// the block before was there, and before this one was. Nothing for blocks from before the story.
fn from_outside(chronicle: &Chronicle<'_>, block: &Block) -> Option<u64> {
    let epoch = chronicle.history.cast.epoch.0;
    let true_time = |height: Height| {
        let (seen, ..) = chronicle.blocks.get(&height)?;
        Some(epoch + chronicle.history.observations()[*seen].at.0)
    };
    let latest = true_time(block.height)?;
    let earliest = true_time(Height(block.height.0.checked_sub(1)?))?;
    let late = block.time.0.saturating_sub(latest);
    let early = earliest.saturating_sub(block.time.0);
    (latest > epoch).then_some(late.max(early))
}

pub(super) const DIVERGED_NODES_STOP: Invariant = Invariant {
    name: "diverged-nodes-stop",
    claim: "a node that has halted commits, votes and answers no more",
    source: "idos-facts 6.1",
    requirements: &["CONS-03"],
    check: diverged_nodes_stop,
};

fn diverged_nodes_stop(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut halted: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut asked: BTreeMap<_, usize> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Halted { node, .. } => {
                halted.insert(*node, seen);
            }
            Event::Started { node, .. } => {
                halted.remove(node);
            }
            Event::Committed { node, .. } => {
                if let Some(since) = halted.get(node) {
                    let sentence = format!("{node} committed a block after it had halted");
                    tally.broken("CONS-03", sentence, vec![*since, seen]);
                }
            }
            Event::Asked { id, .. } => {
                asked.insert(*id, seen);
            }
            Event::Answered {
                id, node, reply, ..
            } => {
                let since = halted.get(node).copied();
                let question = asked.get(id).copied();
                if let (Some(since), Some(question)) = (since, question)
                    && question > since
                {
                    tally.test("CONS-03", *reply == Reply::Halted, || {
                        let sentence = format!("{node} answered a client after it had halted");
                        (sentence, vec![since, question, seen])
                    });
                }
            }
            _ => {}
        }
    }
    tally.verdict("no node halted and was asked afterwards")
}

pub(super) const RETURNING_NODES_CATCH_UP: Invariant = Invariant {
    name: "returning-nodes-catch-up",
    claim: "a node that missed blocks ends at the same height and state as the others",
    source: "idos-facts 6.3",
    requirements: &["AVAIL-04"],
    check: returning_nodes_catch_up,
};

fn returning_nodes_catch_up(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut returned: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut tips: BTreeMap<NodeId, (Height, AppHash, usize)> = BTreeMap::new();
    let mut agreed: BTreeMap<Height, AppHash> = BTreeMap::new();
    let mut ended = false;
    for (seen, observation) in chronicle.observations() {
        if let Event::Committed { committed, .. } = &observation.event {
            let height = committed.block.height;
            agreed.entry(height).or_insert(committed.app_hash);
        }
        match &observation.event {
            Event::Started { node, again: true } => {
                returned.insert(*node, seen);
            }
            Event::Installed { node, .. } => {
                returned.entry(*node).or_insert(seen);
            }
            Event::Committed {
                node,
                replayed: true,
                committed,
                ..
            } if committed.block.height > Height(1) => {
                returned.entry(*node).or_insert(seen);
            }
            // A run whose time was up had its time, which one that was cut short had not.
            Event::Settled | Event::Unsettled { .. } => ended = true,
            Event::Inspected {
                node,
                height,
                app_hash,
                ..
            } => {
                tips.insert(*node, (*height, *app_hash, seen));
            }
            _ => {}
        }
    }
    let tallest = tips.values().max_by_key(|(height, ..)| *height).copied();
    if let Some((height, own, _)) = tallest.filter(|_| ended) {
        // The tallest node may itself have come back, and with a state that nobody voted for.
        let app_hash = agreed.get(&height).copied().unwrap_or(own);
        for (node, since) in returned {
            let tip = tips.get(&node);
            let equal = tip.is_some_and(|tip| (tip.0, tip.1) == (height, app_hash));
            tally.test("AVAIL-04", equal, || {
                let sentence =
                    format!("{node} came back and did not reach the state of height {height}");
                (
                    sentence,
                    tip.map(|tip| tip.2).into_iter().chain([since]).collect(),
                )
            });
        }
    }
    tally.verdict("no node came back, or the run was cut short")
}

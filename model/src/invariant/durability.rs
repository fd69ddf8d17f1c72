//! What was acknowledged stays, happens once, and arrives.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::catalogue::RequirementId;
use crate::history::{Asked, Contradiction, Event};
use crate::id::{Height, NodeId};
use crate::ledger::Outcome;
use crate::node::{Reply, TxResult, TxStatus};

/// Whether the lead changed hands; then what holds stands for AVAIL-02 as well.
fn requirements(chronicle: &Chronicle<'_>) -> &'static [RequirementId] {
    let replaced = chronicle
        .observations()
        .any(|(_, o)| matches!(o.event, Event::Appointed { .. }));
    if replaced {
        &["AVAIL-01", "AVAIL-02"]
    } else {
        &["AVAIL-01"]
    }
}

pub(super) const ACKNOWLEDGED_IS_NEVER_LOST: Invariant = Invariant {
    name: "acknowledged-is-never-lost",
    claim: "a transaction a node reported as included is in that block on every node, with that outcome",
    source: "S2, S3; kwil documentation",
    requirements: &["AVAIL-01", "AVAIL-02"],
    check: acknowledged_is_never_lost,
};

fn acknowledged_is_never_lost(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let requirements = requirements(chronicle);
    let mut sent = BTreeMap::new();
    let mut tips: BTreeMap<NodeId, (Height, usize)> = BTreeMap::new();
    let mut acknowledged = Vec::new();
    let mut settled = false;
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Asked {
                id,
                what: Asked::Broadcast(transaction),
                ..
            } => {
                sent.insert(*id, transaction.id);
            }
            Event::Answered {
                id, node, reply, ..
            } => {
                if let Reply::Included { height, outcome }
                | Reply::TxStatus(TxStatus::Included { height, outcome }) = reply
                    && let Some(transaction) = sent.get(id)
                {
                    acknowledged.push((seen, *node, *transaction, *height, *outcome));
                }
            }
            Event::Settled => settled = true,
            Event::Inspected { node, height, .. } => {
                tips.insert(*node, (*height, seen));
            }
            _ => {}
        }
    }
    for (seen, node, transaction, height, outcome) in acknowledged {
        // A block before may hold it too, where it was out of turn and did nothing.
        let places = chronicle.placed.get(&transaction).into_iter().flatten();
        let place = places.max_by_key(|place| (place.0 == height, place.1 == outcome));
        let kept = place.is_some_and(|place| (place.0, place.1) == (height, outcome));
        // A run that was cut short may have left nodes behind.
        let mut looked_into = tips
            .iter()
            .filter(|(_, (_, inspected))| settled && *inspected > seen);
        let short = looked_into.find(|(_, (tip, _))| *tip < height);
        for requirement in requirements {
            tally.test(requirement, kept, || {
                let sentence = format!(
                    "{node} reported transaction {} as included at height {height}, where it is not",
                    transaction.short()
                );
                (sentence, place.map(|place| place.2).into_iter().chain([seen]).collect())
            });
            tally.test(requirement, short.is_none(), || {
                let (other, (tip, inspected)) = short.expect("a node is too short");
                let sentence = format!(
                    "{other} ended at height {tip} and lacks what {node} acknowledged at {height}"
                );
                (sentence, vec![seen, *inspected])
            });
        }
    }
    tally.verdict("no node acknowledged a transaction")
}

pub(super) const SHOWN_IS_ON_DISK: Invariant = Invariant {
    name: "shown-is-on-disk",
    claim: "a block a node has shown is on its disk when its process ends, however that comes about",
    source: "S2, S3; kwil documentation",
    requirements: &["AVAIL-01"],
    check: shown_is_on_disk,
};

/// A node that is started again learns from the others what it has lost, so only a look while it is down
/// tells.
fn shown_is_on_disk(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut shown: BTreeMap<NodeId, (Height, usize)> = BTreeMap::new();
    let mut down: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Started { node, .. } => {
                down.remove(node);
                shown.remove(node);
            }
            Event::Committed {
                node, committed, ..
            } => {
                shown.insert(*node, (committed.block.height, seen));
            }
            Event::Crashed { node, .. } | Event::Stopped { node } => {
                down.insert(*node, seen);
            }
            Event::Inspected { node, height, .. } => {
                let (Some(ended), Some((tip, told))) = (down.get(node), shown.get(node)) else {
                    continue;
                };
                tally.test("AVAIL-01", height >= tip, || {
                    let sentence = format!(
                        "{node} had shown block {tip}, and only block {height} was on its disk when it ended"
                    );
                    (sentence, vec![*told, *ended, seen])
                });
            }
            _ => {}
        }
    }
    tally.verdict("no disk was looked into while its node was down")
}

pub(super) const EFFECT_AT_MOST_ONCE: Invariant = Invariant {
    name: "effect-at-most-once",
    claim: "a transaction takes effect at most once, however often it is sent",
    source: "kwil documentation; idos-facts 3.0",
    requirements: &["CONS-04"],
    check: effect_at_most_once,
};

fn effect_at_most_once(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut nonces = BTreeMap::new();
    for deed in chronicle
        .deeds
        .iter()
        .filter(|deed| deed.outcome != Outcome::Invalid)
    {
        let key = (deed.caller, deed.transaction.nonce);
        let before = nonces.insert(key, (deed.transaction.id, deed.order, deed.seen));
        let same_batch = before.is_some_and(|(id, order, _)| {
            id == deed.transaction.id && order + 1 == deed.order && deed.call > 0
        });
        tally.test("CONS-04", before.is_none() || same_batch, || {
            let who = chronicle.name_of(&deed.caller);
            let sentence = format!(
                "nonce {} of {who} took effect twice",
                deed.transaction.nonce
            );
            (
                sentence,
                before
                    .map(|before| before.2)
                    .into_iter()
                    .chain([deed.seen])
                    .collect(),
            )
        });
    }
    tally.verdict("no transaction was included")
}

pub(super) const REFUSED_CHANGES_NOTHING: Invariant = Invariant {
    name: "refused-changes-nothing",
    claim: "a refused action leaves every table as it was",
    source: "idos-facts 3.0",
    requirements: &["CONS-04"],
    check: refused_changes_nothing,
};

fn refused_changes_nothing(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        let Event::Committed {
            node,
            committed,
            results,
            tables,
            ..
        } = &observation.event
        else {
            continue;
        };
        let Some((mut before, _)) = *tables else {
            answers_tell(
                &mut tally,
                chronicle,
                (seen, *node),
                committed.block.height,
                results,
            );
            continue;
        };
        for result in results.iter() {
            if result.outcome != Outcome::Accepted {
                tally.test("CONS-04", result.tables == before, || {
                    let sentence = format!(
                        "on {node} a refused transaction in block {} changed the tables",
                        committed.block.height
                    );
                    (sentence, vec![seen])
                });
            }
            before = result.tables;
        }
    }
    tally.verdict("nothing was refused where tables or answers could be seen")
}

/// Where nobody sees the tables, an effect shows in answers: they go against the ledger from then on.
fn answers_tell(
    tally: &mut Tally,
    chronicle: &Chronicle<'_>,
    (seen, at): (usize, NodeId),
    since: Height,
    results: &[TxResult],
) {
    let compared = chronicle
        .observations()
        .any(|(_, o)| matches!(o.event, Event::Compared { node, answers: 1.., .. } if node == at));
    let refused = |result: &TxResult| matches!(result.outcome, Outcome::Refused(_));
    if !compared || !results.iter().any(refused) {
        return;
    }
    let wrong = chronicle.observations().find(|(_, o)| {
        matches!(&o.event, Event::Contradicted { node, of: Contradiction::View, height, .. }
            if *node == at && *height >= since)
    });
    tally.test("CONS-04", wrong.is_none(), || {
        let sentence =
            format!("{at} refused a transaction in block {since} and answers otherwise since");
        (
            sentence,
            std::iter::once(seen)
                .chain(wrong.map(|wrong| wrong.0))
                .collect(),
        )
    });
}

pub(super) const OWED_ARRIVES: Invariant = Invariant {
    name: "owed-arrives",
    claim: "once all trouble is over, every answer arrives and every node agrees within bounded time",
    source: "S2, S3",
    requirements: &["AVAIL-01", "AVAIL-02"],
    check: owed_arrives,
};

fn owed_arrives(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut healed = None;
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Healed => healed = Some(seen),
            Event::Settled => {
                for requirement in requirements(chronicle) {
                    tally.kept(requirement);
                }
            }
            Event::Unsettled { owed } => {
                for requirement in requirements(chronicle) {
                    let sentence = format!("time is up, but {}", owed.join("; "));
                    tally.broken(
                        requirement,
                        sentence,
                        healed.into_iter().chain([seen]).collect(),
                    );
                }
            }
            _ => {}
        }
    }
    tally.verdict("the run ended before its trouble did")
}

pub(super) const WRITES_OUTLIVE_A_MINORITY: Invariant = Invariant {
    name: "writes-outlive-a-minority",
    claim: "while fewer than half of the validators are down and nothing else is wrong, writes come into blocks",
    source: "S3, S2; idos-facts 6.1",
    requirements: &["AVAIL-01"],
    check: writes_outlive_a_minority,
};

fn writes_outlive_a_minority(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let validators = usize::from(cast.nodes) - cast.sentries.len();
    let (mut leader, mut faults, mut calm_since) = (None, 0_usize, 0);
    let mut down: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut asked = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Asked {
                id,
                what: Asked::Broadcast(_),
                ..
            } => {
                asked.insert(*id, seen);
                continue;
            }
            Event::Answered {
                id, node, reply, ..
            } => {
                let Some(question) = asked.remove(id) else {
                    continue;
                };
                let gone = down
                    .keys()
                    .filter(|node| !cast.sentries.contains(node))
                    .count();
                let led = leader.is_some_and(|leader| !down.contains_key(&leader));
                // Every fault there is has taken a node down, and nothing has changed since the question.
                let nothing_else = faults == down.len() && calm_since < question;
                let promised = gone > 0 && 2 * gone < validators && led && nothing_else;
                if !promised || !chronicle.council.seats.is_empty() {
                    continue;
                }
                match reply {
                    Reply::Included { .. } => tally.kept("AVAIL-01"),
                    Reply::TimedOut => {
                        let sentence = format!(
                            "a write waited at {node} in vain, with {gone} of {validators} validators down"
                        );
                        let evidence = down.values().copied().chain([question, seen]).collect();
                        tally.broken("AVAIL-01", sentence, evidence);
                    }
                    _ => {}
                }
                continue;
            }
            Event::Leads { node, .. } | Event::Appointed { leader: node, .. } => {
                leader = Some(*node);
            }
            Event::Crashed { node, .. } | Event::Stopped { node, .. } => {
                down.insert(*node, seen);
            }
            Event::Started { node, .. } => {
                down.remove(node);
            }
            Event::FaultBegan { .. } => faults += 1,
            Event::FaultEnded { .. } => faults = faults.saturating_sub(1),
            Event::Halted { .. } => {}
            _ => continue,
        }
        calm_since = seen;
    }
    tally.verdict("nobody wrote while a minority, and nothing else, was down")
}

pub(super) const READS_OUTLIVE_THE_LEADER: Invariant = Invariant {
    name: "reads-outlive-the-leader",
    claim: "while the leader is down, other nodes answer reads",
    source: "S3; idos-facts 6.4",
    requirements: &["AVAIL-02"],
    check: reads_outlive_the_leader,
};

fn reads_outlive_the_leader(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut leader = None;
    let mut down = None;
    let mut halted = BTreeSet::new();
    let mut reads = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Leads { node, .. } => {
                leader = Some(*node);
                down = down.filter(|(down, _)| down != node);
            }
            Event::Crashed { node, .. } if Some(*node) == leader => down = Some((*node, seen)),
            Event::Appointed { .. } => down = None,
            Event::Halted { node, .. } => {
                halted.insert(*node);
            }
            Event::Started { node, .. } => {
                halted.remove(node);
            }
            Event::Asked {
                id,
                what: Asked::View { .. },
                ..
            } => {
                reads.insert(*id, seen);
            }
            // Silence may be the network's doing, so only an answer tells.
            Event::Answered {
                id, node, reply, ..
            } => {
                let (Some((leader, since)), Some(asked)) = (down, reads.remove(id)) else {
                    continue;
                };
                // A node that hears from nobody cannot know that only the leader is missing.
                let silent = matches!(reply, Reply::ClaimRefused(_) | Reply::Behind);
                let own_reason = halted.contains(node) || silent;
                if leader == *node || own_reason {
                    continue;
                }
                let answered = matches!(reply, Reply::View { .. });
                tally.test("AVAIL-02", answered, || {
                    let sentence = format!(
                        "{node} was asked to read and did not, while leader {leader} was down"
                    );
                    (sentence, vec![since, asked, seen])
                });
            }
            _ => {}
        }
    }
    tally.verdict("nobody read while the leader was down")
}

//! What was deleted is gone: on every node, also on those that learn of it late.

use std::collections::{BTreeMap, BTreeSet};

use super::access::ended;
use super::chronicle::{Chronicle, CredentialFact, End, How, Life};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::catalogue::RequirementId;
use crate::history::{Event, Level};
use crate::id::{AppHash, CredentialId, GrantId, Height, NodeId, UserId};

/// What one look into a node's tables showed.
struct Inspection<'a> {
    seen: usize,
    node: NodeId,
    height: Height,
    credentials: &'a [CredentialId],
    grants: &'a [GrantId],
    users: &'a [UserId],
}

fn inspections<'a>(chronicle: &Chronicle<'a>) -> impl Iterator<Item = Inspection<'a>> {
    chronicle
        .observations()
        .filter_map(|(seen, observation)| match &observation.event {
            Event::Inspected {
                node,
                height,
                credentials,
                grants,
                users,
                ..
            } => Some(Inspection {
                seen,
                node: *node,
                height: *height,
                credentials,
                grants,
                users,
            }),
            _ => None,
        })
}

/// Credentials that had ended for good by a height, with their end.
fn gone<'c, 'a>(
    chronicle: &'c Chronicle<'a>,
    height: Height,
) -> impl Iterator<Item = (CredentialId, &'c CredentialFact<'a>, End)> {
    chronicle.all_credentials().filter_map(move |(id, fact)| {
        let end = fact.end.filter(|end| end.height <= height)?;
        chronicle
            .credential_at(id, height)
            .is_none()
            .then_some((id, fact, end))
    })
}

pub(super) const DELETIONS_CONVERGE: Invariant = Invariant {
    name: "deletions-converge",
    claim: "after a deletion commits, every node that has the block lacks the row and its grants, also a \
            node that was away when it happened",
    source: "S0 (proof of state), S2; doc:the-right-to-be-forgotten",
    requirements: &["DEL-01", "DEL-02", "DEL-08"],
    check: deletions_converge,
};

fn deletions_converge(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let late: BTreeSet<(NodeId, Height)> = chronicle
        .observations()
        .filter_map(|(_, observation)| match &observation.event {
            Event::Committed {
                node,
                committed,
                replayed: true,
                ..
            } => Some((*node, committed.block.height)),
            _ => None,
        })
        .collect();
    for inspection in inspections(chronicle) {
        for (id, fact, end) in gone(chronicle, inspection.height) {
            if end.how != How::Removed && end.how != How::Rescinded {
                continue;
            }
            let returned = late.contains(&(inspection.node, end.height));
            let requirements: &[RequirementId] = if returned {
                &["DEL-01", "DEL-02", "DEL-08"]
            } else {
                &["DEL-01", "DEL-02"]
            };
            for requirement in requirements {
                tally.test(requirement, !inspection.credentials.contains(&id), || {
                    let sentence = format!(
                        "{} still holds credential {id} at height {}, which {}",
                        inspection.node,
                        inspection.height,
                        ended(end.how)
                    );
                    (sentence, vec![fact.born.seen, end.seen, inspection.seen])
                });
            }
        }
        for (id, grant) in chronicle.all_grants() {
            let Some(end) = grant.end.filter(|end| end.height <= inspection.height) else {
                continue;
            };
            // What goes with an original is DEL-04, and the copy there says it; what ends or is removed because
            // time passes is for other promises to say.
            if matches!(end.how, How::WithOriginal | How::Ended | How::Due) {
                continue;
            }
            let again = chronicle.grants[&id]
                .iter()
                .any(|g| g.lives_at(inspection.height));
            tally.test("DEL-02", again || !inspection.grants.contains(&id), || {
                let sentence = format!(
                    "{} still holds the grant of {} on {} at height {}, which {}",
                    inspection.node,
                    grant.grantee,
                    grant.data,
                    inspection.height,
                    ended(end.how)
                );
                (sentence, vec![grant.born.seen, end.seen, inspection.seen])
            });
        }
    }
    tally.verdict("nothing was deleted, or no node was inspected")
}

pub(super) const REMOVALS_REACH_COPIES: Invariant = Invariant {
    name: "removals-reach-copies",
    claim: "a removed original takes its unlocked copies along, and a copy goes with its last grant",
    source: "doc:the-right-to-be-forgotten",
    requirements: &["DEL-04", "GRANT-14"],
    check: removals_reach_copies,
};

fn removals_reach_copies(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for inspection in inspections(chronicle) {
        for (id, fact, end) in gone(chronicle, inspection.height) {
            let requirement = match end.how {
                How::WithOriginal => "DEL-04",
                How::WithLastGrant => "GRANT-14",
                _ => continue,
            };
            tally.test(requirement, !inspection.credentials.contains(&id), || {
                let sentence = format!(
                    "{} still holds copy {id} at height {}, which {}",
                    inspection.node,
                    inspection.height,
                    ended(end.how)
                );
                (sentence, vec![fact.born.seen, end.seen, inspection.seen])
            });
        }
        for (id, fact) in chronicle.all_credentials() {
            let Some(original) = fact.original else {
                continue;
            };
            let removed = chronicle
                .credential_at(original, inspection.height)
                .is_none();
            if removed && fact.lives_at(inspection.height) {
                tally.test("DEL-04", inspection.credentials.contains(&id), || {
                    let sentence = format!(
                        "{} lacks copy {id}, whose lock was running when its original went",
                        inspection.node
                    );
                    (sentence, vec![fact.born.seen, inspection.seen])
                });
            }
        }
    }
    tally.verdict("no original with copies was removed, and no last grant ended")
}

pub(super) const ERASURE_IS_WHOLE: Invariant = Invariant {
    name: "erasure-is-whole",
    claim: "an erased profile leaves no user, credential or grant behind on any node",
    source: "doc:the-right-to-be-forgotten, doc:faqs-users",
    requirements: &["USR-04"],
    check: erasure_is_whole,
};

fn erasure_is_whole(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for inspection in inspections(chronicle) {
        let erased = chronicle
            .users
            .iter()
            .filter(|(_, (_, until))| until.is_some_and(|until| until <= inspection.height));
        for (user, _) in erased {
            let row = inspection.users.contains(user);
            let credentials = gone(chronicle, inspection.height)
                .filter(|(_, fact, end)| fact.owner == *user && end.how == How::Erased)
                .filter(|(id, _, _)| inspection.credentials.contains(id))
                .map(|(_, _, end)| end.seen);
            let grants = chronicle
                .all_grants()
                .filter(|(id, grant)| grant.owner == *user && inspection.grants.contains(id))
                .filter_map(|(_, grant)| grant.end.filter(|end| end.how == How::Erased))
                .map(|end| end.seen);
            let left: Vec<usize> = credentials.chain(grants).collect();
            tally.test("USR-04", !row && left.is_empty(), || {
                let who = chronicle.name_of_user(*user);
                let sentence = format!(
                    "{} still holds something of {who}, who erased all",
                    inspection.node
                );
                (
                    sentence,
                    left.into_iter().chain([inspection.seen]).collect(),
                )
            });
        }
    }
    tally.verdict("nobody erased a profile")
}

pub(super) const DELETED_CONTENT_IS_GONE_AT_REST: Invariant = Invariant {
    name: "deleted-content-is-gone-at-rest",
    claim: "no node holds the ciphertext of a deleted credential, neither in its tables nor, two snapshots \
            later, in what it keeps of the past",
    source: "S0, doc:system-design (\"truly and verifiably\"); idos-facts 6.5, 8.6",
    requirements: &["DEL-01", "DEL-06"],
    check: deleted_content_is_gone_at_rest,
};

fn deleted_content_is_gone_at_rest(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    // How far each node had come when it was searched.
    let mut reached: BTreeMap<NodeId, Height> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        let (node, credential, level) = match &observation.event {
            Event::Remained {
                node,
                credential,
                level,
            } => (node, credential, level),
            Event::Inspected { node, height, .. } | Event::Installed { node, height, .. } => {
                reached.insert(*node, *height);
                continue;
            }
            Event::Committed {
                node, committed, ..
            } => {
                reached.insert(*node, committed.block.height);
                continue;
            }
            _ => continue,
        };
        let lives = chronicle.credentials.get(credential);
        let end = lives.and_then(|lives| lives.last()?.end);
        let finding = || {
            let place = match level {
                Level::Readable => "still shows",
                Level::Tables => "still has in its tables",
                Level::History => "still has in its blocks or logs",
                Level::Gone => "has nothing of",
            };
            let sentence = format!("{node} {place} the content of credential {credential}");
            let evidence = end.map(|end| end.seen).into_iter().chain([seen]);
            (sentence, evidence.collect())
        };
        tally.test("DEL-01", *level > Level::Tables, finding);
        // What was never deleted was overwritten; when, only the blocks between say.
        let since = end.map(|end| end.height);
        let height = reached.get(node).copied().unwrap_or_default();
        let due = since.is_some_and(|since| since.0 + 2 * cast.history <= height.0);
        // Nobody promised to forget young blocks, or any where a network says so: they prove nothing.
        if *level != Level::History || due && !cast.keeps_history {
            tally.test("DEL-06", *level == Level::Gone, finding);
        }
    }
    tally.verdict("no node was searched for what was deleted")
}

pub(super) const HISTORY_IS_BOUNDED: Invariant = Invariant {
    name: "history-is-bounded",
    claim: "a node keeps no block older than two snapshots, and one that came back by a snapshot holds the \
            state of the others",
    source: "doc:decentralized-storage/README; idos-facts 0.1 X17",
    requirements: &["DEL-07"],
    check: history_is_bounded,
};

fn history_is_bounded(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let mut agreed: BTreeMap<Height, AppHash> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Committed { committed, .. } => {
                agreed
                    .entry(committed.block.height)
                    .or_insert(committed.app_hash);
            }
            // The right state shows nothing yet of what the node keeps; another is nobody's.
            Event::Installed {
                node,
                height,
                app_hash,
                ..
            } if agreed.get(height).is_some_and(|voted| voted != app_hash) => {
                let sentence =
                    format!("{node} took a snapshot of height {height} nobody voted for");
                tally.broken("DEL-07", sentence, vec![seen]);
            }
            Event::Inspected {
                node,
                height,
                oldest: Some(oldest),
                ..
            } if height.0 > 2 * cast.history && !cast.keeps_history => {
                tally.test("DEL-07", oldest.0 + 2 * cast.history > height.0, || {
                    let sentence = format!("{node} still has block {oldest} at height {height}");
                    (sentence, vec![seen])
                });
            }
            _ => {}
        }
    }
    tally.verdict("no node had more blocks than it has to keep")
}

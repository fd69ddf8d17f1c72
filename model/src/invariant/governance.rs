//! Who makes the rules: validators come and go by approval, changes are public, and locks outlive them.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::{Chronicle, Deed, Life, is_whole};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::crypto::Identity;
use crate::history::Event;
use crate::id::{Height, InserterId, Text};
use crate::ledger::{Action, Answer, Outcome, Query, Refusal, Transaction};
use crate::wire::EnginePayload;

pub(super) const VALIDATORS_CHANGE_BY_APPROVAL: Invariant = Invariant {
    name: "validators-change-by-approval",
    claim: "who votes is who was approved of, from the block after the decision on and not before",
    source: "idos-facts 6.1; kwil documentation",
    requirements: &["GOV-02"],
    check: validators_change_by_approval,
};

fn validators_change_by_approval(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let mut judged = BTreeSet::new();
    for (seen, observation) in chronicle.observations() {
        let Event::Committed {
            node,
            committed,
            results,
            ..
        } = &observation.event
        else {
            continue;
        };
        let height = committed.block.height;
        let Some(council) = chronicle.council.at(height) else {
            continue;
        };
        // Where nobody ever comes or goes, every vote is a validator's and shows nothing.
        if !chronicle.council.seats.is_empty() || !cast.sentries.is_empty() {
            for vote in &committed.votes {
                let key = cast.keys.get(vote.validator.index());
                let Some(key) = key.filter(|key| council.contains_key(key)) else {
                    let sentence = format!(
                        "{node} counted a vote of {} for block {height}, who is no validator then",
                        vote.validator
                    );
                    tally.broken("GOV-02", sentence, vec![seen]);
                    continue;
                };
                // Only a vote of somebody who has come since shows that approval seats validators.
                let mut seats = chronicle.council.seats.iter();
                if seats.any(|seat| seat.who == *key && seat.power > 0 && seat.height < height) {
                    tally.kept("GOV-02");
                }
            }
        }
        if !judged.insert(height) {
            continue;
        }
        let mut council = council.clone();
        for (transaction, result) in committed.block.transactions.iter().zip(results.iter()) {
            if let Some(entitled) = entitled(transaction, &council)
                && result.outcome == Outcome::Accepted
            {
                tally.test("GOV-02", entitled, || {
                    let who = chronicle.name_of(&transaction.sender);
                    let what = transaction.payload.name();
                    let sentence = format!("{who} was let do `{what}` and may not");
                    (sentence, vec![seen])
                });
            }
            let leaves = transaction.payload.engine() == Some(&EnginePayload::ValidatorLeave);
            if leaves && result.outcome == Outcome::Accepted {
                council.remove(&transaction.sender);
            }
        }
    }
    tally.verdict("no validator came, went or was voted on")
}

/// Whether the sender may do what the transaction does, among these validators; nothing where anybody may.
fn entitled(transaction: &Transaction, council: &BTreeMap<Identity, u64>) -> Option<bool> {
    let sender = transaction.sender;
    let seated = council.contains_key(&sender);
    match transaction.payload.engine()? {
        EnginePayload::ValidatorJoin { .. } => Some(!seated),
        EnginePayload::ValidatorApprove { candidate } => {
            Some(seated && candidate.identity() != Some(sender))
        }
        EnginePayload::ValidatorRemove { validator } => {
            let target = validator.identity();
            Some(seated && target.is_some_and(|target| council.contains_key(&target)))
        }
        EnginePayload::ValidatorLeave
        | EnginePayload::ValidatorVoteIds(_)
        | EnginePayload::ValidatorVoteBodies(_)
        | EnginePayload::CreateResolution(_)
        | EnginePayload::ApproveResolution(_) => Some(seated),
        EnginePayload::RawStatement { .. }
        | EnginePayload::Transfer { .. }
        | EnginePayload::DeleteResolution(_) => None,
    }
}

/// A change of the rules, as the public log ought to have it.
type Line = (i64, Text, Text);

/// Every change of the rules, told from the chain.
fn changes(chronicle: &Chronicle<'_>) -> Vec<(usize, Line)> {
    let mut lines = Vec::new();
    let mut add = |seen: usize, height: Height, what: &str, subject: &str| {
        lines.push((seen, (height.0 as i64, what.into(), subject.into())));
    };
    let mut inserters: BTreeMap<InserterId, Text> = BTreeMap::new();
    let mut delegates: BTreeMap<Text, InserterId> = BTreeMap::new();
    for deed in chronicle.accepted() {
        let (seen, height) = (deed.seen, deed.height);
        match deed.action {
            Action::AddInserterAsOwner { id, name } => {
                inserters.insert(*id, name.clone());
                add(seen, height, "inserter-added", name);
            }
            Action::DeleteInserterAsOwner { id } => {
                if let Some(name) = inserters.remove(id) {
                    add(seen, height, "inserter-removed", &name);
                }
                let of_it = delegates.iter().filter(|(_, of)| *of == id);
                let gone: Vec<Text> = of_it.map(|(address, _)| address.clone()).collect();
                for address in gone {
                    delegates.remove(&address);
                    add(seen, height, "delegate-removed", &address);
                }
            }
            Action::AddDelegateAsOwner {
                address,
                inserter_id,
            } => {
                let address: Text = address.to_lowercase().into();
                add(seen, height, "delegate-added", &address);
                delegates.insert(address, *inserter_id);
            }
            Action::DeleteDelegateAsOwner { address } => {
                let address: Text = address.to_lowercase().into();
                if delegates.remove(&address).is_some() {
                    add(seen, height, "delegate-removed", &address);
                }
            }
            _ => {}
        }
    }
    for (seen, height, (what, subject)) in statements(chronicle) {
        add(seen, height, what, &subject);
    }
    for seat in &chronicle.council.seats {
        let subject = format!("{} {}", seat.who.caller(), seat.power);
        add(seat.seen, seat.height, "validator-changed", &subject);
    }
    for (seen, height, name) in &chronicle.council.parameters {
        add(*seen, *height, "parameter-changed", name);
    }
    lines
}

/// What a statement of the owner's changes, as the public log calls it; nothing for one that changes no rule.
fn change(statement: &str) -> Option<(&'static str, String)> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    if let [
        "CREATE",
        "OR",
        "REPLACE",
        "ACTION",
        action,
        "PUBLIC",
        "{",
        "--",
        said,
        "};",
    ] = words[..]
    {
        let (_, position) = said.split_once('=')?;
        let subject = format!("{action} {said}");
        return ["on", "off"]
            .contains(&position)
            .then_some(("action-replaced", subject));
    }
    let statement = words.join(" ");
    let owner = statement.strip_prefix("TRANSFER OWNERSHIP TO '")?;
    let owner = owner
        .strip_suffix(';')
        .unwrap_or(owner)
        .strip_suffix('\'')?;
    Some(("owner-changed", owner.to_owned()))
}

/// Statements of the owner that were accepted.
fn statements<'c>(
    chronicle: &'c Chronicle<'_>,
) -> impl Iterator<Item = (usize, Height, (&'static str, String))> + 'c {
    let mut first = BTreeSet::new();
    let committed = chronicle
        .observations()
        .filter_map(move |(seen, one)| match &one.event {
            Event::Committed {
                committed, results, ..
            } if first.insert(committed.block.height) => Some((seen, committed, results)),
            _ => None,
        });
    committed.flat_map(|(seen, committed, results)| {
        let height = committed.block.height;
        let transactions = committed.block.transactions.iter().zip(results.iter());
        transactions.filter_map(move |(transaction, result)| {
            let Some(EnginePayload::RawStatement { statement, .. }) = transaction.payload.engine()
            else {
                return None;
            };
            let change = change(statement)?;
            (result.outcome == Outcome::Accepted).then_some((seen, height, change))
        })
    })
}

pub(super) const CHANGES_ARE_PUBLIC: Invariant = Invariant {
    name: "changes-are-public",
    claim: "every node shows whoever asks each change of the rules with its height, and no other",
    source: "S0; S3 progressive decentralization",
    requirements: &["GOV-01"],
    check: changes_are_public,
};

fn changes_are_public(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let lines = changes(chronicle);
    // On a network that has seen other stories the log begins before what is known here.
    let first = chronicle
        .blocks
        .keys()
        .next()
        .map_or(0, |height| height.0 as i64);
    for view in &chronicle.views {
        let Query::GetGovernanceLog { page, size } = view.query else {
            continue;
        };
        let (node, height) = (view.node, view.height);
        let due = |(_, line): &&(usize, Line)| line.0 <= height.0 as i64;
        let due: Vec<&(usize, Line)> = lines.iter().filter(due).collect();
        let rows = match view.result {
            Ok(Answer::Changes(rows)) => rows,
            // A page that cannot be says nothing about changes.
            Err(Refusal::PageNotPositive | Refusal::SizeNotPositive) => continue,
            _ => {
                let evidence = due
                    .iter()
                    .map(|(seen, _)| *seen)
                    .chain([view.seen])
                    .collect();
                let sentence = format!("{node} shows nobody what has changed in the rules");
                tally.test("GOV-01", due.is_empty(), || (sentence, evidence));
                continue;
            }
        };
        // How often each change ought to stand there, less how often it does.
        let mut missing: BTreeMap<&Line, (i64, usize)> = BTreeMap::new();
        for (seen, line) in due {
            missing.entry(line).or_insert((0, *seen)).0 += 1;
        }
        for row in rows.iter().filter(|row| row.height >= first) {
            let line = (row.height, row.what.clone(), row.subject.clone());
            let real = missing.get_mut(&line).filter(|(left, _)| *left > 0);
            tally.test("GOV-01", real.is_some(), || {
                let sentence = format!(
                    "{node} shows a change that never was: {} {}",
                    line.1, line.2
                );
                (sentence, vec![view.seen])
            });
            if let Some((left, _)) = real {
                *left -= 1;
            }
        }
        if !is_whole(*page, *size, rows.len()) {
            continue;
        }
        for (line, (left, seen)) in missing {
            tally.test("GOV-01", left == 0, || {
                let sentence = format!("{node} does not show that {} {}", line.1, line.2);
                (sentence, vec![seen, view.seen])
            });
        }
    }
    tally.verdict("nobody asked what has changed in the rules")
}

pub(super) const LOCKS_OUTLIVE_CHANGES: Invariant = Invariant {
    name: "locks-outlive-changes",
    claim: "a grant that was locked when the rules changed stays until its lock ends",
    source: "idos-facts 8.10",
    requirements: &["GOV-01"],
    check: locks_outlive_changes,
};

fn locks_outlive_changes(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let changed: Vec<(usize, Height)> = statements(chronicle)
        .map(|(seen, height, _)| (seen, height))
        .collect();
    for (seen, height) in &changed {
        let time = chronicle.time_of(*height);
        for (id, grant) in chronicle.all_grants() {
            let locked = grant.locked_until >= time.0;
            if !grant.lives_at(*height) || grant.born().height >= *height || !locked {
                continue;
            }
            if let Some(end) = grant.end.filter(|end| end.time.0 <= grant.locked_until) {
                let sentence = format!(
                    "grant {id} was locked when the rules changed, and ended before its lock did"
                );
                let evidence = vec![grant.born.seen, *seen, end.seen];
                tally.broken("GOV-01", sentence, evidence);
            }
            // That it stands where nobody wants to end it shows nothing.
            let refused = chronicle.deeds.iter().filter(|deed| {
                let locked = matches!(deed.outcome, Outcome::Refused(Refusal::GrantLocked { .. }));
                let of_it =
                    matches!(deed.action, Action::RevokeAccessGrant { id: of } if *of == id);
                locked && of_it && deed.is_alone()
            });
            let after = |deed: &&Deed<'_>| deed.height > *height && grant.stood_before(deed);
            tally.kept_times("GOV-01", refused.filter(after).count() as u64);
        }
    }
    tally.verdict("no rule was changed while a lock ran")
}

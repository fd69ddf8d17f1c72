//! Grants and the papers they come from.

use std::collections::BTreeMap;

use super::chronicle::{Chronicle, How, Life, canonical};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::id::{CredentialId, GrantId, Text};
use crate::ledger::{Action, Answer, GrantInserter, Outcome, Refusal};

pub(super) const DAGS_WORK_ONCE: Invariant = Invariant {
    name: "dags-work-once",
    claim: "a dAG is the word of the data's owner, makes one grant ever, and is dead after its revocation",
    source: "schema:create_ag_by_dag_for_copy; doc:system-design (announced single use); S2",
    requirements: &["DAG-01", "DAG-02", "DAG-03", "DAG-04"],
    check: dags_work_once,
};

fn dags_work_once(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut used: BTreeMap<_, usize> = BTreeMap::new();
    for deed in &chronicle.deeds {
        let Action::CreateAgByDagForCopy {
            dag_owner_wallet_identifier: owner,
            dag_grantee_wallet_identifier: grantee,
            dag_data_id: data,
            ..
        } = deed.action
        else {
            continue;
        };
        let revoked = chronicle.all_grants().find_map(|(_, grant)| {
            let end = grant.end.filter(|end| end.how == How::Revoked)?;
            let same = paper(grant.born.action) == paper(deed.action);
            (same && end.order < deed.order).then_some(end)
        });
        if deed.outcome != Outcome::Accepted {
            if deed.outcome == Outcome::Refused(Refusal::DagUsed) {
                tally.kept("DAG-03");
                if revoked.is_some() {
                    tally.kept("DAG-04");
                }
            }
            continue;
        }
        let fact = chronicle.credential_before(*data, deed);
        let speaks = chronicle
            .all_grants()
            .find(|(_, grant)| grant.born.order == deed.order)
            .map(|(_, grant)| grant.owner);
        let own = fact.is_some_and(|fact| Some(fact.owner) == speaks);
        tally.test("DAG-01", own, || {
            let sentence =
                format!("a dAG of {owner} granted {data}, which is not that wallet's data");
            (sentence, vec![deed.seen])
        });
        let before = used.insert(paper(deed.action), deed.seen);
        tally.test("DAG-03", before.is_none(), || {
            let sentence = format!("one dAG granted {data} to {grantee} twice");
            (sentence, before.into_iter().chain([deed.seen]).collect())
        });
        if before.is_some() || revoked.is_some() {
            tally.test("DAG-04", revoked.is_none(), || {
                let end = revoked.expect("it was revoked");
                let sentence =
                    format!("a dAG granted {data} to {grantee} again after its revocation");
                (
                    sentence,
                    before.into_iter().chain([end.seen, deed.seen]).collect(),
                )
            });
        }
    }
    for view in &chronicle.views {
        let Ok(Answer::Grants(rows)) = view.result else {
            continue;
        };
        for row in rows
            .iter()
            .filter(|row| row.inserter_type == GrantInserter::DagMessage)
        {
            let born = chronicle
                .grants
                .get(&row.id)
                .and_then(|lives| lives.iter().find(|grant| grant.lives_at(view.height)));
            let Some(grant) = born else { continue };
            let inserter = grant.born.caller.caller();
            tally.test("DAG-02", *row.inserter_id == *inserter, || {
                let sentence = format!(
                    "grant {} names {} as its inserter, but {inserter} transmitted it",
                    row.id, row.inserter_id
                );
                (sentence, vec![grant.born.seen, view.seen])
            });
        }
    }
    tally.verdict("no dAG was accepted")
}

/// What a dAG says, apart from its signature, of which one paper may have several.
fn paper(dag: &Action) -> Option<(&Text, &Text, CredentialId, i64, Option<&Text>)> {
    match dag {
        Action::CreateAgByDagForCopy {
            dag_owner_wallet_identifier: owner,
            dag_grantee_wallet_identifier: grantee,
            dag_data_id: data,
            dag_locked_until: locked_until,
            dag_content_hash: hash,
            ..
        } => Some((owner, grantee, *data, *locked_until, hash.as_ref())),
        _ => None,
    }
}

pub(super) const GRANTS_ARE_WELL_FORMED: Invariant = Invariant {
    name: "grants-are-well-formed",
    claim: "a grant's id follows from its content, its grantee is canonical, and it is on a copy of its \
            owner's",
    source: "idos-facts 4.8; schema:create_access_grant",
    requirements: &["GRANT-03", "GRANT-04", "GRANT-15"],
    check: grants_are_well_formed,
};

fn grants_are_well_formed(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (id, grant) in chronicle.all_grants() {
        let fact = chronicle.credential_for(grant);
        let copy = fact.is_some_and(|fact| fact.original.is_some() && fact.owner == grant.owner);
        tally.test("GRANT-15", copy, || {
            let sentence = format!(
                "grant {id} is on {}, which is no copy of its owner's",
                grant.data
            );
            (sentence, vec![grant.born.seen])
        });
        let twin = chronicle.grants[&id]
            .iter()
            .find(|other| other.stood_before(&grant.born));
        tally.test("GRANT-03", twin.is_none(), || {
            let before = twin.map(|twin| twin.born.seen);
            let sentence = format!("grant {id} was created while it existed");
            (
                sentence,
                before.into_iter().chain([grant.born.seen]).collect(),
            )
        });
    }
    for view in &chronicle.views {
        let Ok(Answer::Grants(rows)) = view.result else {
            continue;
        };
        for row in rows {
            let expected = GrantId::derive(&row.grantee, row.data, row.locked_until);
            tally.test("GRANT-03", row.id == expected, || {
                let sentence = format!("grant {} should have the id {expected}", row.id);
                (sentence, vec![view.seen])
            });
            let canonical = canonical(&row.grantee).is_some_and(|form| form == row.grantee);
            tally.test("GRANT-04", canonical, || {
                let sentence = format!("grantee {:?} is not in its canonical form", row.grantee);
                (sentence, vec![view.seen])
            });
        }
    }
    tally.verdict("there was no grant")
}

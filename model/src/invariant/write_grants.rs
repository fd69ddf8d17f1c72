//! Writes under an owner's paper.

use std::collections::BTreeMap;

use super::chronicle::{Chronicle, Deed, Life, second_of};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::Event;
use crate::id::WriteGrantId;
use crate::ledger::{
    Action, Answer, DelegatedWriteGrant, GrantInserter, Outcome, Refusal, Written,
};

/// How long before its window a dWG may be used, in seconds. Source: idos-facts 9.1.
const EARLY: i64 = 65;

pub(super) const WRITE_GRANTS_WORK_ONCE: Invariant = Invariant {
    name: "write-grants-work-once",
    claim: "a dWG is used once, as it was signed, in its window, by the issuer it names",
    source: "schema:create_credentials_by_dwg; idos-facts 3.5",
    requirements: &["DWG-01", "DWG-02", "DWG-04", "DWG-05", "DWG-06"],
    check: write_grants_work_once,
};

fn write_grants_work_once(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut used: BTreeMap<WriteGrantId, &Deed<'_>> = BTreeMap::new();
    for deed in &chronicle.deeds {
        let Some((dwg, _)) = DelegatedWriteGrant::carried_by(deed.action) else {
            continue;
        };
        let before = used.get(&dwg.id).copied();
        match deed.outcome {
            Outcome::Accepted => {
                once(&dwg, deed, before, &mut tally);
                used.entry(dwg.id).or_insert(deed);
                as_signed(chronicle, &dwg, deed, &mut tally);
            }
            Outcome::Refused(why) => {
                if let Some(before) = before {
                    tally.kept("DWG-01");
                    if before.action != deed.action {
                        tally.kept("DWG-05");
                    }
                }
                if why == Refusal::DwgOutsideWindow && deed.is_alone() {
                    in_window(&dwg, deed, &mut tally);
                }
            }
            Outcome::Invalid => {}
        }
    }
    seen_by_grantees(chronicle, &mut tally);
    tally.verdict("nobody wrote under a dWG")
}

pub(super) const USED_PAPERS_NAME_NOBODY: Invariant = Invariant {
    name: "used-papers-name-nobody",
    claim: "once what was written under a dWG is gone, what nodes keep of the paper names nobody",
    source: "doc, GDPR; idos-facts 2.5, 8.6",
    requirements: &["DEL-09"],
    check: used_papers_name_nobody,
};

fn used_papers_name_nobody(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let used = chronicle.accepted().filter_map(|deed| {
        let (dwg, _) = DelegatedWriteGrant::carried_by(deed.action)?;
        let written = Written::delegated(deed.action)?.map(|written| written.id);
        Some((deed, dwg.id, written))
    });
    let used: Vec<(&Deed<'_>, WriteGrantId, _)> = used.collect();
    for (seen, observation) in chronicle.observations() {
        let Event::Inspected {
            node,
            height,
            named,
            ..
        } = &observation.event
        else {
            continue;
        };
        for (deed, id, written) in used.iter().filter(|(deed, ..)| deed.height <= *height) {
            let mut written = written.iter();
            if written.any(|id| chronicle.credential_at(*id, *height).is_some()) {
                continue;
            }
            tally.test("DEL-09", !named.contains(id), || {
                let sentence = format!(
                    "{node} still says who was party to dWG {id}, under which nothing is left"
                );
                (sentence, vec![deed.seen, seen])
            });
        }
    }
    tally.verdict("nothing that was written under a dWG is gone")
}

fn once(
    dwg: &DelegatedWriteGrant<'_>,
    deed: &Deed<'_>,
    before: Option<&Deed<'_>>,
    tally: &mut Tally,
) {
    let id = dwg.id;
    let evidence = |before: &Deed<'_>| vec![before.seen, deed.seen];
    tally.test("DWG-01", before.is_none(), || {
        let before = before.expect("it was used");
        (format!("dWG {id} was used twice"), evidence(before))
    });
    if let Some(before) = before.filter(|before| before.action != deed.action) {
        let sentence = format!("dWG {id} was used again for something else");
        tally.broken("DWG-05", sentence, evidence(before));
    }
}

/// Whether a use came in the window, or a refusal for the window's sake outside it.
fn in_window(dwg: &DelegatedWriteGrant<'_>, deed: &Deed<'_>, tally: &mut Tally) {
    let (Some(from), Some(to)) = (second_of(dwg.not_before), second_of(dwg.not_after)) else {
        return;
    };
    let inside = from - EARLY <= deed.time.0 && deed.time.0 <= to;
    let accepted = deed.outcome == Outcome::Accepted;
    tally.test("DWG-02", inside == accepted, || {
        let (id, time) = (dwg.id, deed.time.0);
        let what = if accepted { "was used" } else { "was refused" };
        let sentence = format!("dWG {id} {what} at {time}, and its window is {from} to {to}");
        (sentence, vec![deed.seen])
    });
}

fn as_signed(
    chronicle: &Chronicle<'_>,
    dwg: &DelegatedWriteGrant<'_>,
    deed: &Deed<'_>,
    tally: &mut Tally,
) {
    in_window(dwg, deed, tally);
    let owned = chronicle
        .all_grants()
        .any(|(_, grant)| grant.born.order == deed.order);
    tally.test("DWG-04", owned, || {
        let (id, owner) = (dwg.id, dwg.owner);
        let sentence = format!("dWG {id} was used for {owner}, whose wallet nobody has");
        (sentence, vec![deed.seen])
    });
    if let Action::CreateCredentialsByDwg {
        issuer_auth_public_key: signer,
        ..
    } = deed.action
    {
        tally.test("DWG-06", signer.eq_ignore_ascii_case(dwg.issuer), || {
            let (id, named) = (dwg.id, dwg.issuer);
            let sentence = format!("dWG {id} names {named}, and {signer} signed what was written");
            (sentence, vec![deed.seen])
        });
    }
}

/// Grants from dWGs, as owner and grantee see them, name the paper they come from.
fn seen_by_grantees(chronicle: &Chronicle<'_>, tally: &mut Tally) {
    for view in &chronicle.views {
        let Ok(Answer::Grants(rows)) = view.result else {
            continue;
        };
        for row in rows {
            let mut lives = chronicle.grants.get(&row.id).into_iter().flatten();
            let Some(grant) = lives.find(|grant| grant.lives_at(view.height)) else {
                continue;
            };
            let paper = DelegatedWriteGrant::carried_by(grant.born.action);
            let told = (row.inserter_type == GrantInserter::DelegatedWriteGrant)
                .then(|| row.inserter_id.to_string());
            let expected = paper.map(|(dwg, _)| dwg.id.to_string());
            if told.is_none() && expected.is_none() {
                continue;
            }
            tally.test("DWG-04", told == expected, || {
                let name = |paper: &Option<String>| paper.clone().unwrap_or("no dWG".to_owned());
                let sentence = format!(
                    "grant {} is said to come from {}, and comes from {}",
                    row.id,
                    name(&told),
                    name(&expected)
                );
                (sentence, vec![grant.born.seen, view.seen])
            });
        }
    }
}

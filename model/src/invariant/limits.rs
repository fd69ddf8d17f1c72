//! How far things go: uses of grants, lengths of locks, sizes of texts, ends of papers.

use super::chronicle::{Chronicle, Deed, How, Life, canonical, second_of};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::Event;
use crate::id::{CredentialId, GrantId, UserId, WriteGrantId};
use crate::ledger::{
    Action, Answer, DagTerms, DelegatedAccessGrant, DelegatedWriteGrant, Outcome, Query, Refusal,
    Written,
};

/// The longest lock, in seconds, leap years and a day for clocks included.
const LONGEST: i64 = (10 * 366 + 1) * 86_400;

pub(super) const BOUNDS_HOLD: Invariant = Invariant {
    name: "bounds-hold",
    claim: "a lock is UNIX seconds and ends within ten years, and notes, content and attributes have a \
            greatest size",
    source: "doc (5-10 years); doc:token-economy",
    requirements: &["GRANT-12", "CRED-09"],
    check: bounds_hold,
};

fn bounds_hold(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in &chronicle.deeds {
        let (locks, fits) = (locks(deed.action), fits(deed.action));
        match deed.outcome {
            Outcome::Accepted => {
                for lock in locks {
                    let within = (0..=deed.time.0 + LONGEST).contains(&lock);
                    tally.test("GRANT-12", within, || {
                        let sentence = format!("a lock until {lock} was accepted at {}", deed.time);
                        (sentence, vec![deed.seen])
                    });
                }
                if let Some(fits) = fits {
                    tally.test("CRED-09", fits, || {
                        let name = deed.action.name();
                        let sentence = format!("{name} stored a text longer than allowed");
                        (sentence, vec![deed.seen])
                    });
                }
            }
            Outcome::Refused(Refusal::LockTooLong | Refusal::LockNotInSeconds)
                if deed.is_alone() =>
            {
                let beyond = |lock: &i64| !(0..=deed.time.0 + LONGEST).contains(lock);
                tally.test("GRANT-12", locks.iter().any(beyond), || {
                    let sentence = "a lock was refused that is within bounds".to_owned();
                    (sentence, vec![deed.seen])
                });
            }
            Outcome::Refused(Refusal::Oversized) if deed.is_alone() => {
                tally.test("CRED-09", fits == Some(false), || {
                    let sentence = "a text was refused that is short enough".to_owned();
                    (sentence, vec![deed.seen])
                });
            }
            Outcome::Refused(_) | Outcome::Invalid => {}
        }
    }
    tally.verdict("nobody locked or stored anything")
}

/// Ends of locks an action asks for; 0 is none.
fn locks(action: &Action) -> Vec<i64> {
    let lock = match action {
        Action::ShareCredential { locked_until, .. }
        | Action::RequestAccess { locked_until, .. } => Some(*locked_until),
        Action::CreateAgByDagForCopy {
            dag_locked_until, ..
        } => Some(*dag_locked_until),
        // An instant that names no second locks nothing.
        Action::CreateCredentialsByDwg {
            dwg_access_grant_timelock,
            ..
        } => second_of(dwg_access_grant_timelock),
        _ => None,
    };
    lock.into_iter().collect()
}

/// Whether the texts an action stores are short enough, if it stores any.
fn fits(action: &Action) -> Option<bool> {
    let credential = |written: Written<'_>| {
        written.public_notes.len() <= 4_096 && written.content.text().len() <= 131_072
    };
    match action {
        Action::AddAttribute {
            attribute_key,
            value,
            ..
        }
        | Action::EditAttribute {
            attribute_key,
            value,
            ..
        }
        | Action::ShareAttribute {
            attribute_key,
            value,
            ..
        }
        | Action::AddAttributeAsInserter {
            attribute_key,
            value,
            ..
        } => Some(attribute_key.len() <= 256 && value.len() <= 4_096),
        Action::EditPublicNotesAsIssuer { public_notes, .. } => Some(public_notes.len() <= 4_096),
        _ => {
            let written: Vec<bool> = Written::all(action).map(credential).collect();
            (!written.is_empty()).then(|| written.iter().all(|fits| *fits))
        }
    }
}

pub(super) const USES_ARE_COUNTED: Invariant = Invariant {
    name: "uses-are-counted",
    claim: "a grant with a number of uses is used that often and not once more, and never after its end",
    source: "S4 (time frame, repeated use)",
    requirements: &["GRANT-13"],
    check: uses_are_counted,
};

fn uses_are_counted(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in &chronicle.deeds {
        let Action::UseAccessGrant { id } = deed.action else {
            continue;
        };
        let mut lives = chronicle.grants.get(id).into_iter().flatten();
        let grant = lives.find(|grant| {
            grant.stood_before(deed) && grant.grantee.eq_ignore_ascii_case(&deed.caller.caller())
        });
        let left = grant.is_some_and(|grant| grant.has_use_before(deed));
        let ended =
            grant.is_some_and(|grant| grant.terms.expires_at.is_some_and(|end| end < deed.time.0));
        let proof = || {
            let born = grant.map(|grant| grant.born.seen);
            born.into_iter().chain([deed.seen]).collect::<Vec<_>>()
        };
        match deed.outcome {
            Outcome::Accepted => {
                tally.test("GRANT-13", left && !ended, || {
                    let who = chronicle.name_of(&deed.caller);
                    let sentence = match grant {
                        None => format!("{who} used grant {id}, which it does not hold"),
                        Some(_) if ended => format!("{who} used grant {id} after its end"),
                        Some(_) => format!("{who} used grant {id} more often than allowed"),
                    };
                    (sentence, proof())
                });
            }
            Outcome::Refused(Refusal::GrantEnded) if deed.is_alone() => {
                tally.test("GRANT-13", grant.is_some() && (!left || ended), || {
                    let sentence = format!("grant {id} was said to be over, and it is not");
                    (sentence, proof())
                });
            }
            Outcome::Refused(_) | Outcome::Invalid => {}
        }
    }
    tally.verdict("nobody used a grant")
}

pub(super) const ACCESS_ENDS_AT_ONCE: Invariant = Invariant {
    name: "access-ends-at-once",
    claim: "when the owner ends a grantee's access to a document, every grant of that grantee on it and on \
            its copies is gone in that block, or none is while one is locked",
    source: "S4; ctr (old delete semantics)",
    requirements: &["GRANT-11"],
    check: access_ends_at_once,
};

fn access_ends_at_once(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in &chronicle.deeds {
        let Action::RevokeGranteeAccess {
            data_id,
            grantee_wallet_identifier: grantee,
        } = deed.action
        else {
            continue;
        };
        let theirs: Vec<_> = chronicle
            .all_grants()
            .filter(|(_, grant)| {
                grant.stood_before(deed)
                    && Some(grant.owner) == deed.own
                    && chronicle.is_of(grant.data, *data_id)
                    && canonical(grantee) == canonical(&grant.grantee)
            })
            .collect();
        let locked = theirs
            .iter()
            .any(|(_, grant)| grant.locked_until >= deed.time.0);
        let proof = || {
            let born = theirs.iter().map(|(_, grant)| grant.born.seen);
            born.chain([deed.seen]).collect::<Vec<_>>()
        };
        match deed.outcome {
            Outcome::Accepted => {
                tally.test("GRANT-11", !theirs.is_empty() && !locked, || {
                    let who = chronicle.name_of(&deed.caller);
                    let what = if locked {
                        "under a lock"
                    } else {
                        "where there was none"
                    };
                    let sentence = format!("{who} ended all access to {data_id} {what}");
                    (sentence, proof())
                });
                let ended: Vec<GrantId> = theirs.iter().map(|(id, _)| *id).collect();
                none_left(chronicle, deed, &ended, &mut tally);
            }
            Outcome::Refused(Refusal::GrantLocked { .. }) if deed.is_alone() => {
                tally.test("GRANT-11", locked, || {
                    let sentence = format!("access to {data_id} was said to be locked, and is not");
                    (sentence, proof())
                });
            }
            Outcome::Refused(Refusal::GrantNotFound) if deed.is_alone() => {
                tally.test("GRANT-11", theirs.is_empty(), || {
                    let sentence =
                        format!("there was said to be no access to {data_id}, and there is");
                    (sentence, proof())
                });
            }
            Outcome::Refused(_) | Outcome::Invalid => {}
        }
    }
    tally.verdict("nobody ended all access of a grantee")
}

/// No node holds one of the ended grants afterwards, unless it was made anew.
fn none_left(chronicle: &Chronicle<'_>, deed: &Deed<'_>, ended: &[GrantId], tally: &mut Tally) {
    for (seen, observation) in chronicle.observations() {
        let Event::Inspected {
            node,
            height,
            grants,
            ..
        } = &observation.event
        else {
            continue;
        };
        if *height < deed.height {
            continue;
        }
        for id in ended {
            let mut lives = chronicle.grants.get(id).into_iter().flatten();
            let again = lives.any(|grant| grant.born.order > deed.order && grant.lives_at(*height));
            tally.test("GRANT-11", again || !grants.contains(id), || {
                let sentence =
                    format!("{node} still holds grant {id}, which was ended with all others");
                (sentence, vec![deed.seen, seen])
            });
        }
    }
}

pub(super) const PAPERS_END: Invariant = Invariant {
    name: "papers-end",
    claim: "a dAG says until when it is usable and is not used later, and a paper its owner cancelled is not \
            used at all",
    source: "idos-facts 8.4",
    requirements: &["DAG-05"],
    check: papers_end,
};

/// A paper by what it says, or by its id.
#[derive(Debug, PartialEq)]
enum Paper<'a> {
    Dag(DelegatedAccessGrant<'a>),
    Dwg(Option<UserId>, WriteGrantId),
}

fn papers_end(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut cancelled: Vec<(Paper<'_>, usize)> = Vec::new();
    for deed in &chronicle.deeds {
        if let (Some(paper), Outcome::Accepted) = (cancellation(deed), deed.outcome) {
            cancelled.push((paper, deed.seen));
        }
        let (paper, terms, is_dag) =
            if let Some((dag, _)) = DelegatedAccessGrant::carried_by(deed.action) {
                let terms = dag.terms;
                (Paper::Dag(dag), terms, true)
            } else if let Some((dwg, _)) = DelegatedWriteGrant::carried_by(deed.action) {
                let owner = chronicle.user_named(dwg.owner, deed.height);
                (Paper::Dwg(owner, dwg.id), None, false)
            } else {
                continue;
            };
        let before = cancelled.iter().find(|(other, _)| *other == paper);
        let until = terms.map(|terms: &DagTerms| terms.not_usable_after);
        match deed.outcome {
            Outcome::Accepted => {
                if is_dag {
                    let usable = until.is_some_and(|until| deed.time.0 <= until);
                    tally.test("DAG-05", usable, || {
                        let sentence = match until {
                            None => "a dAG without an end was used".to_owned(),
                            Some(until) => {
                                format!("a dAG usable until {until} was used at {}", deed.time.0)
                            }
                        };
                        (sentence, vec![deed.seen])
                    });
                }
                if let Some((_, seen)) = before {
                    let sentence = "a paper was used that its owner had cancelled".to_owned();
                    tally.broken("DAG-05", sentence, vec![*seen, deed.seen]);
                }
            }
            Outcome::Refused(Refusal::DagExpired) if deed.is_alone() => {
                let over = until.is_some_and(|until| until < deed.time.0);
                tally.test("DAG-05", over, || {
                    let sentence = "a dAG was said to be over, and it is not".to_owned();
                    (sentence, vec![deed.seen])
                });
            }
            Outcome::Refused(Refusal::PaperCancelled) if deed.is_alone() => {
                tally.test("DAG-05", before.is_some(), || {
                    let sentence = "a paper was said to be cancelled, and it is not".to_owned();
                    (sentence, vec![deed.seen])
                });
            }
            Outcome::Refused(_) | Outcome::Invalid => {}
        }
    }
    tally.verdict("no paper was used or cancelled")
}

fn cancellation<'a>(deed: &Deed<'a>) -> Option<Paper<'a>> {
    match deed.action {
        Action::CancelDag {
            dag_owner_wallet_identifier: owner,
            dag_grantee_wallet_identifier: grantee,
            dag_data_id: data,
            dag_locked_until: locked_until,
            dag_content_hash: content_hash,
            terms,
        } => Some(Paper::Dag(DelegatedAccessGrant {
            owner,
            grantee,
            data: *data,
            locked_until: *locked_until,
            content_hash: content_hash.as_deref(),
            terms: terms.as_ref(),
        })),
        Action::CancelDwg { dwg_id } => Some(Paper::Dwg(deed.own, *dwg_id)),
        _ => None,
    }
}

pub(super) const REMAINDERS_GO: Invariant = Invariant {
    name: "remainders-go",
    claim: "what a lock keeps of removed data is listed to its owner, and gone once the lock has run out if \
            that was asked for",
    source: "doc:the-right-to-be-forgotten (announced)",
    requirements: &["DEL-05"],
    check: remainders_go,
};

fn remainders_go(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        let Event::Inspected {
            node,
            height,
            credentials,
            ..
        } = &observation.event
        else {
            continue;
        };
        for (id, fact) in chronicle.all_credentials() {
            let Some(end) = fact.end.filter(|end| end.how == How::Due) else {
                continue;
            };
            if end.height > *height || chronicle.credential_at(id, *height).is_some() {
                continue;
            }
            tally.test("DEL-05", !credentials.contains(&id), || {
                let sentence = format!(
                    "{node} still holds credential {id} at height {height}, which its owner wanted removed \
                     after the lock"
                );
                (sentence, vec![fact.born.seen, end.seen, seen])
            });
        }
    }
    for view in &chronicle.views {
        let (Query::GetLockedRemainders {}, Ok(Answer::Remainders(rows))) =
            (view.query, view.result)
        else {
            continue;
        };
        let own = view
            .caller
            .and_then(|caller| chronicle.user_of(&caller, view.height));
        let listed: Vec<CredentialId> = rows.iter().map(|row| row.id).collect();
        for (id, fact) in chronicle.all_credentials() {
            if Some(fact.owner) != own || !fact.lives_at(view.height) {
                continue;
            }
            let now = chronicle.time_of(view.height);
            let orphan = fact
                .original
                .is_some_and(|original| chronicle.credential_at(original, view.height).is_none());
            let remains = orphan && chronicle.is_locked(id, view.height, now);
            if !remains && !listed.contains(&id) {
                continue;
            }
            tally.test("DEL-05", remains == listed.contains(&id), || {
                let node = view.node;
                let sentence = match remains {
                    true => format!("{node} left remainder {id} out of its owner's listing"),
                    false => format!("{node} lists {id} as a remainder, which it is not"),
                };
                (sentence, vec![fact.born.seen, view.seen])
            });
        }
    }
    tally.verdict("nothing waited for the end of a lock, and nobody listed what does")
}

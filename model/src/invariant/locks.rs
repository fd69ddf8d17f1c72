//! Locks: they hold to their last second, and not a second longer.

use super::chronicle::{Chronicle, Deed, GrantFact, How, Life};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::Event;
use crate::id::{CredentialId, GrantId};
use crate::ledger::{Action, Outcome, Refusal};

pub(super) const LOCKS_HOLD_TO_THE_SECOND: Invariant = Invariant {
    name: "locks-hold-to-the-second",
    claim: "a grant is revoked only after the last second of its lock by chain time, and is not refused \
            from the next second on",
    source: "schema:revoke_access_grant, remove_credential; S2",
    requirements: &["GRANT-05", "GRANT-06", "DEL-03", "TIME-02"],
    check: locks_hold_to_the_second,
};

/// The grant as it stood just before a deed.
fn before<'c, 'a>(
    chronicle: &'c Chronicle<'a>,
    id: GrantId,
    deed: &Deed<'_>,
) -> Option<&'c GrantFact<'a>> {
    let mut lives = chronicle.grants.get(&id)?.iter();
    lives.find(|grant| grant.stood_before(deed))
}

fn locks_hold_to_the_second(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in &chronicle.deeds {
        match deed.action {
            Action::RevokeAccessGrant { id } => revocation(chronicle, deed, *id, &mut tally),
            Action::RemoveCredential { id } => removal(chronicle, deed, *id, &mut tally),
            _ => {}
        }
    }
    tally.verdict("nobody revoked a grant or removed a credential")
}

fn revocation(chronicle: &Chronicle<'_>, deed: &Deed<'_>, id: GrantId, tally: &mut Tally) {
    let grant = before(chronicle, id, deed);
    let who = chronicle.name_of(&deed.caller);
    let owned = grant.filter(|grant| Some(grant.owner) == deed.own);
    let evidence = || {
        grant
            .map(|grant| grant.born.seen)
            .into_iter()
            .chain([deed.seen])
            .collect::<Vec<_>>()
    };
    match deed.outcome {
        Outcome::Accepted => {
            tally.test("GRANT-06", owned.is_some(), || {
                let sentence = format!("{who} revoked grant {id}, which is not theirs");
                (sentence, evidence())
            });
            let Some(grant) = grant else { return };
            let open = deed.time.0 > grant.locked_until;
            for requirement in ["GRANT-05", "TIME-02"] {
                tally.test(requirement, open, || {
                    let sentence = format!(
                        "grant {id} was revoked at chain time {}, but its lock holds until {}",
                        deed.time,
                        crate::time::BlockTime(grant.locked_until)
                    );
                    (sentence, evidence())
                });
            }
        }
        Outcome::Refused(Refusal::GrantLocked { .. }) if deed.is_alone() => {
            let locked = owned.is_some_and(|grant| deed.time.0 <= grant.locked_until);
            for requirement in ["GRANT-05", "TIME-02"] {
                tally.test(requirement, locked, || {
                    let sentence = format!(
                        "the revocation of grant {id} was refused as locked at chain time {}, \
                         though no lock of it runs",
                        deed.time
                    );
                    (sentence, evidence())
                });
            }
        }
        Outcome::Refused(Refusal::GrantNotFound) if deed.is_alone() => {
            tally.test("GRANT-06", owned.is_none(), || {
                let sentence =
                    format!("{who} was told that grant {id} does not exist, but it does");
                (sentence, evidence())
            });
        }
        _ => {}
    }
}

fn removal(chronicle: &Chronicle<'_>, deed: &Deed<'_>, id: CredentialId, tally: &mut Tally) {
    let locking: Vec<_> = chronicle
        .all_grants()
        .filter(|(_, grant)| grant.data == id && deed.time.0 <= grant.locked_until)
        .filter(|(_, grant)| grant.stood_before(deed))
        .collect();
    let evidence = || {
        let born = locking.iter().map(|(_, grant)| grant.born.seen);
        born.chain([deed.seen]).collect::<Vec<_>>()
    };
    match deed.outcome {
        Outcome::Accepted => tally.test("DEL-03", locking.is_empty(), || {
            let sentence = format!("credential {id} was removed under a running lock");
            (sentence, evidence())
        }),
        Outcome::Refused(Refusal::LockedGrants) if deed.is_alone() => {
            tally.test("DEL-03", !locking.is_empty(), || {
                let sentence =
                    format!("the removal of credential {id} was refused without a running lock");
                (sentence, evidence())
            });
        }
        _ => {}
    }
}

pub(super) const LOCKED_COPIES_STAY: Invariant = Invariant {
    name: "locked-copies-stay",
    claim: "until a lock has run out nobody but the grantee removes the grant or its copy, and nobody \
            changes the copy",
    source: "S0, S2, doc:data-retention-obligations",
    requirements: &["GRANT-08"],
    check: locked_copies_stay,
};

fn locked_copies_stay(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in chronicle.accepted() {
        if let Action::UpsertCredentialAsInserter { id, .. } | Action::EditCredential { id, .. } =
            deed.action
        {
            let retry = chronicle
                .credential_before(*id, deed)
                .is_some_and(|fact| chronicle.repeats(fact, deed));
            if retry || chronicle.edits_nothing(*id, deed) {
                continue;
            }
            let locked = chronicle.all_grants().find(|(_, grant)| {
                grant.data == *id && grant.stood_before(deed) && grant.locked_until >= deed.time.0
            });
            tally.test("GRANT-08", locked.is_none(), || {
                let (_, grant) = locked.expect("a lock was running");
                let who = chronicle.name_of(&deed.caller);
                let sentence = format!("{who} overwrote credential {id} under a running lock");
                (sentence, vec![grant.born.seen, deed.seen])
            });
        }
    }
    for (id, grant) in chronicle.all_grants() {
        if let Some(end) = grant.end {
            let locked = end.time.0 <= grant.locked_until;
            tally.test("GRANT-08", !locked || end.how == How::Rescinded, || {
                let sentence = format!("grant {id} ended under its lock: {:?}", end.how);
                (sentence, vec![grant.born.seen, end.seen])
            });
        }
    }
    for (seen, observation) in chronicle.observations() {
        let Event::Inspected {
            node,
            height,
            grants,
            credentials,
            ..
        } = &observation.event
        else {
            continue;
        };
        let now = chronicle.time_of(*height);
        let locked = chronicle
            .all_grants()
            .filter(|(_, grant)| grant.lives_at(*height) && grant.locked_until >= now.0);
        for (id, grant) in locked {
            let there = grants.contains(&id) && credentials.contains(&grant.data);
            tally.test("GRANT-08", there, || {
                let sentence = format!(
                    "{node} lacks the locked grant of {} on {} at height {height}",
                    grant.grantee, grant.data
                );
                (sentence, culprits(chronicle, grant, seen))
            });
        }
    }
    tally.verdict("no grant ended, and none was locked when nodes were inspected")
}

/// The birth of a grant, whatever was accepted about its credential since, and what was seen.
fn culprits(chronicle: &Chronicle<'_>, grant: &GrantFact<'_>, seen: usize) -> Vec<usize> {
    let about = |deed: &&Deed<'_>| match deed.action {
        Action::RescindSharedCredential { credential_id: id }
        | Action::RemoveCredential { id }
        | Action::UpsertCredentialAsInserter { id, .. } => *id == grant.data,
        _ => false,
    };
    let after = chronicle.accepted().filter(about).map(|deed| deed.seen);
    std::iter::once(grant.born.seen)
        .chain(after)
        .chain([seen])
        .collect()
}

pub(super) const GRANTS_END_ONE_BY_ONE: Invariant = Invariant {
    name: "grants-end-one-by-one",
    claim: "a grant ends by its owner's or its own grantee's doing; what others do with theirs leaves it",
    source: "doc, grantee right; schema:rescind_shared_credential",
    requirements: &["GRANT-09", "GRANT-10"],
    check: grants_end_one_by_one,
};

fn grants_end_one_by_one(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
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
        for (id, grant) in chronicle
            .all_grants()
            .filter(|(_, grant)| grant.lives_at(*height))
        {
            let shared = chronicle.all_grants().any(|(_, other)| {
                other.data == grant.data
                    && other
                        .end
                        .is_some_and(|end| end.how == How::Rescinded && end.height <= *height)
            });
            if shared {
                tally.test("GRANT-09", grants.contains(&id), || {
                    let sentence = format!(
                        "{node} lacks the grant of {} on {}, which only another grantee gave up",
                        grant.grantee, grant.data
                    );
                    (sentence, culprits(chronicle, grant, seen))
                });
            }
        }
    }
    for deed in &chronicle.deeds {
        let Action::RescindSharedCredential { credential_id } = deed.action else {
            continue;
        };
        let caller = deed.caller.caller();
        let granted = chronicle.all_grants().find(|(_, grant)| {
            grant.data == *credential_id
                && grant.grantee.eq_ignore_ascii_case(&caller)
                && grant.stood_before(deed)
        });
        let told = match deed.outcome {
            Outcome::Accepted => granted.is_some(),
            Outcome::Refused(Refusal::NothingToRescind) if deed.is_alone() => granted.is_none(),
            _ => continue,
        };
        tally.test("GRANT-10", told, || {
            let who = chronicle.name_of(&deed.caller);
            let sentence = match granted {
                Some(_) => format!("{who} could not give up copy {credential_id} it was granted"),
                None => format!("{who} gave up copy {credential_id} it was never granted"),
            };
            let born = granted.map(|(_, grant)| grant.born.seen);
            (sentence, born.into_iter().chain([deed.seen]).collect())
        });
    }
    tally.verdict("no grantee gave up a copy")
}

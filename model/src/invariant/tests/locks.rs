use super::story::*;
use super::{Case, broken, case, held};
use crate::id::{CredentialId, GrantId};
use crate::invariant::locks::*;
use crate::ledger::{Outcome, Refusal};
use crate::rules::Switch;

pub(super) fn cases() -> Vec<Case> {
    [to_the_second(), copies_stay(), one_by_one()]
        .into_iter()
        .flatten()
        .collect()
}

fn the_grant() -> GrantId {
    grant(BANK, FOR_BANK, LOCK)
}

fn locked() -> Refusal {
    Refusal::GrantLocked { until: LOCK }
}

fn to_the_second() -> Vec<Case> {
    let by = &LOCKS_HOLD_TO_THE_SECOND;
    let then = |seconds: i64, told: Told| Story::new().shared(LOCK).at(seconds).block([told]);
    let revoked = || did(ALICE, revoke(the_grant()));
    vec![
        case(
            "a revocation in the lock's last second",
            then(LOCK, revoked()),
            by,
            broken(&["GRANT-05", "TIME-02"]),
        ),
        case(
            "a revocation refused in the second after the lock",
            then(LOCK + 1, refused(ALICE, revoke(the_grant()), locked())),
            by,
            broken(&["GRANT-05", "TIME-02"]),
        ),
        case(
            "a stranger revokes",
            then(LOCK + 1, did(MALLORY, revoke(the_grant()))),
            by,
            broken(&["GRANT-06"]),
        ),
        case(
            "an owner is told that the grant does not exist",
            then(
                LOCK + 1,
                refused(ALICE, revoke(the_grant()), Refusal::GrantNotFound),
            ),
            by,
            broken(&["GRANT-06"]),
        ),
        case(
            "a copy is removed in the lock's last second",
            then(LOCK, did(ALICE, remove(FOR_BANK))),
            by,
            broken(&["DEL-03"]),
        ),
        case(
            "a removal is refused in the second after the lock",
            then(
                LOCK + 1,
                refused(ALICE, remove(FOR_BANK), Refusal::LockedGrants),
            ),
            by,
            broken(&["DEL-03"]),
        ),
        case(
            "both are refused in the last second, a stranger finds nothing, and then the owner revokes",
            then(LOCK, refused(ALICE, revoke(the_grant()), locked()))
                .block([refused(
                    MALLORY,
                    revoke(the_grant()),
                    Refusal::GrantNotFound,
                )])
                .block([did(ALICE, revoke(the_grant()))]),
            by,
            held(&["GRANT-05", "GRANT-06", "TIME-02"]),
        ),
        case(
            "a copy is removed in the second after",
            then(
                LOCK,
                refused(ALICE, remove(FOR_BANK), Refusal::LockedGrants),
            )
            .at(LOCK + 1)
            .block([did(ALICE, remove(FOR_BANK))]),
            by,
            held(&["DEL-03"]),
        ),
        case(
            "a grant is shared and revoked in one block",
            Story::new().stored().block([
                did(ALICE, share(BANK, 0)),
                did(ALICE, revoke(grant(BANK, FOR_BANK, 0))),
            ]),
            by,
            held(&["GRANT-05", "GRANT-06", "TIME-02"]),
        ),
        case(
            "a grant is revoked twice in one block",
            Story::new().shared(LOCK).at(LOCK + 1).block([
                did(ALICE, revoke(the_grant())),
                refused(ALICE, revoke(the_grant()), Refusal::GrantNotFound),
            ]),
            by,
            held(&["GRANT-05", "GRANT-06", "TIME-02"]),
        ),
        case(
            "a grantee gives up a locked copy, which the owner removes in the same block",
            Story::new()
                .stored()
                .block([
                    did(ALICE, share(BANK, LOCK)),
                    did(ALICE, dag(SHOP, FOR_BANK, 0)),
                ])
                .block([did(BANK, rescind(FOR_BANK)), did(ALICE, remove(FOR_BANK))]),
            by,
            held(&["DEL-03"]),
        ),
        case(
            "a grant is revoked and the profile erased in one block",
            Story::new()
                .shared(LOCK)
                .at(LOCK + 1)
                .block([did(ALICE, revoke(the_grant())), did(ALICE, erase())]),
            by,
            held(&["GRANT-05", "GRANT-06", "TIME-02"]),
        ),
        case(
            "a batch is refused for its second grant, which is locked",
            Story::new()
                .shared(0)
                .block([did(ALICE, share(SHOP, LOCK))])
                .block([batch(
                    ALICE,
                    vec![
                        revoke(grant(BANK, FOR_BANK, 0)),
                        revoke(grant(SHOP, FOR_SHOP, LOCK)),
                    ],
                    Outcome::Refused(locked()),
                )])
                .block([did(ALICE, revoke(grant(BANK, FOR_BANK, 0)))]),
            by,
            held(&["GRANT-05", "GRANT-06", "TIME-02"]),
        ),
        case(
            "a grant to an address in lower case is revoked, on nodes that keep what is written",
            {
                let grantee = caller(SHOP).to_lowercase();
                let id = GrantId::derive(&grantee, FOR_SHOP, 0);
                Story::without(Switch::CanonicalGrantee)
                    .stored()
                    .block([did(
                        ALICE,
                        share_as(PASSPORT, FOR_SHOP, grantee.into(), 0, ""),
                    )])
                    .block([did(ALICE, revoke(id))])
            },
            by,
            held(&["GRANT-05", "GRANT-06", "TIME-02"]),
        ),
        case(
            "a grant to an address in lower case is revoked",
            Story::new()
                .stored()
                .block([did(
                    ALICE,
                    share_as(
                        PASSPORT,
                        FOR_SHOP,
                        caller(SHOP).to_lowercase().into(),
                        0,
                        "",
                    ),
                )])
                .block([did(ALICE, revoke(grant(SHOP, FOR_SHOP, 0)))]),
            by,
            held(&["GRANT-05", "GRANT-06", "TIME-02"]),
        ),
    ]
}

fn copies_stay() -> Vec<Case> {
    let by = &LOCKED_COPIES_STAY;
    let after = |told: Told| Story::new().shared(LOCK).block([told]);
    let look = |story: Story, credentials: &[CredentialId], grants: &[GrantId]| {
        story.look(N1, credentials, grants, &[ALICE])
    };
    vec![
        case(
            "an inserter overwrites a locked copy",
            after(did(KYC, insert(FOR_BANK, ALICE, true))),
            by,
            broken(&["GRANT-08"]),
        ),
        case(
            "an owner edits a locked copy",
            after(did(ALICE, edit(FOR_BANK, approved(FOR_BANK)))),
            by,
            broken(&["GRANT-08"]),
        ),
        case(
            "an owner erases the profile under a lock",
            after(did(ALICE, erase())),
            by,
            broken(&["GRANT-08"]),
        ),
        case(
            "a grant is revoked under its lock",
            after(did(ALICE, revoke(the_grant()))),
            by,
            broken(&["GRANT-08"]),
        ),
        case(
            "a node lacks a locked grant",
            look(Story::new().shared(LOCK), &[PASSPORT, FOR_BANK], &[]),
            by,
            broken(&["GRANT-08"]),
        ),
        case(
            "a node lacks a locked copy after its original went",
            look(after(did(ALICE, remove(PASSPORT))), &[], &[the_grant()]),
            by,
            broken(&["GRANT-08"]),
        ),
        case(
            "a locked copy outlives its original",
            look(
                after(did(ALICE, remove(PASSPORT))),
                &[FOR_BANK],
                &[the_grant()],
            ),
            by,
            held(&["GRANT-08"]),
        ),
        case(
            "the grantee gives up a locked copy",
            look(after(did(BANK, rescind(FOR_BANK))), &[PASSPORT], &[]),
            by,
            held(&["GRANT-08"]),
        ),
        case(
            "an original is edited, and shared later in the same block",
            Story::new().stored().block([
                did(ALICE, edit(PASSPORT, approved(PASSPORT))),
                did(ALICE, share(BANK, LOCK)),
            ]),
            by,
            held(&["GRANT-08"]),
        ),
        case(
            "an inserter repeats what is there, under a lock on it",
            Story::new()
                .registered()
                .block([did(KYC, insert(PASSPORT, ALICE, true))])
                .block([did(ALICE, dag(BANK, PASSPORT, LOCK))])
                .block([did(KYC, insert(PASSPORT, ALICE, true))])
                .look(N1, &[PASSPORT], &[grant(BANK, PASSPORT, LOCK)], &[ALICE]),
            by,
            held(&["GRANT-08"]),
        ),
    ]
}

fn one_by_one() -> Vec<Case> {
    let by = &GRANTS_END_ONE_BY_ONE;
    let two = || {
        Story::new()
            .shared(LOCK)
            .block([did(ALICE, dag(SHOP, FOR_BANK, LOCK))])
    };
    let shops = grant(SHOP, FOR_BANK, LOCK);
    vec![
        case(
            "one grantee gives up a copy, and the other's grant goes too",
            two()
                .block([did(BANK, rescind(FOR_BANK))])
                .look(N1, &[PASSPORT], &[], &[ALICE]),
            by,
            broken(&["GRANT-09"]),
        ),
        case(
            "a grantee is told that it has nothing to give up",
            two().block([refused(BANK, rescind(FOR_BANK), Refusal::NothingToRescind)]),
            by,
            broken(&["GRANT-10"]),
        ),
        case(
            "somebody gives up what it was never granted",
            Story::new()
                .shared(LOCK)
                .block([did(SHOP, rescind(FOR_BANK))]),
            by,
            broken(&["GRANT-10"]),
        ),
        case(
            "one grantee gives up a copy and the other keeps it, also when the original is gone",
            two()
                .block([did(ALICE, remove(PASSPORT))])
                .block([did(BANK, rescind(FOR_BANK))])
                .block([refused(BANK, rescind(FOR_BANK), Refusal::NothingToRescind)])
                .look(N1, &[FOR_BANK], &[shops], &[ALICE]),
            by,
            held(&["GRANT-09", "GRANT-10"]),
        ),
        case(
            "a copy is shared, given up and given up again in one block",
            Story::new().stored().block([
                did(ALICE, share(BANK, LOCK)),
                did(BANK, rescind(FOR_BANK)),
                refused(BANK, rescind(FOR_BANK), Refusal::NothingToRescind),
            ]),
            by,
            held(&["GRANT-10"]),
        ),
        case(
            "a batch gives up two copies of which one was never granted",
            Story::new()
                .shared(LOCK)
                .block([batch(
                    BANK,
                    vec![rescind(FOR_BANK), rescind(FOR_SHOP)],
                    Outcome::Refused(Refusal::NothingToRescind),
                )])
                .block([did(BANK, rescind(FOR_BANK))]),
            by,
            held(&["GRANT-10"]),
        ),
    ]
}

use super::story::*;
use super::{Case, broken, case, held};
use crate::invariant::writes::*;
use crate::ledger::{Outcome, Refusal};
use crate::rules::Switch;

pub(super) fn cases() -> Vec<Case> {
    [owners(), silence()].into_iter().flatten().collect()
}

fn owners() -> Vec<Case> {
    let by = &OWNERS_ALONE_CHANGE_CREDENTIALS;
    let stored = || Story::new().stored();
    let over = |action| stored().block([did(KYC, action)]);
    let passport = PASSPORT.to_string();
    vec![
        case(
            "a copy is made with notes",
            stored().block([did(
                ALICE,
                share_as(PASSPORT, FOR_BANK, caller(BANK), LOCK, "notes"),
            )]),
            by,
            broken(&["CRED-04"]),
        ),
        case(
            "a copy is edited",
            Story::new()
                .shared(0)
                .block([did(ALICE, edit(FOR_BANK, approved(FOR_BANK)))]),
            by,
            broken(&["CRED-04"]),
        ),
        case(
            "a stranger edits a copy, which matches nothing and says nothing",
            Story::without(Switch::NoSilentSuccess)
                .shared(0)
                .block([did(MALLORY, edit(FOR_BANK, "".into()))]),
            by,
            held(&["CRED-04", "CRED-05"]),
        ),
        case(
            "an inserter overwrites the content",
            over(insert_as(
                PASSPORT,
                ALICE,
                "another",
                approved(PASSPORT),
                true,
            )),
            by,
            broken(&["CRED-05"]),
        ),
        case(
            "an inserter overwrites the notes",
            over(insert_as(
                PASSPORT,
                ALICE,
                &passport,
                revoked(PASSPORT),
                true,
            )),
            by,
            broken(&["CRED-05"]),
        ),
        case(
            "an inserter moves a credential to another profile",
            over(insert(PASSPORT, MALLORY, true)),
            by,
            broken(&["CRED-05"]),
        ),
        case(
            "an inserter undoes a statement by repeating what was stored",
            stored()
                .block([did(KYC, state(PASSPORT, revoked(PASSPORT)))])
                .block([did(KYC, insert(PASSPORT, ALICE, true))]),
            by,
            broken(&["CRED-05"]),
        ),
        case(
            "a stranger removes a credential",
            stored().block([did(MALLORY, remove(PASSPORT))]),
            by,
            broken(&["CRED-05"]),
        ),
        case(
            "a stranger shares a credential",
            stored().block([did(MALLORY, share(BANK, LOCK))]),
            by,
            broken(&["CRED-05"]),
        ),
        case(
            "an inserter writes without the owner's word",
            Story::new()
                .registered()
                .block([did(KYC, insert(PASSPORT, ALICE, false))]),
            by,
            broken(&["CRED-06"]),
        ),
        case(
            "an inserter writes with the owner's word and repeats it, and the owner shares and removes",
            Story::new()
                .registered()
                .block([did(KYC, insert(PASSPORT, ALICE, true))])
                .block([did(KYC, insert(PASSPORT, ALICE, false))])
                .block([did(ALICE, share(BANK, 0))])
                .block([refused(
                    ALICE,
                    edit(FOR_BANK, approved(FOR_BANK)),
                    Refusal::SharedNotEditable,
                )])
                .block([did(ALICE, remove(PASSPORT)), did(ALICE, erase())]),
            by,
            held(&["CRED-04", "CRED-05", "CRED-06"]),
        ),
        case(
            "an inserter writes, and the owner stores something else there in the same block",
            Story::new().registered().block([
                did(KYC, insert(PASSPORT, ALICE, true)),
                did(ALICE, remove(PASSPORT)),
                did(ALICE, store_as(PASSPORT, "another", approved(PASSPORT))),
            ]),
            by,
            held(&["CRED-05", "CRED-06"]),
        ),
    ]
}

fn silence() -> Vec<Case> {
    let by = &NOTHING_SUCCEEDS_SILENTLY;
    let stored = || Story::new().stored();
    let nothing = Refusal::NothingMatched;
    let lower = caller(KYC);
    let upper = caller(KYC).to_uppercase();
    let hired = || Story::new().block([did(DB_OWNER, hire())]);
    vec![
        case(
            "an edit of somebody else's credential",
            stored().block([did(MALLORY, edit(PASSPORT, approved(PASSPORT)))]),
            by,
            broken(&["CRED-08"]),
        ),
        case(
            "a statement about nothing",
            stored().block([did(KYC, state(LICENCE, revoked(LICENCE)))]),
            by,
            broken(&["CRED-08"]),
        ),
        case(
            "a wallet of somebody else's is removed",
            stored().block([did(MALLORY, remove_wallet(wallet(ALICE)))]),
            by,
            broken(&["CRED-08"]),
        ),
        case(
            "a delegate that never was is removed",
            Story::new().block([did(DB_OWNER, dismiss(&lower))]),
            by,
            broken(&["CRED-08"]),
        ),
        case(
            "an owner is told that the own credential is not there",
            stored().block([refused(ALICE, edit(PASSPORT, approved(PASSPORT)), nothing)]),
            by,
            broken(&["CRED-08"]),
        ),
        case(
            "an issuer is told that the credential is not there",
            stored().block([refused(KYC, state(PASSPORT, revoked(PASSPORT)), nothing)]),
            by,
            broken(&["CRED-08"]),
        ),
        case(
            "a delegate inserts after it was removed, in capital letters",
            hired()
                .block([did(DB_OWNER, dismiss(&upper))])
                .block([did(KYC, create(ALICE))]),
            by,
            broken(&["GOV-03"]),
        ),
        case(
            "a delegate inserts in the block in which it was removed",
            hired().block([did(DB_OWNER, dismiss(&lower)), did(KYC, bind(ALICE))]),
            by,
            broken(&["GOV-03"]),
        ),
        case(
            "a delegate inserts after its inserter was removed",
            hired()
                .block([did(DB_OWNER, close_inserter())])
                .block([did(KYC, create(ALICE))]),
            by,
            broken(&["GOV-03"]),
        ),
        case(
            "an operator is told that a delegate is not there",
            hired().block([refused(DB_OWNER, dismiss(&upper), nothing)]),
            by,
            broken(&["GOV-03"]),
        ),
        case(
            "what matches is done and what does not is refused",
            stored()
                .block([
                    did(ALICE, edit(PASSPORT, approved(PASSPORT))),
                    did(KYC, state(PASSPORT, revoked(PASSPORT))),
                    did(ALICE, add_other_wallet(ALICE)),
                ])
                .block([
                    did(ALICE, remove_wallet(other_wallet(ALICE))),
                    refused(ALICE, remove_wallet(other_wallet(ALICE)), nothing),
                    refused(MALLORY, edit(PASSPORT, approved(PASSPORT)), nothing),
                    did(DB_OWNER, dismiss(&lower)),
                    refused(KYC, create(SHOP), Refusal::UnauthorizedInserter),
                ]),
            by,
            held(&["CRED-08", "GOV-03"]),
        ),
        case(
            "an issuer is told that nothing is left of a removed credential",
            stored()
                .block([did(ALICE, remove(PASSPORT))])
                .block([refused(KYC, state(PASSPORT, revoked(PASSPORT)), nothing)]),
            by,
            held(&["CRED-08"]),
        ),
        case(
            "an issuer's statement about a removed original reaches the copy",
            Story::new()
                .shared(LOCK)
                .block([did(ALICE, remove(PASSPORT))])
                .block([did(KYC, state(PASSPORT, revoked(PASSPORT)))]),
            by,
            held(&["CRED-08"]),
        ),
        case(
            "a stranger's removal of a delegate is refused before the operator's",
            hired()
                .block([refused(
                    MALLORY,
                    dismiss(&lower),
                    Refusal::UnauthorizedInserter,
                )])
                .block([did(DB_OWNER, dismiss(&lower))]),
            by,
            held(&["CRED-08"]),
        ),
        case(
            "a delegate inserts after it was removed and added again",
            hired()
                .block([did(DB_OWNER, dismiss(&lower))])
                .block([did(DB_OWNER, hire())])
                .block([did(KYC, create(ALICE))]),
            by,
            held(&["CRED-08"]),
        ),
        case(
            "a batch removes two wallets of which one is somebody else's",
            stored()
                .block([did(ALICE, add_other_wallet(ALICE))])
                .block([batch(
                    ALICE,
                    vec![
                        remove_wallet(other_wallet(ALICE)),
                        remove_wallet(wallet(MALLORY)),
                    ],
                    Outcome::Refused(nothing),
                )])
                .block([did(ALICE, remove_wallet(other_wallet(ALICE)))]),
            by,
            held(&["CRED-08"]),
        ),
    ]
}

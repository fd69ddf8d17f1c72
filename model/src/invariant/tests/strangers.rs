use super::story::*;
use super::{Case, Expected, broken, case, held};
use crate::bridge::Amount;
use crate::invariant::strangers::*;
use crate::ledger::{Answer, Query, Refusal};

pub(super) fn cases() -> Vec<Case> {
    looks().into_iter().chain(deeds()).collect()
}

/// Mallory reads the bank's copy, and one that is not there.
fn reads(present: Refusal, missing: Refusal) -> Story {
    Story::new()
        .shared(LOCK)
        .saw(MALLORY, N1, read_copy(FOR_BANK), Err(present))
        .saw(MALLORY, N2, read_copy(FOR_SHOP), Err(missing))
}

fn looks() -> Vec<Case> {
    let by = &REFUSALS_GIVE_NOTHING_AWAY;
    let price = |credential_id| Query::GetIssuerFee { credential_id };
    let copy = || shared(FOR_BANK, Some(approved(PASSPORT)));
    vec![
        case(
            "a copy for somebody else reads otherwise than one that is not there",
            reads(Refusal::NotShared, Refusal::CredentialUnknown),
            by,
            broken(&["READ-04"]),
        ),
        case(
            "the price of somebody else's copy is told",
            Story::new()
                .shared(LOCK)
                .saw(
                    MALLORY,
                    N1,
                    price(FOR_SHOP),
                    Err(Refusal::CredentialNotFound),
                )
                .saw(
                    MALLORY,
                    N1,
                    price(FOR_BANK),
                    Ok(Answer::Amount(Amount::ZERO)),
                ),
            by,
            broken(&["READ-04"]),
        ),
        case(
            "a copy for somebody else reads as one that is not there",
            reads(Refusal::NotShared, Refusal::NotShared),
            by,
            held(&["READ-04"]),
        ),
        case(
            "its grantee reads a copy, and its owner looks at what is there",
            Story::new()
                .shared(LOCK)
                .saw(BANK, N1, read_copy(FOR_BANK), copy())
                .saw(
                    BANK,
                    N1,
                    read_copy(FOR_SHOP),
                    Err(Refusal::CredentialUnknown),
                )
                .saw(
                    ALICE,
                    N1,
                    read_own(PASSPORT),
                    owned(PASSPORT, approved(PASSPORT)),
                )
                .saw(ALICE, N1, read_own(LICENCE), Ok(Answer::Owned(None))),
            by,
            Expected::Untested,
        ),
        case(
            "a grant ended, and with it the copy: its grantee knew of both",
            Story::new()
                .shared(0)
                .block([did(ALICE, revoke(grant(BANK, FOR_BANK, 0)))])
                .saw(
                    BANK,
                    N1,
                    read_copy(FOR_BANK),
                    Err(Refusal::CredentialUnknown),
                )
                .saw(
                    BANK,
                    N1,
                    read_copy(FOR_SHOP),
                    Err(Refusal::CredentialUnknown),
                ),
            by,
            Expected::Untested,
        ),
        case(
            "nobody asks about what is not there",
            Story::new().shared(LOCK).saw(
                MALLORY,
                N1,
                read_copy(FOR_BANK),
                Err(Refusal::NotShared),
            ),
            by,
            Expected::Untested,
        ),
    ]
}

fn deeds() -> Vec<Case> {
    let by = &REFUSALS_GIVE_NOTHING_AWAY;
    let edits = |present, missing| {
        Story::new().shared(LOCK).block([
            refused(MALLORY, edit(FOR_BANK, "".into()), present),
            refused(MALLORY, edit(FOR_SHOP, "".into()), missing),
        ])
    };
    let revokes = |present| {
        let missing = Refusal::GrantNotFound;
        Story::new().shared(LOCK).block([
            refused(MALLORY, revoke(grant(SHOP, FOR_SHOP, LOCK)), missing),
            refused(MALLORY, revoke(grant(BANK, FOR_BANK, LOCK)), present),
        ])
    };
    vec![
        case(
            "who edits what others share is told that it is shared",
            edits(Refusal::SharedNotEditable, Refusal::NothingMatched),
            by,
            broken(&["READ-04"]),
        ),
        case(
            "who revokes somebody else's grant is told that it is locked",
            revokes(Refusal::GrantLocked { until: LOCK }),
            by,
            broken(&["READ-04"]),
        ),
        case(
            "nothing is there for who edits or revokes what others have",
            edits(Refusal::NothingMatched, Refusal::NothingMatched),
            by,
            held(&["READ-04"]),
        ),
        case(
            "somebody else's grant is as good as none",
            revokes(Refusal::GrantNotFound),
            by,
            held(&["READ-04"]),
        ),
        case(
            "what is wrong with an edit itself says nothing of the row",
            edits(Refusal::SignatureWrong, Refusal::NothingMatched),
            by,
            Expected::Untested,
        ),
    ]
}

use super::story::*;
use super::{Case, broken, case, held};
use crate::invariant::status::*;
use crate::ledger::Query;
use crate::rules::Switch;

pub(super) fn cases() -> Vec<Case> {
    [seen(), stands()].into_iter().flatten().collect()
}

/// Alice shared her passport, and then its issuer revoked it.
fn stated() -> Story {
    Story::new()
        .shared(LOCK)
        .block([did(KYC, state(PASSPORT, revoked(PASSPORT)))])
}

fn seen() -> Vec<Case> {
    let by = &STATUS_IS_SEEN;
    let bank =
        |story: Story, notes| story.saw(BANK, N1, read_copy(FOR_BANK), shared(FOR_BANK, notes));
    let alice =
        |story: Story, notes| story.saw(ALICE, N1, read_own(PASSPORT), owned(PASSPORT, notes));
    let gone = || {
        Story::new()
            .shared(LOCK)
            .block([did(ALICE, remove(PASSPORT))])
    };
    vec![
        case(
            "an owner reads notes that nobody wrote",
            alice(Story::new().stored(), revoked(PASSPORT)),
            by,
            broken(&["REV-01"]),
        ),
        case(
            "a grantee reads notes that nobody wrote",
            bank(Story::new().shared(LOCK), Some(revoked(PASSPORT))),
            by,
            broken(&["REV-01"]),
        ),
        case(
            "an owner still reads the notes from before the statement",
            alice(stated(), approved(PASSPORT)),
            by,
            broken(&["REV-02"]),
        ),
        case(
            "a listing still has the notes from before the statement",
            stated().saw(
                ALICE,
                N1,
                Query::GetCredentials {},
                listing(&[PASSPORT, FOR_BANK]),
            ),
            by,
            broken(&["REV-02"]),
        ),
        case(
            "a grantee still reads the notes from before the statement",
            bank(stated(), Some(approved(PASSPORT))),
            by,
            broken(&["REV-02"]),
        ),
        case(
            "a copy has no status once its original is gone",
            bank(gone(), None),
            by,
            broken(&["GRANT-10"]),
        ),
        case(
            "a statement about a removed original does not reach the copy",
            bank(
                gone().block([did(KYC, state(PASSPORT, revoked(PASSPORT)))]),
                Some(approved(PASSPORT)),
            ),
            by,
            broken(&["GRANT-10"]),
        ),
        case(
            "owner and grantee read what was stated, and what was written before",
            alice(bank(stated(), Some(revoked(PASSPORT))), revoked(PASSPORT)).saw_at(
                4,
                BANK,
                N2,
                read_copy(FOR_BANK),
                shared(FOR_BANK, Some(approved(PASSPORT))),
            ),
            by,
            held(&["REV-01", "REV-02"]),
        ),
        case(
            "a copy keeps its status, also when the original's id is taken again",
            bank(
                bank(gone(), Some(approved(PASSPORT))).block([did(
                    MALLORY,
                    store_as(PASSPORT, "mallory's", notes("another", "approved")),
                )]),
                Some(approved(PASSPORT)),
            ),
            by,
            held(&["GRANT-10"]),
        ),
        case(
            "notes are read before an owner's edit and after it",
            {
                let edited = notes(&PASSPORT.to_string(), "renewed");
                let story = Story::new()
                    .stored()
                    .block([did(ALICE, edit(PASSPORT, edited.clone()))])
                    .saw_at(
                        3,
                        ALICE,
                        N2,
                        read_own(PASSPORT),
                        owned(PASSPORT, approved(PASSPORT)),
                    );
                alice(story, edited)
            },
            by,
            held(&["REV-01"]),
        ),
    ]
}

fn stands() -> Vec<Case> {
    let by = &STATUS_STANDS;
    let unshared = || {
        Story::new()
            .stored()
            .block([did(KYC, state(PASSPORT, revoked(PASSPORT)))])
    };
    let namesake = |told: Told| Story::new().stored().block([told]);
    let twins = || did(MALLORY, store_as(LICENCE, "mallory's", approved(PASSPORT)));
    vec![
        case(
            "an owner edits the statement away",
            unshared().block([did(ALICE, edit(PASSPORT, approved(PASSPORT)))]),
            by,
            broken(&["REV-03"]),
        ),
        case(
            "an owner stores the credential again with its old notes",
            unshared().block([did(ALICE, remove(PASSPORT)), did(ALICE, store(PASSPORT))]),
            by,
            broken(&["REV-03"]),
        ),
        case(
            "an owner edits the statement away in the block of the statement",
            Story::new().stored().block([
                did(KYC, state(PASSPORT, revoked(PASSPORT))),
                did(ALICE, edit(PASSPORT, approved(PASSPORT))),
            ]),
            by,
            broken(&["REV-03"]),
        ),
        case(
            "an owner puts another issuer's key on a credential, and other notes",
            Story::new()
                .stored()
                .block([did(ALICE, edit_as(PASSPORT, revoked(PASSPORT), MALLORY))]),
            by,
            broken(&["REV-03"]),
        ),
        case(
            "an owner puts another issuer's key on a credential, where that is the one to be shown",
            Story::without(Switch::RotationKeepsIssuer)
                .stored()
                .block([did(ALICE, edit_as(PASSPORT, approved(PASSPORT), MALLORY))]),
            by,
            broken(&["REV-03"]),
        ),
        case(
            "a statement reaches two credentials",
            namesake(twins()).block([did(KYC, state(PASSPORT, revoked(PASSPORT)))]),
            by,
            broken(&["REV-05"]),
        ),
        case(
            "an edit keeps what was stated",
            unshared().block([did(ALICE, edit(PASSPORT, revoked(PASSPORT)))]),
            by,
            held(&["REV-03", "REV-05"]),
        ),
        case(
            "an edit comes before the statement in one block, and a namesake after it",
            Story::new().stored().block([
                did(ALICE, edit(PASSPORT, approved(PASSPORT))),
                did(KYC, state(PASSPORT, revoked(PASSPORT))),
                did(ALICE, remove(PASSPORT)),
                did(MALLORY, store_as(LICENCE, "mallory's", revoked(PASSPORT))),
            ]),
            by,
            held(&["REV-03", "REV-05"]),
        ),
    ]
}

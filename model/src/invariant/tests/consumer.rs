use super::story::*;
use super::{Case, broken, case, held};
use crate::history::Doubt;
use crate::invariant::consumer::*;

pub(super) fn cases() -> Vec<Case> {
    [careful(), requests(), reuse()]
        .into_iter()
        .flatten()
        .collect()
}

/// The passport was issued for Alice, and she shared it with the bank.
fn issued() -> Story {
    Story::new().issue(ALICE, PASSPORT, "passport").shared(LOCK)
}

fn careful() -> Vec<Case> {
    let by = &CAREFUL_CONSUMERS_ARE_NOT_FOOLED;
    vec![
        case(
            "the bank accepts what nobody issued",
            Story::new().shared(LOCK).accept(BANK, Some("passport")),
            by,
            broken(&["REUSE-02"]),
        ),
        case(
            "the bank accepts as Alice's what was issued for another",
            Story::new()
                .issue(MALLORY, LICENCE, "passport")
                .shared(LOCK)
                .accept(BANK, Some("passport")),
            by,
            broken(&["REUSE-02"]),
        ),
        case(
            "the bank accepts what it never opened",
            issued().accept(BANK, None),
            by,
            broken(&["REUSE-02"]),
        ),
        case(
            "the bank accepts what its issuer has revoked",
            issued()
                .block([did(KYC, state(PASSPORT, revoked(PASSPORT)))])
                .accept(BANK, Some("passport")),
            by,
            broken(&["REUSE-02", "REV-03"]),
        ),
        case(
            "the bank accepts another document than its grant states",
            issued()
                .issue(ALICE, LICENCE, "licence")
                .accept(BANK, Some("licence")),
            by,
            broken(&["ENC-04"]),
        ),
        case(
            "the bank accepts another document than its paper states",
            Story::new()
                .issue(ALICE, PASSPORT, "passport")
                .stored()
                .block([did(
                    ALICE,
                    share_as(PASSPORT, FOR_BANK, caller(SHOP), LOCK, ""),
                )])
                .block([did(
                    BANK,
                    dag_as(ALICE, BANK, FOR_BANK, LOCK, Some(document("licence"))),
                )])
                .accept(BANK, Some("passport")),
            by,
            broken(&["ENC-04"]),
        ),
        case(
            "the bank accepts what was issued, shared and not revoked yet",
            issued()
                .accept(BANK, Some("passport"))
                .block([did(KYC, state(PASSPORT, revoked(PASSPORT)))])
                .doubt(BANK, Doubt::NotApproved),
            by,
            held(&["ENC-04", "REUSE-02", "REV-03"]),
        ),
        case(
            "the shop is careless and accepts anything",
            issued()
                .block([did(ALICE, share(SHOP, LOCK))])
                .accept(SHOP, None)
                .doubt(BANK, Doubt::HashMismatch),
            by,
            held(&["ENC-04", "REUSE-02"]),
        ),
        case(
            "the bank has a paper that states nothing beside a grant that states another document",
            issued()
                .issue(ALICE, LICENCE, "licence")
                .block([did(BANK, dag(BANK, FOR_BANK, LOCK + 1))])
                .accept(BANK, Some("licence")),
            by,
            held(&["REUSE-02"]),
        ),
        case(
            "the bank accepts what its issuer stated to be approved",
            issued()
                .block([did(KYC, state(PASSPORT, revoked(PASSPORT)))])
                .block([did(KYC, state(PASSPORT, approved(PASSPORT)))])
                .accept(BANK, Some("passport")),
            by,
            held(&["ENC-04", "REUSE-02", "REV-03"]),
        ),
    ]
}

fn requests() -> Vec<Case> {
    let by = &REQUESTS_COME_FIRST;
    vec![
        case(
            "an approval of nothing",
            Story::new().approve(1, LOCK),
            by,
            broken(&["REQ-01"]),
        ),
        case(
            "an approval locks for a second longer than asked",
            Story::new().request(1, BANK, LOCK).approve(1, LOCK + 1),
            by,
            broken(&["REQ-03"]),
        ),
        case(
            "a denied request is granted after all",
            Story::new().request(1, BANK, LOCK).deny(1).approve(1, LOCK),
            by,
            broken(&["REQ-02"]),
        ),
        case(
            "a consumer opens what it was denied",
            Story::new()
                .stored()
                .request(1, BANK, LOCK)
                .deny(1)
                .open(BANK, PASSPORT),
            by,
            broken(&["REQ-02"]),
        ),
        case(
            "an approval gives as much as asked for",
            Story::new().request(1, BANK, LOCK).approve(1, LOCK),
            by,
            held(&["REQ-01", "REQ-03"]),
        ),
        case(
            "a denied consumer asks again, is granted access and opens the copy",
            Story::new()
                .request(1, BANK, LOCK)
                .deny(1)
                .request(2, BANK, 50)
                .approve(2, 50)
                .shared(50)
                .open(BANK, FOR_BANK),
            by,
            held(&["REQ-01", "REQ-02", "REQ-03"]),
        ),
        case(
            "a consumer that Alice denied opens what is Mallory's",
            Story::new()
                .registered()
                .block([did(MALLORY, store(LICENCE))])
                .request(1, BANK, LOCK)
                .deny(1)
                .open(BANK, LICENCE),
            by,
            held(&["REQ-02"]),
        ),
    ]
}

fn reuse() -> Vec<Case> {
    let by = &ONE_VERIFICATION_SERVES_MANY;
    let first = || {
        issued()
            .block([did(ALICE, share(SHOP, LOCK))])
            .accept(BANK, Some("passport"))
    };
    vec![
        case(
            "the document is issued once more for the second consumer",
            first()
                .issue(ALICE, PASSPORT, "passport")
                .accept(SHOP, Some("passport")),
            by,
            broken(&["REUSE-01"]),
        ),
        case(
            "two consumers accept what was issued once",
            first().accept(SHOP, Some("passport")),
            by,
            held(&["REUSE-01"]),
        ),
    ]
}

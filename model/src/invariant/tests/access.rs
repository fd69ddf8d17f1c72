use super::story::*;
use super::{Case, broken, case, held};
use crate::history::Event;
use crate::id::{CredentialId, PartyId};
use crate::invariant::access::*;
use crate::ledger::{Answer, Query, Refusal};

pub(super) fn cases() -> Vec<Case> {
    [
        content(),
        limits(),
        readable(),
        answers(),
        listings(),
        over(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The bank has a grant that was revoked after its lock.
fn revoked_grant() -> Story {
    let id = grant(BANK, FOR_BANK, LOCK);
    Story::new()
        .shared(LOCK)
        .at(LOCK + 1)
        .block([did(ALICE, revoke(id))])
}

fn read() -> Query {
    read_copy(FOR_BANK)
}

fn answer() -> Result<Answer, Refusal> {
    shared(FOR_BANK, Some(approved(PASSPORT)))
}

/// The bank has a grant that ends with second 50, or has to be used before reading.
fn limited_grant(expires_at: Option<i64>, uses: Option<i64>) -> Story {
    let share = with_terms(share(BANK, 0), limited(expires_at, uses));
    Story::new().stored().block([did(ALICE, share)])
}

fn used() -> Told {
    did(BANK, use_grant(grant(BANK, FOR_BANK, 0)))
}

fn limits() -> Vec<Case> {
    let by = &CONTENT_FOLLOWS_GRANTS;
    vec![
        case(
            "a copy for a consumer whose grant has ended",
            limited_grant(Some(50), None)
                .at(51)
                .block([])
                .saw(BANK, N1, read(), answer()),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a copy for a consumer that has made no use of its grant",
            limited_grant(None, Some(2)).saw(BANK, N1, read(), answer()),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a copy long after a use",
            limited_grant(None, Some(2))
                .at(10)
                .block([used()])
                .at(311)
                .block([])
                .saw(BANK, N1, read(), answer()),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a copy after a use, and none before it or after the grant's end",
            limited_grant(Some(50), Some(2))
                .saw(BANK, N1, read(), Err(Refusal::GrantNotOpen))
                .block([used()])
                .saw(BANK, N1, read(), answer())
                .at(51)
                .block([])
                .saw(BANK, N1, read(), Err(Refusal::GrantEnded)),
            by,
            held(&["GRANT-01", "GRANT-13"]),
        ),
        case(
            "refusals that say nothing of an end or of uses",
            Story::new()
                .shared(LOCK)
                .saw(BANK, N1, read(), answer())
                .saw(BANK, N1, read(), Err(Refusal::FeeUnpaid))
                .saw(BANK, N1, read(), Err(Refusal::NotShared))
                .saw(BANK, N1, read(), Err(Refusal::GrantNotOpen)),
            by,
            held(&["GRANT-01"]),
        ),
        case(
            "a grant that has to be used before reading",
            limited_grant(None, Some(2)).saw(BANK, N1, read(), Err(Refusal::GrantNotOpen)),
            by,
            held(&["GRANT-13"]),
        ),
    ]
}

/// Listings after time has ended something.
fn over() -> Vec<Case> {
    let by = &OWNERS_SEE_EVERYTHING;
    let due = || {
        let removal = did(ALICE, remove_when_unlocked(PASSPORT));
        let story = Story::new().shared(LOCK).block([removal]);
        story.at(LOCK + 1).block([])
    };
    let ended = || limited_grant(Some(50), None).at(51).block([]);
    let rows = |story: Story, ids: &[CredentialId]| {
        story.saw(ALICE, N1, Query::GetCredentials {}, listing(ids))
    };
    let given =
        |story: Story, row| story.saw(ALICE, N1, Query::GetAccessGrantsOwned {}, grants(row));
    vec![
        case(
            "a grant is listed after its own end",
            given(ended(), vec![grant_row(BANK, FOR_BANK, 0)]),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a remainder is listed after its lock",
            rows(due(), &[FOR_BANK]),
            by,
            broken(&["DEL-05"]),
        ),
        case(
            "an ended grant is not listed",
            given(ended(), Vec::new()),
            by,
            held(&["GRANT-13"]),
        ),
        case(
            "a remainder that is gone is not listed",
            rows(due(), &[]),
            by,
            held(&["DEL-01", "DEL-05"]),
        ),
    ]
}

fn content() -> Vec<Case> {
    let by = &CONTENT_FOLLOWS_GRANTS;
    vec![
        case(
            "an original for somebody who does not own it",
            Story::new().stored().saw(
                MALLORY,
                N1,
                read_own(PASSPORT),
                owned(PASSPORT, approved(PASSPORT)),
            ),
            by,
            broken(&["CRED-02"]),
        ),
        case(
            "a copy for somebody who never had a grant",
            Story::new().shared(LOCK).saw(SHOP, N1, read(), answer()),
            by,
            broken(&["GRANT-01"]),
        ),
        case(
            "a copy for the consumer that gave it up",
            Story::new()
                .shared(LOCK)
                .block([did(BANK, rescind(FOR_BANK))])
                .saw(BANK, N1, read(), answer()),
            by,
            broken(&["GRANT-01"]),
        ),
        case(
            "a copy before the block that grants it",
            Story::new()
                .shared(LOCK)
                .saw_at(3, BANK, N1, read(), answer()),
            by,
            broken(&["GRANT-01"]),
        ),
        case(
            "a copy for somebody whose grant was revoked",
            revoked_grant().saw(BANK, N1, read(), answer()),
            by,
            broken(&["GRANT-07"]),
        ),
        case(
            "a copy after its owner removed it",
            Story::new()
                .shared(0)
                .block([did(ALICE, remove(FOR_BANK))])
                .saw(BANK, N1, read(), answer()),
            by,
            broken(&["DEL-01"]),
        ),
        case(
            "a consumer opens what it has no grant on",
            Story::new().shared(LOCK).open(SHOP, FOR_BANK),
            by,
            broken(&["ENC-03"]),
        ),
        case(
            "owner and grantee read and open what is theirs, and others are refused",
            revoked_grant()
                .saw_at(4, BANK, N1, read(), answer())
                .saw(
                    ALICE,
                    N2,
                    read_own(PASSPORT),
                    owned(PASSPORT, approved(PASSPORT)),
                )
                .saw(MALLORY, N2, read_own(PASSPORT), Ok(Answer::Owned(None)))
                .saw(SHOP, N3, read(), Err(Refusal::NotShared))
                .saw(BANK, N3, read(), Err(Refusal::CredentialUnknown))
                .open(ALICE, PASSPORT),
            by,
            held(&["CRED-02", "ENC-03", "GRANT-01", "GRANT-07"]),
        ),
        case(
            "a removed copy is refused, and a copy whose lock runs is read after its original went",
            Story::new()
                .shared(LOCK)
                .block([did(ALICE, share(SHOP, 0))])
                .block([did(ALICE, remove(PASSPORT))])
                .saw(BANK, N1, read(), answer())
                .saw(
                    SHOP,
                    N1,
                    read_copy(FOR_SHOP),
                    Err(Refusal::CredentialUnknown),
                ),
            by,
            held(&["DEL-01", "GRANT-01"]),
        ),
    ]
}

fn readable() -> Vec<Case> {
    let by = &GRANTED_COPIES_READABLE;
    vec![
        case(
            "a grantee is told that nothing is shared",
            Story::new()
                .shared(LOCK)
                .saw(BANK, N1, read(), Err(Refusal::NotShared)),
            by,
            broken(&["AVAIL-03", "GRANT-02"]),
        ),
        case(
            "a grantee reads, at the height of the grant and not before",
            Story::new()
                .shared(LOCK)
                .saw_at(3, BANK, N2, read(), Err(Refusal::CredentialUnknown))
                .saw(BANK, N1, read(), answer()),
            by,
            held(&["AVAIL-03", "GRANT-02"]),
        ),
        case(
            "a grantee reads though the grant names it in lower case",
            Story::new()
                .stored()
                .block([did(
                    ALICE,
                    share_as(
                        PASSPORT,
                        FOR_SHOP,
                        caller(SHOP).to_lowercase().into(),
                        LOCK,
                        "",
                    ),
                )])
                .saw(
                    SHOP,
                    N1,
                    read_copy(FOR_SHOP),
                    shared(FOR_SHOP, Some(approved(PASSPORT))),
                ),
            by,
            held(&["AVAIL-03", "GRANT-02"]),
        ),
    ]
}

fn signed_in(story: Story, until: i64) -> Story {
    story.event(Event::SignedIn {
        gateway: DOOR,
        by: BANK,
        identity: key(BANK),
        until,
    })
}

fn asks(story: Story, by: PartyId) -> Story {
    story.event(Event::AskedGateway {
        by,
        gateway: DOOR,
        query: read(),
    })
}

fn answers() -> Vec<Case> {
    let by = &ANSWERS_GO_TO_WHO_ASKED;
    vec![
        case(
            "a copy for somebody who states the grantee's name",
            Story::new()
                .shared(LOCK)
                .saw_as(BANK, MALLORY, N1, read(), answer()),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "the listing of somebody whose name was stated",
            Story::new().stored().saw_as(
                ALICE,
                MALLORY,
                N1,
                Query::GetCredentials {},
                listing(&[PASSPORT]),
            ),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "a gateway passes on what the grantee asks, in a session",
            asks(signed_in(Story::new().shared(LOCK), 300), BANK).saw_as(
                BANK,
                DOOR,
                N1,
                read(),
                answer(),
            ),
            by,
            held(&["READ-01"]),
        ),
        case(
            "a gateway reads by itself",
            signed_in(Story::new().shared(LOCK), 300).saw_as(BANK, DOOR, N1, read(), answer()),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "a gateway reads again what it was asked once",
            asks(signed_in(Story::new().shared(LOCK), 300), BANK)
                .saw_as(BANK, DOOR, N1, read(), answer())
                .saw_as(BANK, DOOR, N1, read(), answer()),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "a gateway takes a stranger for the grantee",
            asks(signed_in(Story::new().shared(LOCK), 300), MALLORY).saw_as(
                BANK,
                DOOR,
                N1,
                read(),
                answer(),
            ),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "a grant of others is shown",
            Story::new().shared(LOCK).saw(
                MALLORY,
                N1,
                Query::GetAccessGrantsForCredential {
                    credential_id: FOR_BANK,
                },
                grants(vec![grant_row(BANK, FOR_BANK, LOCK)]),
            ),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "a gateway reads long after the session's end",
            asks(signed_in(Story::new().shared(LOCK), 100).at(200), BANK).saw_as(
                BANK,
                DOOR,
                N1,
                read(),
                answer(),
            ),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "a gateway reads without any session",
            asks(Story::new().shared(LOCK), BANK).saw_as(BANK, DOOR, N1, read(), answer()),
            by,
            broken(&["READ-01"]),
        ),
        case(
            "an own name is answered, and a stated one learns nothing",
            Story::new()
                .shared(LOCK)
                .saw(BANK, N1, read(), answer())
                .saw_as(ALICE, MALLORY, N1, Query::GetCredentials {}, listing(&[])),
            by,
            held(&["READ-01"]),
        ),
    ]
}

fn listings() -> Vec<Case> {
    let by = &OWNERS_SEE_EVERYTHING;
    let listed = |story: Story, rows| story.saw(ALICE, N1, Query::GetCredentials {}, listing(rows));
    let granted = |story: Story, rows| {
        let query = Query::GetAccessGrantsOwned {};
        story.saw(ALICE, N1, query, grants(rows))
    };
    let removed = |lock| {
        Story::new()
            .shared(lock)
            .block([did(ALICE, remove(PASSPORT))])
    };
    vec![
        case(
            "a copy is left out",
            listed(Story::new().shared(LOCK), &[PASSPORT]),
            by,
            broken(&["DASH-01"]),
        ),
        case(
            "a grant is left out",
            granted(Story::new().shared(LOCK), vec![]),
            by,
            broken(&["DASH-01"]),
        ),
        case(
            "a removed original is still listed",
            listed(removed(LOCK), &[PASSPORT, FOR_BANK]),
            by,
            broken(&["DEL-01"]),
        ),
        case(
            "an unlocked copy of a removed original is still listed",
            listed(removed(0), &[FOR_BANK]),
            by,
            broken(&["DEL-04"]),
        ),
        case(
            "a copy is still listed after its last grant",
            listed(revoked_grant(), &[PASSPORT, FOR_BANK]),
            by,
            broken(&["GRANT-14"]),
        ),
        case(
            "a revoked grant is still listed",
            granted(revoked_grant(), vec![grant_row(BANK, FOR_BANK, LOCK)]),
            by,
            broken(&["GRANT-07"]),
        ),
        case(
            "listings before and after a revocation",
            listed(
                granted(
                    revoked_grant()
                        .saw_at(
                            4,
                            ALICE,
                            N2,
                            Query::GetAccessGrantsOwned {},
                            grants(vec![grant_row(BANK, FOR_BANK, LOCK)]),
                        )
                        .saw_at(
                            4,
                            ALICE,
                            N2,
                            Query::GetCredentials {},
                            listing(&[PASSPORT, FOR_BANK]),
                        ),
                    vec![],
                ),
                &[PASSPORT],
            ),
            by,
            held(&["DASH-01", "GRANT-07", "GRANT-14"]),
        ),
        case(
            "a listing after an original and its copies went",
            listed(removed(0), &[]),
            by,
            held(&["DEL-01", "DEL-04"]),
        ),
    ]
}

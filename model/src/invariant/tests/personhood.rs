//! Persons. Mallory's face is Alice's: hers is Alice's second profile.

use super::super::personhood::{NETWORK_KNOWS_NO_PERSONS, PERSONS_ARE_PSEUDONYMS};
use super::story::{Story, did, refused};
use super::words::*;
use super::{Case, Expected, broken, case, held};
use crate::history::Event;
use crate::id::PartyId;
use crate::ledger::{Engine, Refusal};

fn seen(story: Story, by: PartyId, of: PartyId, known: bool, id: &str) -> Story {
    recognised(story, (by, of), known, id, &["faceSignUserId"], id)
}

fn recognised(
    story: Story,
    (by, of): (PartyId, PartyId),
    known: bool,
    id: &str,
    claims: &[&str],
    name: &str,
) -> Story {
    story.event(Event::Recognised {
        by,
        of,
        known,
        person: id.to_owned(),
        credential: PASSPORT,
        claims: claims.iter().map(|claim| (*claim).to_owned()).collect(),
        document: document(&format!("{name} {}", of.0)),
    })
}

fn met(story: Story, user: PartyId, id: &str, known: bool) -> Story {
    story.event(Event::MetPerson {
        by: BANK,
        user: profile(user),
        person: id.to_owned(),
        known,
    })
}

/// Two profiles of one person at one issuer.
fn twice() -> Story {
    seen(
        seen(Story::new(), KYC, ALICE, false, "p1"),
        KYC,
        MALLORY,
        true,
        "p1",
    )
}

pub(super) fn cases() -> Vec<Case> {
    const ONE: &[&str] = &["PERS-01"];
    const TWO: &[&str] = &["PERS-02"];
    let ids = &PERSONS_ARE_PSEUDONYMS;
    let network = &NETWORK_KNOWS_NO_PERSONS;
    let first = || seen(Story::new(), KYC, ALICE, false, "p1");
    let hired = || {
        Story::new()
            .block([did(DB_OWNER, hire())])
            .block([did(KYC, create(ALICE))])
    };
    vec![
        case("a person comes with two profiles", twice(), ids, held(ONE)),
        case(
            "another issuer has another id",
            seen(first(), SHOP, ALICE, false, "p2"),
            ids,
            held(ONE),
        ),
        case(
            "a consumer meets a person twice",
            met(met(twice(), ALICE, "p1", false), MALLORY, "p1", true),
            ids,
            held(ONE),
        ),
        case(
            "two issuers give one id",
            seen(first(), SHOP, ALICE, false, "p1"),
            ids,
            broken(ONE),
        ),
        case(
            "two persons have one id",
            seen(first(), KYC, BANK, false, "p1"),
            ids,
            broken(ONE),
        ),
        case(
            "a person gets a second id",
            seen(first(), KYC, MALLORY, true, "p2"),
            ids,
            broken(ONE),
        ),
        case(
            "a known face is taken for new",
            seen(first(), KYC, MALLORY, false, "p1"),
            ids,
            broken(ONE),
        ),
        case(
            "a new face is taken for known",
            seen(Story::new(), KYC, ALICE, true, "p1"),
            ids,
            broken(ONE),
        ),
        case(
            "a name stands beside the id",
            recognised(
                Story::new(),
                (KYC, ALICE),
                false,
                "p1",
                &["faceSignUserId", "firstName"],
                "p1",
            ),
            ids,
            broken(ONE),
        ),
        case(
            "a document is in two profiles",
            twice().event(Event::Recognised {
                by: KYC,
                of: MALLORY,
                known: true,
                person: "p1".to_owned(),
                credential: PASSPORT,
                claims: vec!["faceSignUserId".to_owned()],
                document: document(&format!("p1 {}", ALICE.0)),
            }),
            ids,
            broken(ONE),
        ),
        case(
            "the id stands in notes",
            first()
                .registered()
                .block([did(ALICE, store_as(PASSPORT, "c", notes("p1", "approved")))]),
            ids,
            broken(ONE),
        ),
        case(
            "a consumer overlooks a person",
            met(met(twice(), ALICE, "p1", false), MALLORY, "p1", false),
            ids,
            broken(ONE),
        ),
        case(
            "the second profile is created",
            hired().block([did(KYC, create(MALLORY))]),
            network,
            held(TWO),
        ),
        case(
            "the second profile is refused as a first would be",
            hired().block([
                refused(KYC, create(MALLORY), Refusal::UnauthorizedInserter),
                refused(
                    KYC,
                    create(MALLORY),
                    Refusal::Engine(Engine::DuplicateKey("users_pkey")),
                ),
            ]),
            network,
            Expected::Untested,
        ),
        case(
            "the second profile is refused",
            hired().block([refused(KYC, create(MALLORY), Refusal::LockedGrants)]),
            network,
            broken(TWO),
        ),
    ]
}

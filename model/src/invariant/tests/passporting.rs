//! Reliance. The bank relies on the issuer.

use uuid::Uuid;

use super::super::passporting::RELIANCE_IS_EARNED;
use super::story::{Story, did};
use super::words::*;
use super::{Case, Expected, broken, case, held};
use crate::history::{Doubt, Event};
use crate::id::{ClubId, PartyId, PeerId};
use crate::ledger::Action;

const CLUB: ClubId = ClubId(Uuid::from_u128(0x900));

fn peer(party: PartyId) -> PeerId {
    PeerId(Uuid::from_u128(0x910 + u128::from(party.0)))
}

fn member(story: Story, party: PartyId) -> Story {
    story.block([
        did(
            DB_OWNER,
            Action::AddPassportingPeerAsOwner {
                id: peer(party),
                name: "peer".into(),
                issuer_public_key: caller(party),
                server_url_base: "https://peer.example".into(),
            },
        ),
        did(
            DB_OWNER,
            Action::AddPassportingPeerToClubAsOwner {
                passporting_club_id: CLUB,
                passporting_peer_id: peer(party),
            },
        ),
    ])
}

fn left(story: Story, party: PartyId) -> Story {
    let leave = Action::DeletePassportingPeerFromClubAsOwner {
        passporting_club_id: CLUB,
        passporting_peer_id: peer(party),
    };
    story.block([did(DB_OWNER, leave)])
}

/// Both are members, and Alice's copy for the bank waits for a grant.
fn ready() -> Story {
    member(member(Story::new().stored(), KYC), BANK).block([did(ALICE, waiting_copy())])
}

fn waiting_copy() -> Action {
    Action::CreateCredentialCopy {
        id: FOR_BANK,
        original_credential_id: PASSPORT,
        public_notes: "".into(),
        public_notes_signature: "00".into(),
        broader_signature: "00".into(),
        content: sealed("waiting"),
        encryptor_public_key: "twice".into(),
        issuer_auth_public_key: caller(ALICE),
    }
}

fn vouched(story: Story) -> Story {
    story.event(Event::Vouched {
        by: KYC,
        to: BANK,
        own: FOR_SHOP,
        document: document("passport"),
    })
}

fn inserted(story: Story, by: PartyId) -> Story {
    story.block([did(by, dag(BANK, FOR_BANK, 0))])
}

fn relied(story: Story, doubt: Option<Doubt>) -> Story {
    let height = crate::id::Height(story.tip());
    story.event(Event::Relied {
        by: BANK,
        on: KYC,
        copy: FOR_BANK,
        document: Some(document("passport")),
        height,
        doubt,
    })
}

pub(super) fn cases() -> Vec<Case> {
    const REUSE: &[&str] = &["REUSE-03"];
    let it = &RELIANCE_IS_EARNED;
    let chained = vouched(ready().block([did(SHOP, dag(KYC, FOR_SHOP, 0))]));
    vec![
        case(
            "compared, inserted, relied upon",
            relied(inserted(vouched(ready()), KYC), None),
            it,
            held(REUSE),
        ),
        case(
            "doubted",
            relied(inserted(ready(), BANK), Some(Doubt::NotInserted)),
            it,
            held(REUSE),
        ),
        case(
            "doubted without a reason",
            relied(inserted(vouched(ready()), KYC), Some(Doubt::NotInserted)),
            it,
            Expected::Untested,
        ),
        case(
            "the relying entity inserts the grant itself",
            relied(inserted(vouched(ready()), BANK), None),
            it,
            broken(REUSE),
        ),
        case(
            "nothing was compared",
            relied(inserted(ready(), KYC), None),
            it,
            broken(REUSE),
        ),
        case(
            "compared only afterwards",
            relied(vouched(inserted(ready(), KYC)), None),
            it,
            broken(REUSE),
        ),
        case(
            "one has left the club",
            relied(left(inserted(vouched(ready()), KYC), KYC), None),
            it,
            broken(REUSE),
        ),
        case(
            "the issuer relies on somebody itself",
            relied(inserted(chained, KYC), None),
            it,
            broken(REUSE),
        ),
    ]
}

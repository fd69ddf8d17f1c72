use super::story::*;
use super::{Case, broken, case, held};
use crate::id::WriteGrantId;
use crate::invariant::write_grants::*;
use crate::ledger::{Engine, GrantInserter, GrantRow, Query, Refusal};
use uuid::Uuid;

const PAPER: u128 = 7;
const USED: Refusal = Refusal::Engine(Engine::DuplicateKey("consumed_write_grants_pkey"));

fn written_at(second: i64) -> Story {
    let story = Story::new().registered().at(second);
    story.block([did(KYC, dwg(PAPER, BANK, LOCK))])
}

/// The grant of the paper, as its owner lists it.
fn listed(story: Story, by: GrantInserter, id: &str) -> Story {
    let row = GrantRow {
        inserter_type: by,
        inserter_id: id.into(),
        ..grant_row(BANK, FOR_BANK, LOCK)
    };
    story.saw(ALICE, N1, Query::GetAccessGrantsOwned {}, grants(vec![row]))
}

pub(super) fn cases() -> Vec<Case> {
    let by = &WRITE_GRANTS_WORK_ONCE;
    let paper = WriteGrantId(Uuid::from_u128(PAPER)).to_string();
    let early = Story::new().registered().at(34);
    let elsewhere = dwg_as(PAPER, BANK, &caller(KYC), &caller(BANK), LOCK);
    let strangers = Story::new().at(150);
    vec![
        case(
            "one paper is used twice",
            written_at(150).block([did(KYC, dwg(PAPER, BANK, LOCK))]),
            by,
            broken(&["DWG-01"]),
        ),
        case(
            "one paper is used again for another grantee",
            written_at(150).block([did(MALLORY, dwg(PAPER, SHOP, LOCK))]),
            by,
            broken(&["DWG-01", "DWG-05"]),
        ),
        case(
            "a paper is used 66 seconds before its window",
            early.block([did(KYC, dwg(PAPER, BANK, LOCK))]),
            by,
            broken(&["DWG-02"]),
        ),
        case(
            "a paper is used a second late",
            written_at(201),
            by,
            broken(&["DWG-02"]),
        ),
        case(
            "a paper is refused in the last second of its window",
            Story::new().registered().at(200).block([refused(
                KYC,
                dwg(PAPER, BANK, LOCK),
                Refusal::DwgOutsideWindow,
            )]),
            by,
            broken(&["DWG-02"]),
        ),
        case(
            "a paper is used for a wallet nobody has",
            strangers.block([did(KYC, dwg(PAPER, BANK, LOCK))]),
            by,
            broken(&["DWG-04"]),
        ),
        case(
            "a grant from a paper is said to be the owner's own",
            listed(written_at(150), GrantInserter::User, &caller(ALICE)),
            by,
            broken(&["DWG-04"]),
        ),
        case(
            "another key than the paper names has signed",
            Story::new()
                .registered()
                .at(150)
                .block([did(KYC, elsewhere)]),
            by,
            broken(&["DWG-06"]),
        ),
        case(
            "a paper is used once, refused afterwards and told as it is",
            listed(
                written_at(150).block([
                    refused(KYC, dwg(PAPER, BANK, LOCK), USED),
                    refused(MALLORY, dwg(PAPER, SHOP, LOCK), USED),
                ]),
                GrantInserter::DelegatedWriteGrant,
                &paper,
            ),
            by,
            held(&["DWG-01", "DWG-02", "DWG-04", "DWG-05", "DWG-06"]),
        ),
        case(
            "a paper under which nothing is left still names its parties",
            gone().look_for_papers(N1, &[WriteGrantId(Uuid::from_u128(PAPER))]),
            &USED_PAPERS_NAME_NOBODY,
            broken(&["DEL-09"]),
        ),
        case(
            "a paper names its parties while something is left, and nobody afterwards",
            written_at(150)
                .look_for_papers(N1, &[WriteGrantId(Uuid::from_u128(PAPER))])
                .block([
                    did(ALICE, remove(copy_for(BANK))),
                    did(ALICE, remove(LICENCE)),
                ])
                .look_for_papers(N1, &[]),
            &USED_PAPERS_NAME_NOBODY,
            held(&["DEL-09"]),
        ),
    ]
}

/// What was written under the paper is removed again.
fn gone() -> Story {
    written_at(150).block([
        did(ALICE, remove(copy_for(BANK))),
        did(ALICE, remove(LICENCE)),
    ])
}

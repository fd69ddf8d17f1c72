use super::story::*;
use super::{Case, broken, case, held};
use crate::invariant::attributes::*;
use crate::ledger::{Action, Query};

fn described_story() -> Story {
    let story = Story::new().registered();
    story.block([did(ALICE, describe(1)), did(MALLORY, describe(5))])
}

fn saw(story: Story, ids: &[u128]) -> Story {
    story.saw(ALICE, N1, Query::GetAttributes {}, described(ids))
}

pub(super) fn cases() -> Vec<Case> {
    let by = &ATTRIBUTES_ARE_THE_OWNERS;
    let remove = |id| Action::RemoveAttribute { id: attribute(id) };
    vec![
        case(
            "an inserter adds an attribute without a word of the owner",
            Story::new()
                .registered()
                .block([did(KYC, describe_for(1, ALICE, false))]),
            by,
            broken(&["CRED-06"]),
        ),
        case(
            "somebody links to another's attribute",
            described_story().block([did(ALICE, link(2, 5))]),
            by,
            broken(&["ATTR-01"]),
        ),
        case(
            "somebody links to a copy",
            described_story().block([did(ALICE, link(2, 1)), did(ALICE, link(3, 2))]),
            by,
            broken(&["ATTR-01"]),
        ),
        case(
            "a listing leaves an attribute out",
            saw(described_story(), &[]),
            by,
            broken(&["DASH-01"]),
        ),
        case(
            "a listing shows what was removed",
            saw(described_story().block([did(ALICE, remove(1))]), &[1]),
            by,
            broken(&["DASH-01"]),
        ),
        case(
            "an inserter writes with the owner's word, and the owner links, removes and lists",
            saw(
                described_story().block([
                    did(KYC, describe_for(3, ALICE, true)),
                    did(ALICE, link(2, 1)),
                    did(ALICE, remove(1)),
                ]),
                &[2, 3],
            ),
            by,
            held(&["ATTR-01", "CRED-06", "DASH-01"]),
        ),
    ]
}
